/**
 * Files and lines are short. Functions up to 70 lines are a matter of the linter (lint.test.ts sees it complain).
 */
import { describe, expect, it } from "vitest";
import { FILL, mask } from "./support/mask.ts";
import type { Finding, Tree } from "./support/tree.ts";
import { CODE, filesOf, readTree, treeOf } from "./support/tree.ts";

const MAX_LINES = 300;
const MAX_COLUMNS = 120;
/** In the header of a file that has a reason to be longer. */
const EXCUSE = /Longer than 300 lines because \S+/u;
/** A row of a table of texts, such as a code with its meaning: its texts may pass the end of the line. */
const TABLE_ROW = /^\s*(?:\w+: \{|\[|\{).*[}\]],?$/u;

const headerOf = (text: string): string => /^(?:#!.*\n)?\s*\/\*\*[^]*?\*\//u.exec(text)?.[0] ?? "";

export function faultsOfSize(tree: Tree): readonly Finding[] {
  return filesOf(tree, CODE).flatMap(([path, text]) => {
    const findings: Finding[] = [];
    const lines = text.replace(/\n$/u, "").split("\n");
    const codeLines = mask(text).split("\n");
    if (lines.length > MAX_LINES && !EXCUSE.test(headerOf(text))) {
      findings.push(`${path}:1: ${lines.length} lines without a reason in its header`);
    }
    for (const [index, line] of lines.entries()) {
      const columns = line.length;
      const withoutTexts = (codeLines[index] ?? "").replaceAll(FILL, "").length;
      const allowed = columns <= MAX_COLUMNS || /https?:\/\/\S{40}/u.test(line);
      if (allowed || (TABLE_ROW.test(line) && withoutTexts <= MAX_COLUMNS)) continue;
      findings.push(`${path}:${index + 1}: ${columns} columns`);
    }
    return findings;
  });
}

describe("sizes", () => {
  it("of files and lines are kept", () => {
    expect(faultsOfSize(readTree())).toEqual([]);
  });

  it("refuse a file of 301 lines, unless its header has the reason", () => {
    const body = "a();\n".repeat(MAX_LINES);
    const excuse = "/** A table.\n * Longer than 300 lines because it is one table. */\n";
    const tree = treeOf({ "src/a.ts": `/** A. */\n${body}`, "src/b.ts": excuse + body, "src/c.ts": body });
    expect(faultsOfSize(tree)).toEqual(["src/a.ts:1: 301 lines without a reason in its header"]);
    expect(faultsOfSize(treeOf({ "src/d.ts": body + excuse }))).toHaveLength(1);
  });

  it("refuse a line of 121 columns, unless it is a row of texts", () => {
    const long = "x".repeat(130);
    const tree = treeOf({
      "src/a.ts": `const ${long} = 1;`,
      "src/b.ts": `// ${long}`,
      "src/c.ts": `  f("${long}");`,
      "src/d.ts": `  code: { status: 0, meaning: "${long}" },`,
      "test/e.ts": `    ["${long}", 1],`,
      "test/f.ts": `    [${long}, 1],`,
      "test/g.ts": `// see https://example.org/${long}`,
    });
    expect(faultsOfSize(tree)).toEqual([
      "src/a.ts:1: 141 columns",
      "src/b.ts:1: 133 columns",
      "src/c.ts:1: 138 columns",
      "test/f.ts:1: 140 columns",
    ]);
  });
});
