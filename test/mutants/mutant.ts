/**
 * Seeded defects: named changes of a few characters of the source, to be made in a copy of it.
 *
 * A list is a text: `== name`, `breaks: …` (the rule of the design, or the public defect that it repeats), then for
 * each place `file: …`, the old text in lines that begin with `- ` and the new text in lines that begin with `+ `.
 *
 * Invariant: each place that is to be changed occurs exactly once in its file; one that no longer does fails the run,
 * so that no mutant goes away unnoticed.
 *
 * Deliberately absent: switches in the source. What ships is what is tested.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../src/base/assert.ts";

export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly breaks: string;
  readonly patches: readonly Patch[];
}

export const LISTS = ["lease", "raft", "node", "members"] as const;

export function allMutants(): readonly Mutant[] {
  return LISTS.flatMap((list) => parse(readFileSync(join(import.meta.dirname, `${list}.txt`), "utf8")));
}

export function parse(text: string): readonly Mutant[] {
  const [, ...blocks] = text.split(/^== /mu);
  return blocks.map((block) => {
    const [name = "", ...lines] = block.trimEnd().split("\n");
    const breaks = /^breaks: (?<what>.+)$/u.exec(lines[0] ?? "")?.groups?.["what"];
    assert(breaks !== undefined, `mutant "${name}" says what it breaks`);
    return { name, breaks, patches: parsePatches(name, lines.slice(1)) };
  });
}

function parsePatches(name: string, lines: readonly string[]): readonly Patch[] {
  const patches: { readonly file: string; readonly old: string[]; readonly fresh: string[] }[] = [];
  for (const line of lines) {
    const [mark, rest] = [line.slice(0, 2), line.slice(2)];
    const last = patches.at(-1);
    if (line.startsWith("file: ")) patches.push({ file: line.slice("file: ".length), old: [], fresh: [] });
    else if (mark === "- " && last !== undefined) last.old.push(rest);
    else if (mark === "+ " && last !== undefined) last.fresh.push(rest);
    else assert(false, `mutant "${name}" has a line that nobody understands: ${line}`);
  }
  assert(patches.length > 0, `mutant "${name}" changes something`);
  return patches.map(({ file, old, fresh }) => ({ file, find: old.join("\n"), replace: fresh.join("\n") }));
}

/** What keeps this patch from being applied under `root`; null if nothing does. */
export function faultOf(root: string, { file, find, replace }: Patch): string | null {
  const count = readFileSync(join(root, file), "utf8").split(find).length - 1;
  if (find === "" || find === replace) return `${file}: a patch that changes nothing`;
  return count === 1 ? null : `${file} has this ${count} times: ${find}`;
}

export function apply(root: string, { patches }: Mutant): void {
  for (const { file, find, replace } of patches) {
    const path = join(root, file);
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace(find, () => replace),
    );
  }
}
