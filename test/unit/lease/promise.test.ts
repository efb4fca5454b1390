import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { monotonicMs, term } from "../../../src/base/types.ts";
import { countedRemainingMs, VoterPromise } from "../../../src/lease/promise.ts";

function promiseAt(bootedAtMs: number, largestPromiseMs: number): VoterPromise {
  return new VoterPromise(monotonicMs(bootedAtMs), largestPromiseMs);
}

describe("a voter's promise", () => {
  it("L4: a start counts as a promise of the largest D ever made, to a term that is forgotten", () => {
    const promise = promiseAt(5_000, 2_000);
    expect(promise.remainingMs(monotonicMs(5_000))).toBe(2_000);
    expect(promise.remainingMs(monotonicMs(6_500))).toBe(500);
    expect(promise.term).toBeNull();
  });

  it("L4: nobody who never promised anything owes anything", () => {
    expect(promiseAt(5_000, 0).remainingMs(monotonicMs(5_000))).toBe(0);
  });

  it("L2: an accepted append promises D from the moment of its receipt, to its term", () => {
    const promise = promiseAt(0, 0);
    promise.make(monotonicMs(100), 1_000, term(3));
    expect(promise.deadline).toBe(1_100);
    expect(promise.term).toBe(3);
    promise.make(monotonicMs(200), 1_000, term(3));
    expect(promise.deadline).toBe(1_200);
  });

  it("L2: a shorter D never takes back a longer promise (kubernetes#114872)", () => {
    const promise = promiseAt(0, 0);
    promise.make(monotonicMs(100), 5_000, term(3));
    promise.make(monotonicMs(200), 300, term(4));
    expect(promise.deadline).toBe(5_100);
    expect(promise.term).toBe(4);
  });

  it("L4: an append after a start never takes back what the start stands for", () => {
    const promise = promiseAt(0, 5_000);
    promise.make(monotonicMs(10), 300, term(2));
    expect(promise.remainingMs(monotonicMs(10))).toBe(4_990);
  });

  it("what is left is never negative, and 0 from the deadline on", () => {
    const promise = promiseAt(0, 1_000);
    expect(promise.remainingMs(monotonicMs(999))).toBe(1);
    expect(promise.remainingMs(monotonicMs(1_000))).toBe(0);
    expect(promise.remainingMs(monotonicMs(9_000))).toBe(0);
  });

  it("the deadline never moves back, whatever is promised", () => {
    const leaseDurationMs = fc.integer({ min: 1, max: 5_000 });
    const step = fc.record({ afterMs: fc.nat(2_000), leaseDurationMs, up: fc.nat(2) });
    fc.assert(
      fc.property(fc.nat(5_000), fc.array(step), (largestPromiseMs, steps) => {
        const promise = promiseAt(0, largestPromiseMs);
        let nowMs = 0;
        let current = 1;
        for (const { afterMs, up, leaseDurationMs: spanMs } of steps) {
          const before = promise.deadline;
          nowMs += afterMs;
          current += up;
          promise.make(monotonicMs(nowMs), spanMs, term(current));
          expect(promise.deadline).toBeGreaterThanOrEqual(before);
          expect(promise.remainingMs(monotonicMs(nowMs))).toBeGreaterThanOrEqual(spanMs);
        }
      }),
    );
  });

  it("is a programmer's error when made to an older term, for no time, or with a negative past", () => {
    const promise = promiseAt(0, 0);
    promise.make(monotonicMs(1), 1_000, term(3));
    expect(() => promise.make(monotonicMs(2), 1_000, term(2))).toThrow(AssertionError);
    expect(() => promise.make(monotonicMs(2), 0, term(3))).toThrow(AssertionError);
    expect(() => promiseAt(0, -1)).toThrow(AssertionError);
  });
});

describe("what a candidate counts of a promise", () => {
  // [promise made to, certificate, counted of 700 ms]
  it.each([
    [5, null, 700],
    [null, null, 700],
    [5, 5, 0],
    [4, 5, 700],
    [6, 5, 700],
    [null, 5, 700],
  ] as const)("L7: promised to %s under a certificate for %s counts %d of 700 ms", (promised, certificate, counted) => {
    const promisedTo = promised === null ? null : term(promised);
    expect(countedRemainingMs(700, promisedTo, certificate === null ? null : term(certificate))).toBe(counted);
  });

  it("is a programmer's error when negative", () => {
    expect(() => countedRemainingMs(-1, null, null)).toThrow(AssertionError);
  });
});
