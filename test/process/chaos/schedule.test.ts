/**
 * The schedule of a campaign is a function of its plan.
 */
import { describe, expect, it } from "vitest";
import { readArguments, replayOf } from "./arguments.ts";
import { FAULT_KINDS, type FaultKind, rowOf } from "./kinds.ts";
import { describe as told, type Plan, type Round, roundsForAll, roundsOf } from "./schedule.ts";
import { renderTimeline } from "./timeline.ts";

const PLAN: Plan = { seed: 7, nodes: 3, leaseMs: 1_000, kinds: FAULT_KINDS };

function first(count: number, plan: Plan = PLAN): readonly Round[] {
  const rounds: Round[] = [];
  for (const round of roundsOf(plan)) if (rounds.push(round) === count) break;
  return rounds;
}

describe("a schedule", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(first(200)).toEqual(first(200));
    expect(first(20, { ...PLAN, seed: 8 })).not.toEqual(first(20));
  });

  it.each([1, 2, 3, 99])("has every kind once in its first rounds, with seed %i", (seed) => {
    const plan = { ...PLAN, seed };
    const seen = new Set(first(roundsForAll(plan), plan).flatMap(({ faults }) => faults.map(({ kind }) => kind)));
    expect([...seen].toSorted()).toEqual(FAULT_KINDS.filter((kind) => kind !== "clock-rate").toSorted());
    expect(roundsForAll(plan)).toBeLessThan(FAULT_KINDS.length);
  });

  it("draws every kind again, lasting as long as its row says, half of the time at the holder", () => {
    const faults = first(2_000).flatMap((round) => round.faults);
    const counts = new Map<FaultKind, number>();
    for (const { kind, forMs, detail } of faults) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      const [low, high] = rowOf(kind).lasts;
      expect(forMs).toBeGreaterThanOrEqual(Math.floor(low * PLAN.leaseMs));
      expect(forMs).toBeLessThanOrEqual(Math.ceil(high * PLAN.leaseMs));
      expect(detail).toBeLessThan(1);
    }
    for (const kind of FAULT_KINDS.filter((one) => one !== "clock-rate")) expect(counts.get(kind)).toBeGreaterThan(10);
    const atHolder = faults.filter(({ aim }) => aim === "holder").length / faults.length;
    expect(atHolder).toBeGreaterThan(0.4);
    expect(atHolder).toBeLessThan(0.6);
  });

  it("of few kinds has no others, and can be told in words", () => {
    const rounds = first(50, { ...PLAN, kinds: ["kill", "cut"] });
    expect(new Set(rounds.flatMap(({ faults }) => faults.map(({ kind }) => kind)))).toEqual(new Set(["kill", "cut"]));
    for (const round of rounds) expect(told(round)).toMatch(/^round \d+: 0 ms: (?:kill|cut) of .* for \d+ ms/u);
  });
});

describe("the command line", () => {
  it("of a replay gives the same plan", () => {
    const request = readArguments([
      "--seed",
      "12",
      "--nodes",
      "5",
      "--fault",
      "kill,cut",
      "--fault",
      "pause",
      "--lease",
      "2000",
    ]);
    if (request.kind !== "run") throw new Error("it was understood");
    const again = readArguments(replayOf(request, 42).split(" ").slice(4));
    expect(again).toEqual({ ...request, rounds: 42, minutes: 10_000 });
  });

  it.each([
    [["--fault", "fire"], "there is no such fault"],
    [["--nodes", "0"], "--nodes takes a whole number from 1 to 9, not 0"],
    [["--seed", "x"], "--seed takes"],
    [["--minutes", ""], "--minutes takes"],
    [["--peer", "consul"], "--peer knows etcd only"],
    [["--wrong"], "Unknown option"],
    [["stray"], "Unexpected argument"],
  ])("says what is wrong with %j", (args, expected) => {
    expect(readArguments(args)).toEqual({ kind: "fault", message: expect.stringContaining(expected) as string });
  });
});

describe("the timeline", () => {
  it("shows every claim, fault and gap, in as many rows as there are minutes", () => {
    const text = renderTimeline({
      title: "a <b> & c",
      names: ["app-0", "app-1"],
      claims: [
        { name: "app-0", token: 7, fromMs: 0, untilMs: 70_000 },
        { name: "app-1", token: 8, fromMs: 71_000, untilMs: 90_000 },
      ],
      faults: [
        {
          round: 3,
          kind: "kill",
          targets: ["app-0"],
          impaired: ["app-0"],
          blind: false,
          proof: "gone",
          injected: { fromMs: 69_000, toMs: 69_010 },
          healed: { fromMs: 72_000, toMs: 72_100 },
        },
      ],
      whole: { fromMs: 0, toMs: 90_000 },
      marks: [{ atMs: 80_000, text: "here" }],
    });
    expect(text).toContain("a &lt;b&gt; &amp; c");
    expect(text.match(/holds with token 7/gu)).toHaveLength(2);
    expect(text.match(/holds with token 8 for 19000 ms/gu)).toHaveLength(1);
    expect(text).toContain("round 3: kill of app-0; gone");
    expect(text).toContain("<title>1000 ms</title>");
    expect(text).toContain("<title>here</title>");
    expect(text.match(/<(?:rect|line|text|title|svg)\b/gu)?.length).toBeGreaterThan(40);
  });
});
