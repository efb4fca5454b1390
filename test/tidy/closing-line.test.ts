/**
 * The end of `npm test`: other programs read its last line, and its exit status is never kinder than the tests.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closingLine, judge, reasonOf } from "../../scripts/test.ts";
import type { Outcome } from "../../scripts/test.ts";
import type { TestSummary } from "../../scripts/vitest-reporter.ts";
import { ROOT } from "./support/tree.ts";

const TESTS: Readonly<Record<string, string>> = {
  mixed: `
    it("passes", () => { expect(1).toBe(1); });
    it("fails", () => { expect(1).toBe(2); });
    it("looks first", (context) => { context.skip("no nft here"); });
    it.skipIf(true)("cuts the wire (needs nft)", () => {});
  `,
  broken: 'throw new Error("on import");',
  stray: `
    it("leaves an error behind", async () => {
      void Promise.reject(new Error("stray"));
      await new Promise((resolve) => setImmediate(resolve));
    });
  `,
};

describe("the summary of a run", () => {
  let directory = "";

  const run = (name: string): TestSummary => {
    const file = join(directory, `${name}.json`);
    const reporter = `--reporter=${join(ROOT, "scripts", "vitest-reporter.ts")}`;
    const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
    spawnSync(process.execPath, [vitest, "run", reporter, name], {
      cwd: directory,
      env: { ...process.env, TEST_SUMMARY_FILE: file },
    });
    // Written by the reporter under test; every field is compared below.
    return JSON.parse(readFileSync(file, "utf8")) as TestSummary;
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tenure-closing-"));
    symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
    mkdirSync(join(directory, "test"));
    for (const [name, text] of Object.entries(TESTS)) {
      writeFileSync(join(directory, "test", `${name}.test.mjs`), `import { expect, it } from "vitest";\n${text}`);
    }
  });

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it("counts what passed, failed and was skipped, and why", () => {
    const summary = run("mixed");
    expect(summary).toEqual({
      passed: 1,
      failed: 1,
      failures: ["test/mixed.test.mjs > fails"],
      skipped: [
        { name: "test/mixed.test.mjs > looks first", reason: "no nft here" },
        { name: "test/mixed.test.mjs > cuts the wire (needs nft)", reason: null },
      ],
    });
    expect(summary.skipped.map(reasonOf)).toEqual(["no nft here", "needs nft"]);
  });

  it("counts a file that cannot be loaded", () => {
    expect(run("broken")).toMatchObject({ passed: 0, failed: 1, failures: ["test/broken.test.mjs (the file itself)"] });
  });

  it("counts an error outside of any test", () => {
    expect(run("stray")).toMatchObject({ passed: 1, failed: 1, failures: ["an error outside of any test"] });
  });
});

describe("the closing line", () => {
  const step = (passed: number, failed: number, skipped: number): Outcome => ({
    name: "step",
    passed,
    failed,
    skipped,
    seconds: 1,
  });
  const summary: TestSummary = { passed: 5, failed: 0, failures: [], skipped: [{ name: "a", reason: null }] };
  const facts = { succeeded: true, byName: false, seconds: 1 };

  it.each([
    [[step(1, 0, 0), step(7, 0, 0)], "8 passed, 0 failed"],
    [[step(0, 1, 0), step(7, 2, 0)], "7 passed, 3 failed"],
    [[step(1, 0, 0), step(7, 0, 3)], "8 passed, 0 failed, 3 skipped"],
  ])("adds up %j", (outcomes, expected) => {
    expect(closingLine(outcomes)).toBe(expected);
  });

  it("has a failure when vitest fails, says nothing, or ran nothing", () => {
    expect(judge(summary, facts).outcome).toEqual({ name: "tests", passed: 5, failed: 0, skipped: 1, seconds: 1 });
    expect(judge(summary, { ...facts, succeeded: false }).outcome.failed).toBe(1);
    expect(judge(null, facts).outcome.failed).toBe(1);
    expect(judge({ ...summary, passed: 0, skipped: [] }, facts).outcome.failed).toBe(1);
    expect(judge({ ...summary, failed: 2 }, { ...facts, succeeded: false }).outcome.failed).toBe(2);
  });

  it("leaves out what a name pattern left out", () => {
    expect(judge(summary, { ...facts, byName: true }).outcome.skipped).toBe(0);
  });
});
