/**
 * What `npm test` wants to know of a run of vitest, written as JSON to the file named by TEST_SUMMARY_FILE.
 *
 * Why not vitest's own JSON reporter: it leaves out why a test was skipped.
 *
 * Invariant: a file that could not be loaded and an error outside of any test each count as one failure.
 *
 * Deliberately absent: progress and failure texts; vitest's default reporter runs beside this one.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

export interface SkippedTest {
  readonly name: string;
  /** From `context.skip(reason)`, or null. */
  readonly reason: string | null;
}

export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly skipped: readonly SkippedTest[];
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

/** Sums up a run that is over. */
export function summarize(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): TestSummary {
  let passed = 0;
  const failures: string[] = [];
  const skipped: SkippedTest[] = [];
  for (const module of modules) {
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") passed += 1;
      else if (result.state === "skipped") skipped.push({ name: nameOf(test), reason: result.note ?? null });
      else {
        failedTests += 1;
        failures.push(nameOf(test));
      }
    }
    if (module.state() === "failed" && failedTests === 0) failures.push(`${module.relativeModuleId} (the file itself)`);
  }
  for (const _ of unhandledErrors) failures.push("an error outside of any test");
  return { passed, failed: failures.length, failures, skipped };
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const path = process.env["TEST_SUMMARY_FILE"];
    if (path !== undefined) writeFileSync(path, JSON.stringify(summarize(modules, unhandledErrors)));
  }
}
