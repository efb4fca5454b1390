import { describe, expect, it } from "vitest";
import { importsOf } from "./support/imports.ts";
import { FILL, mask } from "./support/mask.ts";
import { CODE, filesOf, readTree } from "./support/tree.ts";

/** The masked text with every filler shown as `#`. */
const shown = (text: string): string => mask(text).replaceAll(FILL, "#");

describe("mask", () => {
  it.each([
    ["a comment at the end", "a; // b\nc", "a;     \nc"],
    ["a comment over lines", "a /* b\nc */ d", "a     \n     d"],
    ["a string with an escaped quote", String.raw`f("a\"b") + 'c'`, String.raw`f("####") + '#'`],
    ["a comment sign in a string", 'x("http://y") // z', 'x("########")     '],
    ["a template", "`a${b}c`", "`#${b}#`"],
    ["a template in an insertion with braces", "`a${f({ b: `c${d}` })}e`", "`#${f({ b: `#${d}` })}#`"],
    ["a string that looks like an insertion", "'${a}' `\\${b}`", "'####' `#####`"],
    ["a regular expression with a slash in a class", String.raw`x = /[/"]\/a/u; "b"`, String.raw`x = /#######/u; "#"`],
    ["a division", "a / b / c; (d) / 2 // e", "a / b / c; (d) / 2     "],
    ["a regular expression after return", "return /a'b/.test(c)", "return /###/.test(c)"],
    ["a character outside the basic plane", '"\u{1f511}" + a', '"##" + a'],
  ])("blanks %s", (_, text, expected) => {
    expect(shown(text)).toBe(expected);
    expect(mask(text)).toHaveLength(text.length);
  });

  it("leaves an even number of brackets in every file of the project", () => {
    for (const [path, text] of filesOf(readTree(), CODE)) {
      const code = mask(text);
      for (const [open, close] of [
        ["(", ")"],
        ["[", "]"],
        ["{", "}"],
      ] as const) {
        expect.soft(code.split(open).length, `${open}${close} in ${path}`).toBe(code.split(close).length);
      }
    }
  });
});

describe("importsOf", () => {
  it("finds every form of import, and nothing in comments and strings", () => {
    const text = [
      'import a from "./a.ts";',
      "import type {\n  B,\n} from './b.ts';",
      'export * from "./c.ts";',
      'export { d } from "./d.ts"',
      'import "./e.ts";',
      'const f = await import("./f.ts");',
      'type G = import("./g.ts").G;',
      'const h = require("h");',
      "const i = await import(name);",
      '// import j from "./j.ts";',
      "const k = \"import k from './k.ts'\";",
      'this.import("./l.ts");',
      'export const from = [1]; const m = "m";',
    ].join("\n");
    expect(importsOf(text).map(({ specifier }) => specifier)).toEqual([
      "./a.ts",
      "./b.ts",
      "./c.ts",
      "./d.ts",
      "./e.ts",
      "./f.ts",
      "./g.ts",
      "h",
      null,
    ]);
  });
});
