/**
 * The arithmetic of the lease against true time, which no node can read and the test can.
 *
 * A rate is what a clock shows per unit of true time; honest rates lie within 1 ± drift.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { holderMs, monotonicMs, term } from "../../../src/base/types.ts";
import { HolderLease } from "../../../src/lease/holder-lease.ts";
import { countedRemainingMs, VoterPromise } from "../../../src/lease/promise.ts";
import { electionWindowMs, usableLeaseMs } from "../../../src/lease/timing.ts";
import { memberAt } from "../../support/cluster.ts";

const duration = fc.double({ min: 300, max: 3_600_000, noNaN: true });
const drift = fc.double({ min: 0.000_001, max: 0.499_999, noNaN: true });
const fraction = fc.double({ min: 0, max: 1, noNaN: true });

/** The rate at a point between 1 - drift (0) and 1 + drift (1). */
function rateAt(clockDrift: number, point: number): number {
  return 1 - clockDrift + 2 * clockDrift * point;
}

/** Rounding of doubles, relative to the spans compared. */
const ROUNDING = 1e-9;

describe("lease timing", () => {
  it("U of the defaults is 2 s x 0.9 / 1.1", () => {
    expect(usableLeaseMs(2_000, 0.1)).toBeCloseTo(1_636.363_636, 5);
    expect(electionWindowMs(2_000, 0.1)).toBeCloseTo(363.636_364, 5);
  });

  it("U, on a clock of any honest rate, never outlives D on another of any honest rate", () => {
    fc.assert(
      fc.property(duration, drift, fraction, fraction, (leaseDurationMs, clockDrift, holderPoint, voterPoint) => {
        const holderTrueMs = usableLeaseMs(leaseDurationMs, clockDrift) / rateAt(clockDrift, holderPoint);
        const voterTrueMs = leaseDurationMs / rateAt(clockDrift, voterPoint);
        expect(holderTrueMs).toBeLessThanOrEqual(voterTrueMs * (1 + ROUNDING));
      }),
      { numRuns: 1_000 },
    );
  });

  it("U wastes nothing: with the slowest holder and the fastest voter both end together", () => {
    fc.assert(
      fc.property(duration, drift, (leaseDurationMs, clockDrift) => {
        const holderTrueMs = usableLeaseMs(leaseDurationMs, clockDrift) / rateAt(clockDrift, 0);
        const voterTrueMs = leaseDurationMs / rateAt(clockDrift, 1);
        expect(holderTrueMs / voterTrueMs).toBeCloseTo(1, 9);
      }),
    );
  });

  it("the election window is what U leaves of D", () => {
    fc.assert(
      fc.property(duration, drift, (leaseDurationMs, clockDrift) => {
        const windowMs = electionWindowMs(leaseDurationMs, clockDrift);
        expect(windowMs).toBeGreaterThan(0);
        expect(windowMs + usableLeaseMs(leaseDurationMs, clockDrift)).toBeCloseTo(leaseDurationMs, 6);
      }),
    );
  });

  it.each([0, -0.1, 0.5, 1, Number.NaN])("a drift bound of %d is no bound", (clockDrift) => {
    expect(() => usableLeaseMs(1_000, clockDrift)).toThrow(AssertionError);
  });

  it.each([0, -1, Number.NaN])("a lease of %d ms is no lease", (leaseDurationMs) => {
    expect(() => usableLeaseMs(leaseDurationMs, 0.1)).toThrow(AssertionError);
  });
});

/** One run of L1 to L6 across three clocks, in true ms; the old lease's end and the first instant of a new claim. */
interface Run {
  readonly leaseDurationMs: number;
  readonly clockDrift: number;
  readonly points: readonly [number, number, number];
  readonly offsets: readonly [number, number, number];
  /** Send to receipt, receipt to vote, vote to its receipt: shares of D. */
  readonly delays: readonly [number, number, number];
  readonly restart: boolean;
}

const run: fc.Arbitrary<Run> = fc.record({
  leaseDurationMs: duration,
  clockDrift: drift,
  points: fc.tuple(fraction, fraction, fraction),
  offsets: fc.tuple(fc.integer({ max: 1e6 }), fc.integer({ max: 1e6 }), fc.integer({ max: 1e6 })),
  delays: fc.tuple(fraction, fraction, fraction),
  restart: fc.boolean(),
});

/** The instants of one run: a lease from a round, a promise for it, a vote that reports it, a wait. */
function claimAndEnd({ leaseDurationMs, clockDrift, points, offsets, delays, restart }: Run) {
  const [holder, voter, candidate] = [0, 1, 2].map((at) => {
    const rate = rateAt(clockDrift, points[at] ?? 0);
    const offset = offsets[at] ?? 0;
    return { at: (trueMs: number) => trueMs * rate + offset, trueAt: (ms: number) => (ms - offset) / rate };
  });
  if (holder === undefined || voter === undefined || candidate === undefined) throw new Error("three clocks");
  const sentAt = 1_000;
  const receivedAt = sentAt + delays[0] * leaseDurationMs;
  const votedAt = receivedAt + delays[1] * leaseDurationMs;
  const countedAt = votedAt + delays[2] * leaseDurationMs;

  const lease = new HolderLease(memberAt(0).id, usableLeaseMs(leaseDurationMs, clockDrift));
  const round = lease.openRound(holderMs(holder.at(sentAt)));
  lease.acknowledge(memberAt(1).id, round);
  const end = lease.end([memberAt(0).id, memberAt(1).id]);

  const made = new VoterPromise(monotonicMs(voter.at(0)), 0);
  made.make(monotonicMs(voter.at(receivedAt)), leaseDurationMs, term(1));
  // L4: a restart between promise and vote knows the largest D alone.
  const promise = restart ? new VoterPromise(monotonicMs(voter.at(receivedAt)), leaseDurationMs) : made;
  const remainingMs = promise.remainingMs(monotonicMs(voter.at(votedAt)));
  const waitUntil = candidate.at(countedAt) + countedRemainingMs(remainingMs, promise.term, null);
  const endTrueMs = holder.trueAt(end ?? Number.NaN);
  return { endTrueMs, claimTrueMs: candidate.trueAt(waitUntil), spanMs: leaseDurationMs };
}

describe("exclusion across three clocks", () => {
  it("whoever waits out what a voter reports claims after the old lease's end, whatever rates and offsets", () => {
    fc.assert(
      fc.property(run, (given) => {
        const { endTrueMs, claimTrueMs, spanMs } = claimAndEnd(given);
        expect(claimTrueMs).toBeGreaterThanOrEqual(endTrueMs - ROUNDING * (spanMs + 1e6));
      }),
      { numRuns: 1_000 },
    );
  });

  it("the wait is as short as it can be: with the extreme rates and no delay the claim follows the end at once", () => {
    const extreme = { leaseDurationMs: 2_000, clockDrift: 0.1, points: [0, 1, 1], offsets: [5, -7, 11] } as const;
    const { endTrueMs, claimTrueMs } = claimAndEnd({ ...extreme, delays: [0, 0, 0], restart: false });
    expect(claimTrueMs - endTrueMs).toBeCloseTo(0, 6);
  });
});
