/**
 * A fixed sample of seeds: no promise is broken, whatever strikes. More: `npm run simulate -- --minutes 5`.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { add, newSum, type Sum } from "./campaign.ts";
import { outsideMicrotasks } from "./microtasks.ts";
import { type Alter, PROFILES, type ProfileName, withNodes } from "./profiles.ts";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulate.ts";
import { FAULTS } from "./swarm.ts";

/** About half a minute of one core; a busy machine may take many times as long. */
const SAMPLE_TIMEOUT_MS = 1_200_000;

/** How many seeds of each kind. */
const SAMPLE: readonly (readonly [name: ProfileName, seeds: number, nodes: number | null])[] = [
  ["swarm", 110, null],
  ["churn", 6, 3],
  ["churn", 3, 5],
  ["formation", 30, null],
  ["members", 30, null],
  ["members", 6, 7],
  ["scale", 20, null],
  ["rescue", 25, null],
  ["disk", 25, null],
  ["network", 25, null],
  ["clocks", 25, null],
  ["quiet", 3, null],
];

/** Seeds that once broke a promise, each for its own reason; see docs/explanation/verification.md. */
const ONCE_BROKEN: readonly (readonly [name: ProfileName, seed: number])[] = [
  ["rescue", 43],
  ["rescue", 221],
  ["members", 100_094],
  ["formation", 302_028],
  ["rescue", 300_817],
  ["rescue", 301_840],
  ["churn", 1_000_341],
];

function run(seed: number, alter?: Alter): Promise<Outcome> {
  return outsideMicrotasks(() => simulate(seed, alter));
}

describe("a group in a simulated world", () => {
  const broken: string[] = [];
  const sums = new Map<ProfileName, Sum>();
  const votersSeen = new Map<number, number>();

  beforeAll(async () => {
    for (const [name, seeds, nodes] of SAMPLE) {
      const sum = sums.get(name) ?? newSum();
      sums.set(name, sum);
      for (let seed = 1; seed <= seeds; seed += 1) {
        const outcome = await run(seed, (drawn) => PROFILES[name](nodes === null ? drawn : withNodes(drawn, nodes)));
        add(sum, outcome);
        const { violation, transcript, swarm, tenures } = outcome;
        votersSeen.set(swarm.voters, (votersSeen.get(swarm.voters) ?? 0) + tenures);
        if (violation !== null) broken.push(`${name} ${seed}: ${violation.message}\n${transcript}`);
      }
    }
  }, SAMPLE_TIMEOUT_MS);

  it("keeps every promise", () => {
    expect(broken).toEqual([]);
  });

  it.each(FAULTS)("has met this fault: %s", (fault) => {
    expect([...sums.values()].reduce((times, { tally }) => times + tally[fault], 0)).toBeGreaterThan(0);
  });

  it("was worth watching: the lock changed hands often, in groups of each size", () => {
    for (const voters of [1, 2, 3, 4, 5]) expect(votersSeen.get(voters) ?? 0).toBeGreaterThan(20);
    expect(sums.get("churn")?.elections).toBeGreaterThan(1_000);
  });
});

describe("a seed that once broke a promise", { timeout: SAMPLE_TIMEOUT_MS }, () => {
  it.each(ONCE_BROKEN)("keeps it now: %s %i", async (name, seed) => {
    expect((await run(seed, PROFILES[name])).violation).toBeNull();
  });
});

describe("the simulator", { timeout: SAMPLE_TIMEOUT_MS }, () => {
  it("replays a seed to the last event, in every kind of world", async () => {
    const prints = new Set<string>();
    // A quarter of a year takes minutes where pods are out of reach for days.
    const { years: _, ...short } = PROFILES;
    for (const [name, alter] of Object.entries(short)) {
      for (const seed of [7, 8]) {
        const [first, second] = [await run(seed, alter), await run(seed, alter)];
        expect(second.fingerprint, `${name} ${seed}`).toBe(first.fingerprint);
        expect(second.events).toBe(first.events);
        prints.add(first.fingerprint);
      }
    }
    expect(prints.size).toBe(2 * Object.keys(short).length);
  });

  it("sees two holders when clocks are off by more than the bound, and finds a smaller world with them", async () => {
    const dishonest: Alter = (swarm) => ({ ...withNodes(swarm, 3), start: "formed", rates: "dishonest" });
    const outcomes = [];
    for (let seed = 1; seed <= 12; seed += 1) outcomes.push(await run(seed, dishonest));
    const failed = outcomes.find(({ violation }) => violation?.rule === "exclusion");
    if (failed === undefined) throw new Error("no seed of the sample breaks the exclusion");
    const small = await outsideMicrotasks(() => shrink(failed, 2, () => undefined));
    expect(small.violation?.rule).toBe("exclusion");
    expect(small.events).toBeLessThanOrEqual(failed.events);
    expect(small.transcript).toContain("holding");
  });

  it("refuses to run where promises would not", async () => {
    await Promise.resolve();
    expect(() => simulate(1)).toThrow("outside of microtasks");
  });
});
