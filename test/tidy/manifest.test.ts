/**
 * package.json and its lock file: few packages, each asked for on purpose, and the same tree on every machine.
 */
import { describe, expect, it } from "vitest";
import type { Finding, Tree } from "./support/tree.ts";
import { readTree, treeOf } from "./support/tree.ts";

/** What runs in production. One more is a decision, recorded in docs/adr. */
const RUNTIME = ["@kubernetes/client-node", "express", "pino", "prom-client", "valibot"];

type Json = Readonly<Record<string, unknown>>;

function objectAt(value: unknown, ...keys: readonly string[]): Json {
  let inner = value;
  for (const key of keys) inner = typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : null;
  // Read with names only; each value is checked where it is used.
  return typeof inner === "object" && inner !== null ? (inner as Json) : {};
}

const parse = (tree: Tree, path: string): Json => objectAt(JSON.parse(tree.get(path) ?? "{}"));

export function faultsOfManifest(tree: Tree): readonly Finding[] {
  const findings: Finding[] = [];
  const manifest = parse(tree, "package.json");
  const lock = parse(tree, "package-lock.json");
  const runtime = Object.keys(objectAt(manifest, "dependencies"));
  for (const name of runtime) if (!RUNTIME.includes(name)) findings.push(`package.json:1: ${name} runs in production`);
  for (const name of RUNTIME) if (!runtime.includes(name)) findings.push(`package.json:1: ${name} is missing`);
  for (const kind of ["optionalDependencies", "peerDependencies", "bundleDependencies", "overrides"]) {
    if (kind in manifest) findings.push(`package.json:1: ${kind} are not used here`);
  }
  const root = objectAt(lock, "packages", "");
  for (const kind of ["dependencies", "devDependencies"]) {
    if (JSON.stringify(objectAt(root, kind)) !== JSON.stringify(objectAt(manifest, kind))) {
      findings.push(`package-lock.json:1: its ${kind} are not those of package.json`);
    }
  }
  const locked = objectAt(lock, "packages");
  for (const [path, entry] of Object.entries(locked)) {
    const { resolved, integrity, inBundle, optional, os } = objectAt(entry);
    if (resolved !== undefined) findings.push(`package-lock.json:1: ${path} is bound to ${JSON.stringify(resolved)}`);
    // The build of a tool for another platform may be missing where the lock file was made.
    const otherPlatform = optional === true && os !== undefined;
    if (path !== "" && integrity === undefined && inBundle !== true && !otherPlatform) {
      findings.push(`package-lock.json:1: ${path} has no integrity`);
    }
    // npm leaves out what its registry does not have, and `npm ci` then refuses the whole file.
    for (const name of Object.keys(objectAt(entry, "optionalDependencies"))) {
      if (locked[`${path}/node_modules/${name}`] === undefined && locked[`node_modules/${name}`] === undefined) {
        findings.push(`package-lock.json:1: ${name} of ${path} is not locked, so \`npm ci\` fails`);
      }
    }
  }
  return findings;
}

describe("package.json and its lock file", () => {
  it("are in order", () => {
    expect(faultsOfManifest(readTree())).toEqual([]);
  });

  it("are seen when they are not", () => {
    const dependencies = Object.fromEntries(RUNTIME.slice(1).map((name) => [name, "^1.0.0"]));
    const example = treeOf({
      "package.json": JSON.stringify({ dependencies: { ...dependencies, lodash: "^4.0.0" }, overrides: {} }),
      "package-lock.json": JSON.stringify({
        packages: {
          "": { dependencies },
          "node_modules/a": { resolved: "https://example.org/a.tgz", integrity: "sha512-a" },
          "node_modules/b": {},
          "node_modules/c": { integrity: "sha512-c", optionalDependencies: { d: "1.0.0", e: "1.0.0" } },
          "node_modules/d": { optional: true, os: ["darwin"] },
        },
      }),
    });
    expect(faultsOfManifest(example)).toEqual([
      "package.json:1: lodash runs in production",
      "package.json:1: @kubernetes/client-node is missing",
      "package.json:1: overrides are not used here",
      "package-lock.json:1: its dependencies are not those of package.json",
      'package-lock.json:1: node_modules/a is bound to "https://example.org/a.tgz"',
      "package-lock.json:1: node_modules/b has no integrity",
      "package-lock.json:1: e of node_modules/c is not locked, so `npm ci` fails",
    ]);
  });
});
