/**
 * The first step of `npm run demo`, `npm test`, `npm run bench` and `npm run build` in a fresh clone.
 *
 * Runs on Node 20 and later with nothing installed: installs the locked packages when they are missing or older than
 * package-lock.json, then hands over to the task's script under the Node of the lock file, which reads TypeScript.
 *
 * Deliberately absent: work. Every task lives in its own file.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BIN = join(ROOT, "node_modules", ".bin");
const NODE = join(BIN, "node");
const LOCK = join(ROOT, "package-lock.json");
const STAMP = join(ROOT, "node_modules", ".tenure-stamp");
/** Written by npm at the end of every install: someone has run `npm install` by hand. */
const NPM_NOTE = join(ROOT, "node_modules", ".package-lock.json");

/** What each task runs, in order. `build --if-stale` says nothing unless it fails. */
const TASKS = {
  build: [["scripts/build.ts"]],
  test: [["scripts/test.ts"]],
  demo: [["scripts/build.ts", "--if-stale"], ["demo/main.ts"]],
  bench: [["scripts/build.ts", "--if-stale"], ["bench/main.ts"]],
  simulate: [["test/simulation/main.ts"]],
  chaos: [["test/process/chaos/main.ts"]],
  mutants: [["test/mutants/main.ts"]],
  fuzz: [["test/fuzz/main.ts"]],
  model: [["test/model/main.ts"]],
  tools: [["scripts/tools.ts"]],
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** `PATH` with the project's own tools first; or, to install them, without those that are about to be replaced. */
function searchPath(ownTools) {
  const others = (process.env.PATH ?? "").split(delimiter).filter((entry) => entry !== BIN);
  return (ownTools ? [BIN, ...others] : others).join(delimiter);
}

/** Runs a program in the project; resolves to its exit status, 128 + n after signal n. */
function run(program, args, ownTools) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: "inherit",
      env: { ...process.env, PATH: searchPath(ownTools) },
    });
    // A supervisor signals this process alone; a terminal signals the child as well, which must hear of it only once.
    const own = process.stdin.isTTY ? ["SIGINT", "SIGHUP"] : [];
    const forwards = SIGNALS.map((signal) => [signal, () => own.includes(signal) || child.kill(signal)]);
    for (const [signal, forward] of forwards) process.on(signal, forward);
    const done = () => {
      for (const [signal, forward] of forwards) process.off(signal, forward);
    };
    child.once("error", (error) => {
      done();
      reject(error);
    });
    child.once("exit", (status, signal) => {
      done();
      resolve(status ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function lockHash() {
  return createHash("sha256").update(readFileSync(LOCK)).digest("hex");
}

/** Whether the packages are those of the lock file: by the hash noted after an install, or by npm's own later note. */
function installed(hash) {
  if (!existsSync(NODE)) return false;
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === hash) return true;
  return existsSync(NPM_NOTE) && statSync(NPM_NOTE).mtimeMs >= statSync(LOCK).mtimeMs;
}

async function install(hash) {
  console.error("installing dependencies (npm ci) …");
  const options = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  // The npm that runs this script, under the Node that runs it: both stay while node_modules is replaced.
  const npm = process.env.npm_execpath;
  const node = process.env.npm_node_execpath ?? process.execPath;
  const status = npm === undefined ? await run("npm", options, false) : await run(node, [npm, ...options], false);
  if (status !== 0) return status;
  if (!existsSync(NODE)) {
    console.error("npm ci has installed no Node: are install scripts off? See `npm config get ignore-scripts`.");
    return 1;
  }
  writeFileSync(STAMP, hash);
  return 0;
}

async function main(task, args) {
  const steps = Object.hasOwn(TASKS, task ?? "") ? TASKS[task] : null;
  if (steps === null) {
    console.error(`usage: node scripts/bootstrap.mjs <${Object.keys(TASKS).join("|")}> [arguments]`);
    return 2;
  }
  const hash = lockHash();
  if (!installed(hash)) {
    const status = await install(hash);
    if (status !== 0) return status;
  }
  for (const [index, [script, ...fixed]] of steps.entries()) {
    const last = index === steps.length - 1;
    const status = await run(NODE, [join(ROOT, script), ...fixed, ...(last ? args : [])], true);
    if (status !== 0 || last) return status;
  }
  return 0;
}

process.exitCode = await main(process.argv[2], process.argv.slice(3));
