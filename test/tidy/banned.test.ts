/**
 * What must not be in a public repository: paths of one machine, hosts of package registries, secrets.
 */
import { describe, expect, it } from "vitest";
import type { Finding, Tree } from "./support/tree.ts";
import { at, filesOf, readTree, treeOf } from "./support/tree.ts";

const word = (...parts: readonly string[]): string => parts.join("");

const BANNED: readonly { readonly says: string; readonly pattern: RegExp }[] = [
  { says: "a path of one machine", pattern: /(?<![\w.*@})\]-])\/(?:work|root|workspace|Users|builds)\/[\w.]/gu },
  { says: "a home directory", pattern: /(?<![\w.])\/home\/(?!node\b|nonroot\b)\w/gu },
  {
    says: "a package registry",
    pattern: /\bregistry\.(?:npmjs|yarnpkg)\b|\b(?:npm|pypi|goproxy)\.\w+\.\w+\//gu,
  },
  { says: "a locked download address", pattern: /"resolved":/gu },
  { says: "a registry setting", pattern: /npm_config_registry|^\s*(?:@\S+:)?registry\s*=/gmu },
  { says: "an access token", pattern: /_authToken|\bgh[pousr]_\w{30}|\bnpm_\w{36}\b|\bAKIA[A-Z0-9]{16}\b/gu },
  { says: "a conflict marker", pattern: /^(?:<{7}|>{7}) /gmu },
];

/** The check itself names what it looks for. */
const OWN = /^test\/tidy\/banned\.test\.ts$/u;

export function faultsOfWords(tree: Tree): readonly Finding[] {
  return filesOf(tree, /./u)
    .filter(([path]) => !OWN.test(path))
    .flatMap(([path, text]) =>
      BANNED.flatMap(({ says, pattern }) =>
        [...text.matchAll(pattern)].map(({ index, 0: match }) => `${at(path, text, index)}: ${says}: ${match}`),
      ),
    );
}

describe("banned words", () => {
  it("are nowhere", () => {
    expect(faultsOfWords(readTree())).toEqual([]);
  });

  it.each([
    ["a path of one machine", word("see /wo", "rk/main/src")],
    ["a path of one machine", word('"/ro', 'ot/.config"')],
    ["a path of one machine", word("file:///Us", "ers/me/a.ts")],
    ["a home directory", word("cd /ho", "me/me/project")],
    ["a package registry", word("https://registry.", "npmjs.org/x")],
    ["a locked download address", word('"resol', 'ved": "https://example.org/a.tgz"')],
    ["a registry setting", word("regis", "try=https://example.org/")],
    ["an access token", word("//example.org/:_auth", "Token=1")],
    ["a conflict marker", `${"<".repeat(7)} HEAD`],
  ])("are seen: %s", (says, text) => {
    expect(faultsOfWords(treeOf({ "docs/a.md": text }))[0]).toContain(says);
  });

  it.each(["network/workers", "src/root/a.ts", word("${dir}/wo", "rk/a"), "/var/lib/tenure", "/home/node/app"])(
    "are not seen in: %s",
    (text) => {
      expect(faultsOfWords(treeOf({ "docs/a.md": text }))).toEqual([]);
    },
  );
});
