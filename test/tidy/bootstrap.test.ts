/**
 * `npm test` in a fresh clone: installs what is missing, once, then runs the task on the project's own Node.
 */
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "./support/tree.ts";

/** Stands in for npm: notes its arguments, and installs a Node, as `npm ci` does. */
const NPM = `
const { appendFileSync, existsSync, mkdirSync, rmSync, symlinkSync } = require("node:fs");
appendFileSync("npm.log", process.argv.slice(2).join(" ") + "\\n");
if (existsSync("npm-fails")) process.exit(7);
rmSync("node_modules", { recursive: true, force: true });
mkdirSync("node_modules/.bin", { recursive: true });
symlinkSync(process.execPath, "node_modules/.bin/node");
`;

/** Stands in for scripts/test.ts. */
const TASK = `
const args: readonly string[] = process.argv.slice(2);
if (args.includes("wait")) {
  process.on("SIGTERM", () => process.exit(42));
  // Ends by itself when no signal arrives, so that a failing test leaves nothing behind.
  setTimeout(() => {}, 10_000);
} else process.exitCode = args.includes("fail") ? 3 : 0;
console.log(JSON.stringify({ args, path: process.env["PATH"]?.split(":")[0], runtime: process.argv0 }));
`;

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("bootstrap", () => {
  let project = "";
  const write = (name: string, text: string): void => writeFileSync(join(project, name), text);
  const options = (): { cwd: string; env: NodeJS.ProcessEnv; encoding: "utf8" } => ({
    cwd: tmpdir(),
    env: { ...process.env, npm_execpath: join(project, "npm.cjs"), npm_node_execpath: process.execPath },
    encoding: "utf8",
  });
  const run = (...args: readonly string[]): Ran =>
    spawnSync(process.execPath, [join(project, "scripts", "bootstrap.mjs"), ...args], options());
  const installs = (): number =>
    existsSync(join(project, "npm.log")) ? readFileSync(join(project, "npm.log"), "utf8").trim().split("\n").length : 0;

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "tenure-bootstrap-"));
    mkdirSync(join(project, "scripts"));
    mkdirSync(join(project, "demo"));
    copyFileSync(join(ROOT, "scripts", "bootstrap.mjs"), join(project, "scripts", "bootstrap.mjs"));
    write("package.json", '{ "type": "module" }');
    write("package-lock.json", "{}");
    write("npm.cjs", NPM);
    write("scripts/test.ts", TASK);
    write("scripts/build.ts", 'console.log("build", ...process.argv.slice(2));');
    write("demo/main.ts", 'console.log("demo", ...process.argv.slice(2));');
  });

  afterEach(() => {
    rmSync(project, { recursive: true });
  });

  it("installs once, says so, and runs the task with its arguments on the installed Node", () => {
    const first = run("test", "unit", "--bail=1");
    expect(first.stderr).toContain("installing dependencies (npm ci) …");
    expect(first.status).toBe(0);
    const bin = join(project, "node_modules", ".bin");
    expect(JSON.parse(first.stdout)).toEqual({ args: ["unit", "--bail=1"], path: bin, runtime: join(bin, "node") });
    expect(readFileSync(join(project, "npm.log"), "utf8")).toBe("ci --no-audit --no-fund --loglevel=error\n");
    expect(run("test")).toMatchObject({ status: 0, stderr: "" });
    expect(installs()).toBe(1);
  });

  it("installs again when the lock file changes or the Node is gone", () => {
    run("test");
    write("package-lock.json", '{ "lockfileVersion": 3 }');
    run("test");
    expect(installs()).toBe(2);
    rmSync(join(project, "node_modules", ".bin", "node"));
    expect(run("test").status).toBe(0);
    expect(installs()).toBe(3);
  });

  it("takes an install by hand that is newer than the lock file", () => {
    run("test");
    rmSync(join(project, "node_modules", ".tenure-stamp"));
    write("node_modules/.package-lock.json", "{}");
    run("test");
    expect(installs()).toBe(1);
  });

  it("hands on the status of the task and of a failed install", () => {
    write("npm-fails", "");
    expect(run("test")).toMatchObject({ status: 7, stdout: "" });
    rmSync(join(project, "npm-fails"));
    expect(run("test", "fail").status).toBe(3);
  });

  it("builds what is stale before the demo, and only the demo gets the arguments", () => {
    expect(run("demo", "--fast").stdout).toBe("build --if-stale\ndemo --fast\n");
    write("scripts/build.ts", "process.exitCode = 5;");
    expect(run("demo")).toMatchObject({ status: 5, stdout: "" });
  });

  it("knows its tasks", () => {
    expect(run("toString")).toMatchObject({ status: 2, stdout: "" });
    expect(run().stderr).toContain("usage: node scripts/bootstrap.mjs <build|test|demo|bench|");
  });

  it("passes SIGTERM on and ends with the task's own status", async () => {
    run("test");
    const { cwd, env } = options();
    const args = [join(project, "scripts", "bootstrap.mjs"), "test", "wait"];
    const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
    const exited = new Promise((resolve) => void child.once("exit", resolve));
    await new Promise((resolve) => void child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    expect(await exited).toBe(42);
  });

  it("keeps the project's own tools off the path while they are replaced", () => {
    write("npm.cjs", `${NPM}\nappendFileSync("npm.log", process.env.PATH);`);
    const { cwd, env } = options();
    const bin = join(project, "node_modules", ".bin");
    spawnSync(process.execPath, [join(project, "scripts", "bootstrap.mjs"), "test"], {
      cwd,
      env: { ...env, PATH: `${bin}${delimiter}${env["PATH"] ?? ""}` },
    });
    expect(readFileSync(join(project, "npm.log"), "utf8")).not.toContain(bin);
  });
});
