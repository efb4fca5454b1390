/**
 * What pages and examples call by name exists: settings, metrics, error codes.
 */
import { describe, expect, it } from "vitest";
import type { Finding, Tree } from "./support/tree.ts";
import { at, filesOf, readTree, treeOf } from "./support/tree.ts";

const PAGES = /\.md$|^examples\//u;
/** The address of the lock API, which the examples read from a variable of their own. */
const OWN_VARIABLES = new Set(["TENURE_URL"]);
/** What Prometheus appends to the name of a histogram. */
const SERIES = /_(?:bucket|sum|count)$/u;

/** The names in the tables of a generated page: code spans that begin a row. */
function namesOfTable(tree: Tree, page: string): ReadonlySet<string> {
  const rows = (tree.get(page) ?? "").matchAll(/^\| `(?<name>\w+)`/gmu);
  return new Set([...rows].map(({ groups }) => groups?.["name"] ?? ""));
}

export function unknownNames(tree: Tree): readonly Finding[] {
  const settings = namesOfTable(tree, "docs/reference/configuration.md");
  const metrics = namesOfTable(tree, "docs/reference/metrics.md");
  const codes = namesOfTable(tree, "docs/reference/errors.md");
  const isKnown = (name: string): boolean => {
    if (name.startsWith("TENURE_")) return settings.has(name) || OWN_VARIABLES.has(name);
    if (name.startsWith("tenure_")) return metrics.has(name) || metrics.has(name.replace(SERIES, ""));
    return codes.has(name);
  };
  // "not_…" and "body_…" could be anything.
  const families = new Set([...codes].map((code) => code.split("_", 1)[0] ?? ""));
  const prefixes = [...families].filter((family) => family !== "not" && family !== "body").join("|");
  const name = new RegExp(String.raw`\b(?:TENURE|tenure)_\w+|(?<=\x60)(?:${prefixes})_[a-z_]+(?=\x60)`, "gu");
  return filesOf(tree, PAGES)
    .filter(([path]) => !path.startsWith("docs/reference/configuration"))
    .flatMap(([path, text]) =>
      [...text.matchAll(name)]
        .filter(([found]) => !isKnown(found))
        .map(({ index, 0: found }) => `${at(path, text, index)}: nothing is called ${found}`),
    );
}

describe("names on pages", () => {
  it("are names of something", () => {
    expect(unknownNames(readTree())).toEqual([]);
  });

  it("are seen when they are not", () => {
    const example = treeOf({
      "docs/reference/configuration.md": "| `TENURE_NAME` | x |\n| `TENURE_ODD[_…]` |",
      "docs/reference/metrics.md": "| `tenure_term` | x |\n| `tenure_a_seconds` | x |",
      "docs/reference/errors.md": "| `peer_group` | x |",
      "docs/a.md": "TENURE_NAME TENURE_NAMES tenure_term tenure_terms tenure_a_seconds_bucket",
      "docs/b.md": "`peer_group` `peer_groups`",
      "examples/b.sh": "$TENURE_URL $TENURE_URI",
      "src/c.ts": "TENURE_ANYTHING",
    });
    expect(unknownNames(example)).toEqual([
      "docs/a.md:1: nothing is called TENURE_NAMES",
      "docs/a.md:1: nothing is called tenure_terms",
      "docs/b.md:1: nothing is called peer_groups",
      "examples/b.sh:1: nothing is called TENURE_URI",
    ]);
  });
});
