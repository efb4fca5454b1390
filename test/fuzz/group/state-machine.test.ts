/**
 * The state machine of src/raft under the commands of fast-check: whatever happens to a few members, nobody acts beside
 * another, a term has one leader, tokens rise and what is committed stays; and when it is over, somebody holds.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyCommands, rest } from "./commands.ts";
import { Group } from "./group.ts";

/** More with FUZZ_RUNS=…: what `npm test` runs is a sample. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 100);
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_122);

/** Groups of one to five; some with a long past of which not everybody has all. */
const anyGroup = fc.oneof(
  fc.constantFrom(1, 2, 3, 4, 5).map((size) => Array.from({ length: size }, () => 0)),
  fc.array(fc.constantFrom(0, 1, 200, 252, 254), { minLength: 2, maxLength: 5 }),
);

/** Mostly there is a holder before the trouble begins. */
const anyBeginning = fc.constantFrom(0, 1_500, 2_500, 4_000);

describe("a group under fast-check's commands", () => {
  it(`keeps every promise in ${RUNS} runs, and recovers`, () => {
    const seen = { tenures: 0, snapshotsSent: 0, changes: 0, crashes: 0, handovers: 0, removals: 0 };
    fc.assert(
      fc.property(anyGroup, anyBeginning, anyCommands, (logs, beginningMs, commands) => {
        const group = new Group(logs);
        group.calm(beginningMs);
        fc.modelRun(() => ({ model: {}, real: group }), commands);
        rest(group);
        for (const key of ["tenures", "snapshotsSent", "changes", "crashes", "handovers", "removals"] as const) {
          seen[key] += group.tally[key];
        }
        const holders = group.pods.filter((pod) => (pod.core?.view(group.now(pod)).held ?? null) !== null);
        expect(holders.length, "one holds when all is calm").toBe(1);
      }),
      { numRuns: RUNS, seed: SEED },
    );
    // A property that nothing happens to holds as well.
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(0);
  });
});
