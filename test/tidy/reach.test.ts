/**
 * Nothing is dead: every source file is part of the program, every limit bounds something, every error code is used.
 */
import { describe, expect, it } from "vitest";
import { reachableFrom } from "./support/imports.ts";
import { mask } from "./support/mask.ts";
import type { Finding, Tree } from "./support/tree.ts";
import { at, filesOf, readTree, treeOf } from "./support/tree.ts";

const SOURCE = /^src\/.*(?<!\.d)\.ts$/u;
const MAIN = "src/main.ts";
const LIMITS = "src/base/limits.ts";
const ERRORS = "src/base/errors.ts";

export function unreachableFiles(tree: Tree): readonly Finding[] {
  const reached = reachableFrom(tree, MAIN);
  return filesOf(tree, SOURCE)
    .filter(([path]) => !reached.has(path))
    .map(([path]) => `${path}:1: ${MAIN} never imports it`);
}

/** The names or codes that `declaration` finds in `path` and that `isUsedIn` finds in no other file of src. */
function unused(
  tree: Tree,
  path: string,
  declaration: RegExp,
  isUsedIn: (text: string, name: string) => boolean,
): readonly Finding[] {
  const text = tree.get(path) ?? "";
  const others = filesOf(tree, SOURCE).filter(([other]) => other !== path);
  return [...text.matchAll(declaration)]
    .map(({ index, groups }) => ({ index, name: groups?.["name"] ?? "" }))
    .filter(({ name }) => !others.some(([, other]) => isUsedIn(other, name)))
    .map(({ index, name }) => `${at(path, text, index)}: nothing uses ${name}`);
}

export function unusedLimits(tree: Tree): readonly Finding[] {
  // To import a name is not to use it.
  const code = new Map<string, string>();
  for (const [path, text] of filesOf(tree, SOURCE)) code.set(path, mask(text).replaceAll(/^import\b[^;]*;/gmu, ""));
  return unused(code, LIMITS, /^export const (?<name>\w+)/gmu, (text, name) =>
    new RegExp(String.raw`\b${name}\b`, "u").test(text),
  );
}

export function unusedErrors(tree: Tree): readonly Finding[] {
  return unused(tree, ERRORS, /^ {2}(?<name>[a-z][a-z0-9_]+): \{ status/gmu, (text, name) =>
    new RegExp(`["']${name}["']`, "u").test(text),
  );
}

describe("dead code", () => {
  const tree = readTree();

  it("is not there: every source file is part of the program", (context) => {
    context.skip(!tree.has(MAIN), `there is no ${MAIN}`);
    expect(unreachableFiles(tree)).toEqual([]);
  });

  it("is not there: every limit bounds something", (context) => {
    context.skip(!tree.has(MAIN), `there is no ${MAIN}`);
    expect(unusedLimits(tree)).toEqual([]);
  });

  it("is not there: every error code is used", (context) => {
    context.skip(!tree.has(MAIN), `there is no ${MAIN}`);
    expect(unusedErrors(tree)).toEqual([]);
  });

  it("is seen: a file that only tests and dead files import", () => {
    const example = treeOf({
      "src/main.ts": 'import "./a/b.ts";',
      "src/a/b.ts": 'import type { C } from "../c.ts";',
      "src/c.ts": "",
      "src/d.ts": 'import "./c.ts";',
      "test/d.test.ts": 'import "../src/d.ts";',
    });
    expect(unreachableFiles(example)).toEqual(["src/d.ts:1: src/main.ts never imports it"]);
  });

  it("is seen: a limit that is imported or mentioned only", () => {
    const example = treeOf({
      [LIMITS]: "export const MAX_A = 1;\nexport const MAX_B = 2;\nexport const MAX_C = 3;\n",
      "src/a.ts": 'import {\n  MAX_A, MAX_B, MAX_C,\n} from "./base/limits.ts";\nf({ to: MAX_A, from: 1 }); // MAX_B\n',
      "test/c.test.ts": "f(MAX_C);",
    });
    expect(unusedLimits(example)).toEqual([`${LIMITS}:2: nothing uses MAX_B`, `${LIMITS}:3: nothing uses MAX_C`]);
  });

  it("is seen: an error code that nothing throws", () => {
    const example = treeOf({
      [ERRORS]: 'const ERRORS = {\n  a_b: { status: 0, meaning: "" },\n  c_d: { status: 0, meaning: "c_d" },\n};\n',
      "src/a.ts": 'throw new TenureError("a_b", "c_d is not it");',
    });
    expect(unusedErrors(example)).toEqual([`${ERRORS}:3: nothing uses c_d`]);
  });

  it("sees the tables as they are written", () => {
    expect(unusedErrors(treeOf({ [ERRORS]: tree.get(ERRORS) ?? "" })).length).toBeGreaterThan(30);
    expect(unusedLimits(treeOf({ [LIMITS]: tree.get(LIMITS) ?? "" })).length).toBeGreaterThan(30);
  });
});
