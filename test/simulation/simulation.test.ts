/**
 * A fixed sample of seeds: no promise is broken, whatever strikes. More: `node test/simulation/main.ts --minutes 5`.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { FAULTS } from "./swarm.ts";
import { type Outcome, simulate } from "./world.ts";

const SEEDS = 250;
const SAMPLE_TIMEOUT_MS = 180_000;

describe("a group in a simulated world", () => {
  let outcomes: readonly Outcome[] = [];

  beforeAll(() => {
    outcomes = Array.from({ length: SEEDS }, (_, position) => simulate(position + 1));
  }, SAMPLE_TIMEOUT_MS);

  it("keeps every promise", () => {
    const broken = outcomes.filter(({ violation }) => violation !== null);
    const told = broken.map(({ seed, violation, transcript }) => `seed ${seed}: ${violation?.message}\n${transcript}`);
    expect(told).toEqual([]);
  });

  it.each(FAULTS)("has met this fault: %s", (fault) => {
    expect(outcomes.reduce((sum, { tally }) => sum + tally[fault], 0)).toBeGreaterThan(0);
  });

  it("was worth watching: the lock changed hands often, in groups of each size", () => {
    for (const voters of [1, 2, 3, 4, 5]) {
      const tenures = outcomes.filter(({ swarm }) => swarm.voters === voters).map((outcome) => outcome.tenures);
      expect(tenures.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
    }
  });
});

describe("the simulator", () => {
  it("replays a seed to the last event", () => {
    const fingerprints = [7, 7, 8].map((seed) => simulate(seed).fingerprint);
    expect(fingerprints[1]).toBe(fingerprints[0]);
    expect(fingerprints[2]).not.toBe(fingerprints[0]);
  });

  it("sees two holders when clocks are off by more than the bound", () => {
    const rules = Array.from({ length: 12 }, (_, position) => {
      const outcome = simulate(position + 1, (swarm) => ({ ...swarm, rates: "dishonest" }));
      return outcome.violation?.rule;
    });
    expect(rules).toContain("exclusion");
  });
});
