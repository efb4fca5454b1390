/**
 * What a page shows of a program is that program: `<!-- excerpt: path mark -->` before a code block says which part of
 * which file it is. In the file, the part lies between `[mark]` and `[/mark]`; the mark is `readme` if none is given.
 */
import { describe, expect, it } from "vitest";
import type { Finding, Tree } from "./support/tree.ts";
import { at, filesOf, readTree, treeOf } from "./support/tree.ts";

const EXCERPT = /^<!-- excerpt: (?<path>\S+)(?: (?<mark>\w+))? -->\n(?:```\w+\n(?<shown>[^]*?\n)?```$)?/gmu;

/** The marked lines, without the indentation that they share; null when there are none. */
function partOf(text: string, mark: string): string | null {
  const marked = new RegExp(String.raw`^[^\n]*\[${mark}\][^\n]*\n(?<inside>[^]*?)^[^\n]*\[/${mark}\]`, "mu");
  const inside = marked.exec(text)?.groups?.["inside"];
  if (inside === undefined) return null;
  const lines = inside.split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length);
  return lines.map((line) => line.slice(Math.min(...indents))).join("\n");
}

export function faultsOfExcerpts(tree: Tree): readonly Finding[] {
  return filesOf(tree, /\.md$/u).flatMap(([page, text]) =>
    [...text.matchAll(EXCERPT)].flatMap(({ index, groups }) => {
      const { path = "", mark = "readme", shown } = groups ?? {};
      const part = partOf(tree.get(path) ?? "", mark);
      if (part === null) return [`${at(page, text, index)}: ${path} has no part [${mark}]`];
      return shown === part ? [] : [`${at(page, text, index)}: is not the part [${mark}] of ${path}`];
    }),
  );
}

describe("excerpts", () => {
  const tree = readTree();

  it("are the marked parts of their files", () => {
    expect(faultsOfExcerpts(tree)).toEqual([]);
  });

  it("show every worker, the manifest and the fence on the first page", () => {
    const shown = [...(tree.get("README.md") ?? "").matchAll(EXCERPT)].map(({ groups }) => groups?.["path"]);
    expect(shown).toEqual([
      "examples/kubernetes/statefulset.yaml",
      "examples/shell/worker.sh",
      "examples/python/worker.py",
      "examples/go/worker.go",
      "examples/typescript/worker.ts",
      "examples/store/fence.sql",
    ]);
  });

  it("are seen when they differ, and when there is no such part", () => {
    const page = (note: string, code: string): string => `<!-- excerpt: ${note} -->\n\`\`\`sh\n${code}\n\`\`\`\n`;
    const example = treeOf({
      "a.sh": "#!/bin/sh\n  # [readme]\n  if a; then\n    b\n\n  fi\n  # [/readme]\n# [c]\nd\n# [/c]\n",
      "right.md": page("a.sh", "if a; then\n  b\n\nfi") + page("a.sh c", "d"),
      "wrong.md": page("a.sh", "if a; then\n  c\n\nfi") + page("a.sh x", "d") + page("b.sh", "d"),
      "without.md": "<!-- excerpt: a.sh -->\n\nNo code follows.\n",
    });
    expect(faultsOfExcerpts(example)).toEqual([
      "without.md:1: is not the part [readme] of a.sh",
      "wrong.md:1: is not the part [readme] of a.sh",
      "wrong.md:8: a.sh has no part [x]",
      "wrong.md:12: b.sh has no part [readme]",
    ]);
  });
});
