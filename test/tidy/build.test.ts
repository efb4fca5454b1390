/**
 * The bundle: complete in itself, with its version, readable when it fails.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundle, isStale } from "../../scripts/build.ts";

const ENTRY = `
import express from "express";
declare const TENURE_VERSION: string;
function explodeWithAName(): never {
  throw new Error("on purpose");
}
if (process.argv.includes("--explode")) explodeWithAName();
console.log(TENURE_VERSION, typeof express);
`;

describe("the bundle", () => {
  let directory = "";
  let out = "";
  const build = async (text: string): Promise<void> => {
    const entry = join(directory, "entry.ts");
    writeFileSync(entry, text);
    await bundle({ entry, outDirectory: out, version: "1.2.3" });
  };
  const start = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [join(out, "main.js"), ...args], { cwd: directory, encoding: "utf8" });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tenure-build-"));
    out = join(directory, "dist");
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("runs with no package beside it and knows its version", async () => {
    await build(ENTRY);
    expect(start()).toMatchObject({ status: 0, stdout: "1.2.3 function\n", stderr: "" });
    expect(readdirSync(out).toSorted()).toEqual(["LICENSES.txt", "main.js", "main.js.map", "package.json"]);
  });

  it("keeps names and lines in a stack trace, and names its sources with the map", async () => {
    await build(ENTRY);
    expect(start("--explode").stderr).toMatch(/at explodeWithAName \(.*main\.js:\d+:\d{1,3}\)/u);
    const mapped = spawnSync(process.execPath, ["--enable-source-maps", join(out, "main.js"), "--explode"], {
      encoding: "utf8",
    });
    expect(mapped.stderr).toMatch(/entry\.ts:5:\d+/u);
  });

  it("names the licence of every package that it holds", async () => {
    await build(ENTRY);
    const licenses = readFileSync(join(out, "LICENSES.txt"), "utf8");
    expect(licenses).toMatch(/^express \d+\.\d+\.\d+ \(MIT\)$/mu);
    expect(licenses).toContain("Permission is hereby granted");
    expect(licenses).not.toMatch(/^esbuild /mu);
  });

  it("puts the Kubernetes client into a file that only its import loads", async () => {
    await build('void import("@kubernetes/client-node").then((k) => console.log(typeof k.KubeConfig));');
    expect(existsSync(join(out, "kubernetes-client.js"))).toBe(true);
    expect(start()).toMatchObject({ status: 0, stdout: "function\n" });
    const eager = build('import { KubeConfig } from "@kubernetes/client-node";\nnew KubeConfig();');
    await expect(eager).rejects.toThrow(/dynamic import/u);
  });

  it("refuses what would fail at run time only", async () => {
    await expect(build("console.log(import.meta.url);")).rejects.toThrow(/import\.meta/u);
    await expect(build("await 1;")).rejects.toThrow(/[Tt]op-level await/u);
    await expect(build('import "not-a-package";')).rejects.toThrow(/not-a-package/u);
  });

  it("leaves the old bundle in place when it cannot make a new one", async () => {
    mkdirSync(out);
    writeFileSync(join(out, "main.js"), "console.log('old');\n");
    await expect(build("syntax error")).rejects.toThrow(/entry\.ts|Expected/u);
    expect(start().stdout).toBe("old\n");
  });

  it("is stale when it is missing, or older than a source, a directory of sources or a lock file", () => {
    const age = (path: string, seconds: number): void => utimesSync(join(directory, path), seconds, seconds);
    for (const name of ["src/a", "dist"]) mkdirSync(join(directory, name), { recursive: true });
    for (const name of ["src/a/b.ts", "package-lock.json"]) writeFileSync(join(directory, name), "");
    const inputs = ["src/a/b.ts", "src/a", "src", "package-lock.json"];
    for (const path of inputs) age(path, 100);
    expect(isStale(directory)).toBe(true);
    writeFileSync(join(directory, "dist", "main.js"), "");
    age("dist/main.js", 100);
    expect(isStale(directory)).toBe(false);
    for (const path of inputs) {
      age(path, 101);
      expect(isStale(directory), path).toBe(true);
      age(path, 99);
    }
  });
});
