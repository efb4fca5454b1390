/**
 * The text files of the project as a value, so that each check of test/tidy is a function that can be tried on a small
 * bad example.
 *
 * Invariant: paths are relative to the project, with `/`; what .gitignore names is not in the tree.
 *
 * Deliberately absent: git. A check must also run in an unpacked archive.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Path → text. */
export type Tree = ReadonlyMap<string, string>;

/** One fault, as `path:line: what is wrong`. */
export type Finding = string;

export const ROOT = dirname(dirname(dirname(import.meta.dirname)));

/** Handles the two forms of pattern that the project's .gitignore uses: `name/` and `*.end`. */
function ignoredBy(patterns: readonly string[]): (name: string) => boolean {
  return (name) =>
    patterns.some((pattern) => (pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : pattern === `${name}/`));
}

function walk(directory: string, prefix: string, ignored: (name: string) => boolean, into: Map<string, string>): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === ".git" || ignored(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) walk(path, `${prefix}${entry.name}/`, ignored, into);
    else if (entry.isFile()) into.set(prefix + entry.name, readFileSync(path, "utf8"));
  }
}

/** Reads the whole project. Bytes that are not UTF-8 are read as replacement characters. */
export function readTree(root: string = ROOT): Tree {
  const patterns = readFileSync(join(root, ".gitignore"), "utf8")
    .split("\n")
    .filter((line) => /^[^#\s]/u.test(line));
  const tree = new Map<string, string>();
  walk(root, "", ignoredBy(patterns), tree);
  return tree;
}

/** A tree for an example. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  return new Map(Object.entries(files));
}

/** The files whose path matches. */
export function filesOf(tree: Tree, pattern: RegExp): readonly (readonly [path: string, text: string])[] {
  return [...tree].filter(([path]) => pattern.test(path)).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** `path:line` of an offset into a text. */
export function at(path: string, text: string, offset: number): string {
  return `${path}:${text.slice(0, offset).split("\n").length}`;
}

/** All TypeScript and JavaScript written by hand. */
export const CODE = /^(?:[^/]+|(?:src|test|scripts|bench|demo)\/.*)\.(?:ts|mjs)$/u;
