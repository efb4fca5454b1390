/**
 * `npm test`: types, lint, format, build, then every test. `npm test -- <part of a path> …`: build, then those tests.
 *
 * Invariant: the last line of the output is `N passed, N failed` or `N passed, N failed, N skipped` and nothing else,
 * and the exit status is 0 only when nothing failed and at least one test ran. Types, lint and build count as one each.
 * A step that fails does not stop the next one, so that one run shows everything.
 *
 * Deliberately absent: retries, and any way to let a failure pass.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SkippedTest, TestSummary } from "./vitest-reporter.ts";

const ROOT = dirname(import.meta.dirname);
const BIN = join(ROOT, "node_modules", ".bin");

interface Step {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

export interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

const TYPES: Step = { name: "types", program: join(BIN, "tsc"), args: ["--noEmit"] };
const LINT: Step = { name: "lint", program: join(BIN, "oxlint"), args: ["--type-aware", "--deny-warnings", "."] };
const SOURCES = "{src,test,bench,demo,scripts,examples}/**/*.{ts,mjs}";
const FORMAT: Step = { name: "format", program: join(BIN, "prettier"), args: ["--check", "--log-level=warn", SOURCES] };
const BUILD: Step = { name: "build", program: process.execPath, args: [join(ROOT, "scripts", "build.ts")] };
const STALE_BUILD: Step = { ...BUILD, args: [...BUILD.args, "--if-stale"] };

/** Resolves to whether the program ended with status 0. What it says goes to the terminal. */
function succeeds(program: string, args: readonly string[], extraEnv: Record<string, string> = {}): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...extraEnv },
    });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.once("SIGTERM", forward);
    child.once("error", (error) => {
      console.log(error.message);
      resolve(false);
    });
    child.once("exit", (status) => {
      process.off("SIGTERM", forward);
      resolve(status === 0);
    });
  });
}

async function runStep({ name, program, args }: Step): Promise<Outcome> {
  console.log(`\n== ${name}`);
  const startedMs = performance.now();
  const passed = await succeeds(program, args);
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`== ${name}: ${passed ? "passed" : "FAILED"} after ${seconds.toFixed(1)} s`);
  return { name, passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0, seconds };
}

function readSummary(path: string): TestSummary | null {
  try {
    // Written a moment ago by vitest-reporter.ts.
    return JSON.parse(readFileSync(path, "utf8")) as TestSummary;
  } catch {
    return null;
  }
}

/** A test without a note may say why in its title: "keeps the lease (needs nft)". */
export function reasonOf({ name, reason }: SkippedTest): string {
  return reason ?? /\((needs [^)]*)\)/u.exec(name)?.[1] ?? "no reason given";
}

interface Judgement {
  readonly outcome: Outcome;
  readonly skipped: readonly SkippedTest[];
}

/** What a run of vitest comes to. `summary` is null when it ended without one; `byName`: a name pattern was given. */
export function judge(
  summary: TestSummary | null,
  { succeeded, byName, seconds }: { readonly succeeded: boolean; readonly byName: boolean; readonly seconds: number },
): Judgement {
  if (summary === null) {
    return { outcome: { name: "tests", passed: 0, failed: 1, skipped: 0, seconds }, skipped: [] };
  }
  // Tests that a name pattern leaves out count as skipped in vitest; they were not asked for.
  const skipped = summary.skipped.filter(({ reason }) => !byName || reason !== null);
  const nothingRan = summary.passed + summary.failed + skipped.length === 0;
  // Vitest may fail with no failed test, for one because a file pattern matches nothing: still a failure.
  const failed = summary.failed === 0 && (!succeeded || nothingRan) ? 1 : summary.failed;
  return { outcome: { name: "tests", passed: summary.passed, failed, skipped: skipped.length, seconds }, skipped };
}

async function runTests(filters: readonly string[]): Promise<Judgement> {
  const directory = mkdtempSync(join(tmpdir(), "tenure-test-"));
  const summaryFile = join(directory, "summary.json");
  console.log("\n== tests");
  const startedMs = performance.now();
  const reporters = ["--reporter=default", `--reporter=${join(ROOT, "scripts", "vitest-reporter.ts")}`];
  const args = [join(ROOT, "node_modules", "vitest", "vitest.mjs"), "run", ...reporters, ...filters];
  const succeeded = await succeeds(process.execPath, args, { TEST_SUMMARY_FILE: summaryFile });
  const seconds = (performance.now() - startedMs) / 1000;
  const summary = readSummary(summaryFile);
  rmSync(directory, { recursive: true });
  const byName = filters.some((argument) => /^(?:-t|--testNamePattern)/u.test(argument));
  return judge(summary, { succeeded, byName, seconds });
}

function printTable(outcomes: readonly Outcome[]): void {
  const row = (name: string, ...cells: readonly (string | number)[]): string =>
    name.padEnd(8) + cells.map((cell) => String(cell).padStart(10)).join("");
  console.log(`\n${row("step", "passed", "failed", "skipped", "seconds")}`);
  for (const { name, passed, failed, skipped, seconds } of outcomes) {
    console.log(row(name, passed, failed, skipped, seconds.toFixed(1)));
  }
}

const total = (outcomes: readonly Outcome[], key: "passed" | "failed" | "skipped"): number =>
  outcomes.reduce((sum, outcome) => sum + outcome[key], 0);

/** The closing line, which other programs read. */
export function closingLine(outcomes: readonly Outcome[]): string {
  const skipped = total(outcomes, "skipped");
  const tail = skipped > 0 ? `, ${skipped} skipped` : "";
  return `${total(outcomes, "passed")} passed, ${total(outcomes, "failed")} failed${tail}`;
}

async function run(filters: readonly string[]): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const step of filters.length === 0 ? [TYPES, LINT, FORMAT, BUILD] : [STALE_BUILD])
    outcomes.push(await runStep(step));
  const { outcome, skipped } = await runTests(filters);
  outcomes.push(outcome);
  if (skipped.length > 0) console.log("\nskipped:");
  for (const test of skipped) console.log(`  ${test.name}: ${reasonOf(test)}`);
  printTable(outcomes);
  console.log(`\n${closingLine(outcomes)}`);
  if (total(outcomes, "failed") > 0) process.exitCode = 1;
}

if (import.meta.main) await run(process.argv.slice(2));
