/**
 * The core is pure: what it does depends on its inputs alone, so the same seed gives the same bytes of trace.
 */
import { describe, expect, it } from "vitest";
import { importsOf } from "./support/imports.ts";
import { mask } from "./support/mask.ts";
import type { Finding, Tree } from "./support/tree.ts";
import { at, filesOf, readTree, treeOf } from "./support/tree.ts";

const PURE = /^src\/(?:raft|lease)\/.*\.ts$/u;

/** Clocks, timers, randomness, the process, promises, output, and what the garbage collector or the locale decide. */
const IMPURE = [
  "Date",
  "Intl",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "crypto",
  "process",
  "globalThis",
  "console",
  "fetch",
  "Promise",
  "async",
  "await",
  "WeakRef",
  "FinalizationRegistry",
  "require",
  "Buffer",
];
const FORBIDDEN = new RegExp(
  [
    String.raw`(?<![.\w$#])(?:${IMPURE.join("|")})\b`,
    String.raw`\bMath\s*\.\s*random\b`,
    String.raw`\bimport\s*\.\s*meta\b`,
    String.raw`\.then\s*\(`,
    String.raw`\.(?:localeCompare|toLocale\w+)\b`,
  ].join("|"),
  "gu",
);

export function faultsOfPurity(tree: Tree): readonly Finding[] {
  return filesOf(tree, PURE).flatMap(([path, text]) => {
    const words = [...mask(text).matchAll(FORBIDDEN)].map(({ index, 0: word }) => ({ offset: index, what: word }));
    const imports = importsOf(text)
      .filter(({ specifier }) => specifier?.startsWith(".") !== true)
      .map(({ specifier, offset }) => ({ offset, what: `imports ${specifier ?? "a computed name"}` }));
    return words.concat(imports).map(({ offset, what }) => `${at(path, text, offset)}: ${what}`);
  });
}

describe("the core", () => {
  it("uses no clock, timer, randomness, promise, output or package", () => {
    const tree = readTree();
    expect(filesOf(tree, PURE).length).toBeGreaterThan(0);
    expect(faultsOfPurity(tree)).toEqual([]);
  });

  it.each([
    "const now = Date.now();",
    "const r = Math.random();",
    "setTimeout(f, 1);",
    "const t = performance.now();",
    "if (process.env.A) f();",
    "function f(): Promise<void> {}",
    "const f = async () => {};",
    "console.log(1);",
    "const id = crypto.randomUUID();",
    "queueMicrotask(f);",
    "value.then(f);",
    "const g = globalThis;",
    'import { readFileSync } from "node:fs";',
    'import * as v from "valibot";',
    "const s = `${Date.now()}`;",
  ])("is refused: %s", (line) => {
    const findings = faultsOfPurity(treeOf({ "src/lease/a.ts": `\n${line}` }));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(/^src\/lease\/a\.ts:2: /u);
  });

  it("may say such words in comments, strings, members and longer names", () => {
    const text = '/** A Promise. */ const a = "Date"; b.process(); const voterPromise = c.crypto; type Dates = 1;';
    expect(faultsOfPurity(treeOf({ "src/raft/a.ts": text, "src/node/b.ts": "Date.now();" }))).toEqual([]);
  });
});
