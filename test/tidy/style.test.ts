/**
 * Rules of the house that the linter does not know, or that must hold even where it is told to look away.
 */
import { describe, expect, it } from "vitest";
import { mask } from "./support/mask.ts";
import type { Finding, Tree } from "./support/tree.ts";
import { at, CODE, filesOf, readTree, treeOf } from "./support/tree.ts";

interface Rule {
  readonly says: string;
  readonly files: RegExp;
  /** What is refused, in the masked code or in the whole text. */
  readonly pattern: RegExp;
  readonly within: "code" | "text";
}

/** Not the declarations of packages that have none of their own: they say what is there, not what we want. */
const SOURCE = /^src\/.*(?<!\.d)\.ts$/u;
const word = (...parts: readonly string[]): string => parts.join("");

const RULES: readonly Rule[] = [
  { says: "a default export", files: SOURCE, within: "code", pattern: /\bexport\s+default\b|\bas\s+default\b/gu },
  { says: "the type `any`", files: CODE, within: "code", pattern: /(?<![.\w$])any\b(?!\s*[(:?])/gu },
  { says: "a non-null assertion", files: CODE, within: "code", pattern: /[\w$)\]]!(?!=)/gu },
  { says: "an enum or a namespace", files: CODE, within: "code", pattern: /\b(?:enum|namespace)\s+\w+\s*\{/gu },
  {
    says: "a note to do something later",
    files: CODE,
    within: "text",
    pattern: new RegExp(String.raw`\b(?:${word("TO", "DO")}|${word("FIX", "ME")}|${word("X", "XX")})\b`, "gu"),
  },
  {
    says: "a check switched off without a reason (`-- because …`)",
    files: CODE,
    within: "text",
    pattern: /(?:(?:eslint|oxlint)-disable|@ts-(?:ignore|expect-error|nocheck))(?![^\n]*-- \S.{9})/gu,
  },
];

/** The first thing in a file, after a shebang: what it is, its invariant, what is deliberately absent. */
const HEADER = /^(?:#!.*\n)?\/\*\*[^]*?\*\//u;

export function faultsOfStyle(tree: Tree): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { says, files, pattern, within } of RULES) {
    for (const [path, text] of filesOf(tree, files)) {
      for (const { index } of (within === "code" ? mask(text) : text).matchAll(pattern)) {
        findings.push(`${at(path, text, index)}: ${says}`);
      }
    }
  }
  for (const [path, text] of filesOf(tree, SOURCE)) {
    const header = HEADER.exec(text)?.[0] ?? "";
    for (const part of ["Invariant", "Deliberately absent"]) {
      if (!header.includes(part)) findings.push(`${path}:1: its header does not say "${part}"`);
    }
  }
  return findings;
}

const HEADED = "/** A.\n *\n * Invariant: b.\n *\n * Deliberately absent: c.\n */\n";

describe("style", () => {
  it("is kept", () => {
    expect(faultsOfStyle(readTree())).toEqual([]);
  });

  it.each([
    ["export default 1;", "a default export"],
    ["export { a as default };", "a default export"],
    ["const a: any = 1;", "the type `any`"],
    ["const a = b as any;", "the type `any`"],
    ["const a: Map<string, any>;", "the type `any`"],
    ["a!.b();", "a non-null assertion"],
    ["f(a[0]!);", "a non-null assertion"],
    ["enum A { B }", "an enum or a namespace"],
    [word("// TO", "DO: later"), "a note to do something later"],
    [word("// oxlint-", "disable-next-line no-console"), "a check switched off"],
    [word("// @ts", "-expect-error"), "a check switched off"],
  ])("refuses: %s", (line, expected) => {
    expect(faultsOfStyle(treeOf({ "src/a.ts": `${HEADED}${line}` }))).toEqual([
      expect.stringMatching(new RegExp(`^src/a.ts:7: ${expected}`, "u")),
    ]);
  });

  it.each([
    "if (a !== b || !c) f(); // any of them!",
    "expect.any(Number); const s = 'a!.b any';",
    "// oxlint-disable-next-line no-console -- the person asked for it",
  ])("allows: %s", (line) => {
    expect(faultsOfStyle(treeOf({ "src/a.ts": `${HEADED}${line}` }))).toEqual([]);
  });

  it("refuses a source file without a header", () => {
    const late = "import a;\n/** Invariant. Deliberately absent. */";
    expect(faultsOfStyle(treeOf({ "src/a.ts": late, "src/b.ts": HEADED, "src/c.d.ts": "" }))).toEqual([
      'src/a.ts:1: its header does not say "Invariant"',
      'src/a.ts:1: its header does not say "Deliberately absent"',
    ]);
  });
});
