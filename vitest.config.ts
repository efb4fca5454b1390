/**
 * How the tests run: `npm test`, or `npx vitest run <part of a path>` for some of them.
 *
 * Invariant: what measures time or starts real processes runs alone, after everything else; two cores shared with other
 * tests would make it a test of the machine.
 *
 * Deliberately absent: globals and retries. A test that fails sometimes is a fault of the test or of the code.
 */
import { existsSync, globSync } from "node:fs";
import { defineConfig } from "vitest/config";

const PROCESS_TESTS = "test/process/**/*.test.ts";

/** A contract is a test of its own, or a suite that the `.test.ts` of the same name calls with its implementations. */
const contracts = globSync("test/contract/**/*.contract.ts", { cwd: import.meta.dirname }).filter(
  (path) => !existsSync(`${import.meta.dirname}/${path.replace(/\.contract\.ts$/u, ".test.ts")}`),
);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/**/*.test.ts", ...contracts],
          exclude: [PROCESS_TESTS],
          pool: "forks",
          testTimeout: 20_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "process",
          include: [PROCESS_TESTS],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
