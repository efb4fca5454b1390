/**
 * The floors of the house: ARCHITECTURE.md, "One direction".
 */
import { builtinModules } from "node:module";
import { describe, expect, it } from "vitest";
import { importsOf, resolveFrom } from "./support/imports.ts";
import type { Finding, Tree } from "./support/tree.ts";
import { at, CODE, filesOf, readTree, treeOf } from "./support/tree.ts";

/** From the ground up; rooms of one floor do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["src/base"],
  ["src/lease"],
  ["src/raft"],
  ["src/ports"],
  ["src/node", "src/storage", "src/transport", "src/discovery", "src/clock", "src/kubernetes", "src/api", "src/ops"],
  ["src/config"],
  ["src/cli"],
  ["src/main.ts"],
];
/** From here on, Node and packages may be used. */
const OUTSIDE_WORLD = FLOORS.findIndex((rooms) => rooms.includes("src/node"));

/** Where each package may be imported: one room, or every room that may use packages. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ["express", "src/api"],
  ["pino", "src/ops"],
  ["prom-client", "src/ops"],
  ["@kubernetes/client-node", "src/kubernetes"],
  ["valibot", "src"],
]);

const roomOf = (path: string): string => path.split("/", 2).join("/");
const floorOf = (path: string): number => FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)));
const isBuiltin = (specifier: string): boolean => specifier.startsWith("node:") || builtinModules.includes(specifier);
const packageOf = (specifier: string): string => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

/** What is wrong with `specifier` in a file of src, or null. */
function faultInSource(path: string, specifier: string): string | null {
  const floor = floorOf(path);
  if (specifier.startsWith(".")) {
    const target = resolveFrom(path, specifier);
    if (roomOf(target) === roomOf(path)) return null;
    if (floorOf(target) < 0) return `imports ${target}, which is not part of src's floors`;
    if (floorOf(target) > floor) return `imports ${target}, which is on a higher floor`;
    return floorOf(target) === floor ? `imports ${target}, a neighbour on the same floor` : null;
  }
  if (floor < OUTSIDE_WORLD) return `imports ${specifier}, but this floor knows neither Node nor packages`;
  if (isBuiltin(specifier)) return specifier.startsWith("node:") ? null : `imports ${specifier} without \`node:\``;
  const room = PACKAGES.get(packageOf(specifier));
  if (room === undefined) return `imports ${specifier}, which is not among the packages of src`;
  return room === "src" || room === roomOf(path) ? null : `imports ${specifier}, which belongs to ${room} alone`;
}

export function faultsOfImports(tree: Tree): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [path, text] of filesOf(tree, CODE)) {
    const inSource = path.startsWith("src/");
    if (inSource && floorOf(path) < 0) findings.push(`${path}:1: ${roomOf(path)} has no floor`);
    for (const { specifier, offset } of importsOf(text)) {
      const where = at(path, text, offset);
      if (specifier === null) {
        if (inSource) findings.push(`${where}: imports a computed name`);
        continue;
      }
      if (specifier.startsWith(".") && !tree.has(resolveFrom(path, specifier))) {
        findings.push(`${where}: imports ${specifier}, which is no file`);
        continue;
      }
      const fault = inSource ? faultInSource(path, specifier) : null;
      if (fault !== null) findings.push(`${where}: ${fault}`);
    }
  }
  return findings;
}

describe("imports", () => {
  it("go down only, and packages stay in their rooms", () => {
    expect(faultsOfImports(readTree())).toEqual([]);
  });

  it.each([
    ["up", "src/raft/a.ts", 'import type { B } from "../ports/b.ts";', "higher floor"],
    ["sideways", "src/storage/a.ts", 'import { b } from "../transport/b.ts";', "same floor"],
    ["sideways into the node", "src/api/a.ts", 'import { b } from "../node/b.ts";', "same floor"],
    ["into the tests", "src/ops/a.ts", 'import { b } from "../../test/b.ts";', "not part of src's floors"],
    ["a file that is not there", "src/node/a.ts", 'import { b } from "./b";', "is no file"],
    ["Node from the core", "src/lease/a.ts", 'import { b } from "node:fs";', "neither Node nor packages"],
    ["a package from a port", "src/ports/a.ts", 'import type { B } from "pino";', "neither Node nor packages"],
    ["a package in another room", "src/node/a.ts", 'import express from "express";', "belongs to src/api alone"],
    ["a part of a package", "src/main.ts", 'import a from "pino/file";', "belongs to src/ops alone"],
    ["a lazy package elsewhere", "src/config/a.ts", 'await import("@kubernetes/client-node");', "src/kubernetes alone"],
    ["an unknown package", "src/api/a.ts", 'import { b } from "lodash";', "not among the packages"],
    ["Node without its prefix", "src/api/a.ts", 'import { b } from "fs";', "without `node:`"],
    ["a computed name", "src/api/a.ts", "await import(name);", "a computed name"],
    ["from a room without a floor", "src/util/a.ts", "", "has no floor"],
  ])("are refused: %s", (_, path, text, expected) => {
    const others = { "src/ports/b.ts": "", "src/transport/b.ts": "", "src/node/b.ts": "", "test/b.ts": "" };
    expect(faultsOfImports(treeOf({ ...others, [path]: text }))).toEqual([expect.stringContaining(expected)]);
  });

  it("are allowed: down, within a room, and packages where they belong", () => {
    const tree = treeOf({
      "src/base/a.ts": "",
      "src/raft/b.ts": 'import { a } from "../base/a.ts";',
      "src/raft/c.ts": 'import { b } from "./b.ts";',
      "src/api/d.ts": 'import express from "express"; import * as v from "valibot"; import http from "node:http";',
      "src/main.ts": 'import { d } from "./api/d.ts";',
      "scripts/e.ts": 'import { build } from "esbuild"; import "../src/main.ts";',
    });
    expect(faultsOfImports(tree)).toEqual([]);
  });
});
