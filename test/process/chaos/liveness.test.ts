/**
 * The bounds of liveness: what is judged, what is not, and how long it may take.
 */
import { describe, expect, it } from "vitest";
import { failoversOf, gapsOf } from "./failovers.ts";
import type { FaultKind } from "./kinds.ts";
import { livenessOf } from "./liveness.ts";
import type { Claim, FaultRecord } from "./record.ts";

const NAMES = ["a", "b", "c"];
const BOUNDS = { faultMs: 1_000, healMs: 2_000, settleMs: 500 };
const WHOLE = { fromMs: 0, toMs: 20_000 };
const HELD: Claim = { name: "a", token: 1, fromMs: 0, untilMs: 5_800 };

function fault(kind: FaultKind, impaired: readonly string[], fromMs: number, toMs: number): FaultRecord {
  return {
    round: 1,
    kind,
    targets: impaired,
    impaired,
    blind: false,
    proof: "seen",
    injected: { fromMs, toMs: fromMs },
    healed: { fromMs: toMs, toMs },
  };
}

function lateAfter(claims: readonly Claim[], faults: readonly FaultRecord[], stalledMs = 0): readonly number[] {
  return livenessOf(NAMES, faults, claims, WHOLE, BOUNDS, () => stalledMs).late.map(({ tookMs }) => tookMs);
}

describe("a holder", () => {
  const kill = fault("kill", ["a"], 5_000, 15_000);

  it("that is back within the bound is in time", () => {
    expect(lateAfter([HELD, { name: "b", token: 2, fromMs: 5_999, untilMs: 20_000 }], [kill])).toEqual([]);
  });

  it("that comes after the bound is late", () => {
    const claims = [
      { ...HELD, untilMs: 5_000 },
      { name: "b", token: 2, fromMs: 6_001, untilMs: 20_000 },
    ];
    expect(lateAfter(claims, [kill])).toEqual([1_001]);
  });

  it("that never comes is late", () => {
    expect(lateAfter([{ ...HELD, untilMs: 5_000 }], [kill])).toEqual([10_000, 5_000]);
  });

  it("may be late by as much as the machine stood still", () => {
    const claims = [
      { ...HELD, untilMs: 5_000 },
      { name: "b", token: 2, fromMs: 6_500, untilMs: 20_000 },
    ];
    expect(lateAfter(claims, [kill], 400)).toEqual([1_500]);
    expect(lateAfter(claims, [kill], 600)).toEqual([]);
  });

  it("is not asked for while there is no majority, and has longer once it is restored", () => {
    const both = fault("kill-all", ["a", "b"], 5_000, 9_000);
    const back = (fromMs: number): readonly Claim[] => [
      { ...HELD, untilMs: 5_000 },
      { name: "c", token: 2, fromMs, untilMs: 20_000 },
    ];
    expect(lateAfter(back(10_900), [both])).toEqual([]);
    expect(lateAfter(back(11_100), [both])).toEqual([2_100]);
  });

  it("is not asked for while it could be there unseen", () => {
    const blind = { ...fault("kill-application", [], 5_000, 15_000), blind: true };
    expect(
      lateAfter(
        [
          { ...HELD, untilMs: 5_000 },
          { name: "a", token: 1, fromMs: 15_500, untilMs: 20_000 },
        ],
        [blind],
      ),
    ).toEqual([]);
  });

  it("that the next fault keeps away is not judged, but counted", () => {
    const next = fault("cut", ["b"], 5_500, 5_600);
    const claims = [
      { ...HELD, untilMs: 5_000 },
      { name: "b", token: 2, fromMs: 6_900, untilMs: 20_000 },
    ];
    const { cutShort, late } = livenessOf(
      NAMES,
      [fault("kill", ["b"], 5_000, 5_100), next],
      claims,
      WHOLE,
      BOUNDS,
      () => 0,
    );
    expect(late).toEqual([]);
    expect(cutShort).toBeGreaterThan(0);
  });
});

describe("figures", () => {
  const claims = [HELD, { name: "b", token: 2, fromMs: 6_200, untilMs: 20_000 }];

  it("of a failover count from the fault to the next belief", () => {
    const kill = fault("kill", ["a"], 5_000, 7_000);
    expect(failoversOf(claims, [kill], 100)).toEqual([{ kind: "kill", atMs: 5_000, tookMs: 1_200 }]);
  });

  it("of a failover with another fault beside are kept apart", () => {
    const faults = [fault("kill", ["a"], 5_000, 7_000), fault("cut", ["c"], 5_500, 5_600)];
    expect(failoversOf(claims, faults, 100)).toEqual([{ kind: "several", atMs: 5_000, tookMs: 1_200 }]);
  });

  it("of faults that strike others, or after which the holder stays, are none", () => {
    expect(failoversOf(claims, [fault("kill", ["b"], 5_000, 7_000)], 100)).toEqual([]);
    expect(failoversOf(claims, [fault("pause", ["a"], 1_000, 1_200)], 100)).toEqual([]);
  });

  it("of gaps are what no claim covers", () => {
    expect(gapsOf(claims, { fromMs: -10, toMs: 21_000 })).toEqual([
      { fromMs: -10, toMs: 0 },
      { fromMs: 5_800, toMs: 6_200 },
      { fromMs: 20_000, toMs: 21_000 },
    ]);
  });
});
