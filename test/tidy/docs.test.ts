/**
 * The documentation is in step with the code: links lead somewhere, commands are named, generated pages are fresh.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import type { Finding, Tree } from "./support/tree.ts";
import { at, filesOf, readTree, ROOT, treeOf } from "./support/tree.ts";

const PAGE = /\.md$/u;
const GENERATOR = /^scripts\/docs[^/]*\.ts$/u;
/** `[text](target)`, `![text](target "title")` and `[name]: target`. */
const LINK = /\]\((?<inline>[^)\s]+)(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(?<reference>\S+)/gmu;

/** Code blocks and spans hold examples, no links; the length stays. */
function withoutCode(text: string): string {
  return text.replaceAll(/^(?<fence>```+|~~~+)[^]*?^\k<fence>|(?<ticks>`+)[^`\n]+\k<ticks>/gmu, (code) =>
    code.replaceAll(/[^\n]/gu, " "),
  );
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const { groups } of text.replaceAll(/^```[^]*?^```/gmu, "").matchAll(/^#{1,6}\s+(?<title>.+?)\s*#*$/gmu)) {
    const plain = (groups?.["title"] ?? "").toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "");
    const anchor = plain.replaceAll(/\s/gu, "-");
    let name = anchor;
    for (let count = 1; anchors.has(name); count += 1) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  for (const { groups } of text.matchAll(/<a (?:id|name)="(?<name>[^"]+)"/gu)) anchors.add(groups?.["name"] ?? "");
  return anchors;
}

function faultOfLink(tree: Tree, page: string, link: string): string | null {
  if (/^[a-z][a-z0-9+.-]*:/iu.test(link)) return null;
  const [target = "", anchor = ""] = decodeURIComponent(link).split("#", 2);
  const path = target === "" ? page : posix.join(target.startsWith("/") ? "." : posix.dirname(page), target);
  const directory = path === "." ? "" : `${path.replace(/\/$/u, "")}/`;
  if (!tree.has(path) && ![...tree.keys()].some((name) => name.startsWith(directory))) return "leads nowhere";
  const text = PAGE.test(path) ? tree.get(path) : undefined;
  return anchor === "" || text === undefined || anchorsOf(text).has(anchor) ? null : "names no heading of that page";
}

export function faultsOfLinks(tree: Tree): readonly Finding[] {
  return filesOf(tree, PAGE).flatMap(([page, text]) =>
    [...withoutCode(text).matchAll(LINK)].flatMap(({ index, groups }) => {
      const link = groups?.["inline"] ?? groups?.["reference"] ?? "";
      const fault = faultOfLink(tree, page, link);
      return fault === null ? [] : [`${at(page, text, index)}: ${link} ${fault}`];
    }),
  );
}

/** Files of the project that a page names in a code span; what once was may be named in a history. */
export function faultsOfNames(tree: Tree): readonly Finding[] {
  const paths = [...tree.keys()];
  return filesOf(tree, /^(?!CHANGELOG\.md$|docs\/adr\/).*\.md$/u).flatMap(([page, text]) =>
    [...text.matchAll(/`(?<path>(?:src|test|scripts|docs|bench|demo|charts|manifests)\/[\w./-]*\w)\/?`/gu)]
      .map(({ index, groups }) => ({ index, path: groups?.["path"] ?? "" }))
      .filter(({ path }) => !tree.has(path) && !paths.some((name) => name.startsWith(`${path}/`)))
      .map(({ index, path }) => `${at(page, text, index)}: there is no ${path}`),
  );
}

/** What a visitor must find on the first page, once there is a program. */
export function faultsOfReadme(tree: Tree): readonly Finding[] {
  if (!tree.has("src/main.ts")) return [];
  const readme = tree.get("README.md") ?? "";
  return ["npm run demo", "npm test"]
    .filter((command) => !readme.includes(command))
    .map((command) => `README.md:1: does not name \`${command}\``);
}

/** Runs a generator on a copy of the project and returns the pages that differ from those of the project. */
function stalePages(generator: string): readonly Finding[] {
  const copy = mkdtempSync(join(tmpdir(), "tenure-docs-"));
  try {
    for (const name of ["src", "scripts", "docs", "package.json", "tsconfig.json", ".gitignore"]) {
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const { status, stderr } = spawnSync(process.execPath, [join(copy, generator), "--write"], { encoding: "utf8" });
    if (status !== 0) return [`${generator}:1: ${stderr}`];
    const before = readTree();
    return filesOf(readTree(copy), /^docs\//u)
      .filter(([path, text]) => before.get(path) !== text)
      .map(([path]) => `${path}:1: is stale; run \`node ${generator} --write\``);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

describe("documentation", () => {
  const tree = readTree();

  it("has no dead links", () => {
    expect(faultsOfLinks(tree)).toEqual([]);
  });

  it("sees dead links", () => {
    const example = treeOf({
      "README.md": [
        "[a](docs/a.md) [b](docs/b.md) ![c](c.png) [d](#there) [e](#not-there)",
        "[f](docs/a.md#no-such) [g](docs/) [h](https://example.org/x) `[i](i.md)`",
        "```\n[j](j.md)\n```",
        "## There",
        "[k]: k.md",
      ].join("\n"),
      "docs/a.md": "# One: `two` & three\n[l](../README.md) [m](a.md#one-two--three) [n](n.md)",
    });
    expect(faultsOfLinks(example)).toEqual([
      "README.md:1: docs/b.md leads nowhere",
      "README.md:1: c.png leads nowhere",
      "README.md:1: #not-there names no heading of that page",
      "README.md:2: docs/a.md#no-such names no heading of that page",
      "README.md:7: k.md leads nowhere",
      "docs/a.md:2: n.md leads nowhere",
    ]);
  });

  it("names files that are there", () => {
    expect(faultsOfNames(tree)).toEqual([]);
  });

  it("sees names of files that are not there", () => {
    const text = "`src/a.ts` `src/b.ts` `src/c/` `src/` and `src/d`";
    const example = treeOf({ "docs/a.md": text, "CHANGELOG.md": text, "src/a.ts": "", "src/c/e.ts": "" });
    expect(faultsOfNames(example)).toEqual(["docs/a.md:1: there is no src/b.ts", "docs/a.md:1: there is no src/d"]);
  });

  it("names the two commands on its first page", () => {
    expect(faultsOfReadme(tree)).toEqual([]);
  });

  it("sees a first page without them", () => {
    expect(faultsOfReadme(treeOf({ "src/main.ts": "", "README.md": "`npm test`" }))).toEqual([
      "README.md:1: does not name `npm run demo`",
    ]);
  });

  it.each(filesOf(tree, GENERATOR).map(([path]) => [path]))("is as %s writes it", (generator) => {
    expect(stalePages(generator)).toEqual([]);
  });

  it("is generated by somebody where it says so", () => {
    const generated = filesOf(tree, /^docs\/.*\.md$/u).filter(([, text]) => /generated by/iu.test(text));
    const generators = filesOf(tree, GENERATOR).map(([path]) => path);
    expect(generated.filter(([, text]) => !generators.some((path) => text.includes(path)))).toEqual([]);
  });
});
