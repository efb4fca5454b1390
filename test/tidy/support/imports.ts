/**
 * What a file imports, and who can be reached from where.
 *
 * Invariant: imports of types count like all others; a floor that is crossed by a type is crossed.
 *
 * Deliberately absent: resolution of packages. Relative specifiers name a file with its extension, so joining paths is
 * enough.
 */
import { posix } from "node:path";
import { mask } from "./mask.ts";
import type { Tree } from "./tree.ts";

export interface Import {
  /** As written; null where it is computed at run time. */
  readonly specifier: string | null;
  readonly offset: number;
}

/** Static imports and exports, imports for effect, dynamic imports and types, `require`. */
const IMPORT = new RegExp(
  [
    String.raw`\b(?:import|export)\b[^;"'\x60()]*?\bfrom\s*(?=["'])`,
    String.raw`\bimport\s*(?=["'])`,
    String.raw`(?<![.\w$])(?:import|require)\s*\(\s*`,
  ].join("|"),
  "gu",
);

export function importsOf(text: string): readonly Import[] {
  const code = mask(text);
  return [...code.matchAll(IMPORT)].map((match) => {
    const start = match.index + match[0].length;
    const quote = code.charAt(start);
    if (quote !== '"' && quote !== "'") return { specifier: null, offset: match.index };
    return { specifier: text.slice(start + 1, code.indexOf(quote, start + 1)), offset: match.index };
  });
}

/** The path in the tree that a relative specifier names. */
export function resolveFrom(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

/** Every file of the tree that `entry` imports, directly or not, and `entry` itself. */
export function reachableFrom(tree: Tree, entry: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const text = tree.get(path);
    if (text === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(text)) {
      if (specifier?.startsWith(".") === true) open.push(resolveFrom(path, specifier));
    }
  }
  return reached;
}
