import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { logIndex } from "../../../src/base/types.ts";
import { tokenBaseAfter, tokenBaseOf, tokenOf } from "../../../src/lease/token.ts";

const BASE_STEP = 2 ** 22;
/** 2025-01-01 to 2093-01-01. */
const SECONDS_TO_2093 = (Date.UTC(2093, 0, 1) - Date.UTC(2025, 0, 1)) / 1_000;

describe("fencing tokens", () => {
  it("are the base plus the index of the claim", () => {
    expect(tokenOf(1_000_000, logIndex(7))).toBe(1_000_007);
    expect(tokenOf(0, logIndex(1))).toBe(1);
  });

  it("the base is the seconds since 2025 times 2^22, rounded down", () => {
    expect(tokenBaseOf(0)).toBe(0);
    expect(tokenBaseOf(1)).toBe(BASE_STEP);
    expect(tokenBaseOf(1.5)).toBe(1.5 * BASE_STEP);
    expect(tokenBaseOf(0.001)).toBe(Math.floor(BASE_STEP / 1_000));
    expect(tokenBaseOf(59_875_200)).toBe(59_875_200 * BASE_STEP);
  });

  it("rise with the index inside a group, and with the second across groups", () => {
    const seconds = fc.integer({ min: 0, max: SECONDS_TO_2093 });
    const index = fc.integer({ min: 1, max: BASE_STEP });
    fc.assert(
      fc.property(seconds, index, index, (second, a, b) => {
        const base = tokenBaseOf(second);
        expect(Math.sign(tokenOf(base, logIndex(a)) - tokenOf(base, logIndex(b)))).toBe(Math.sign(a - b));
        expect(tokenOf(tokenBaseOf(second + 1), logIndex(a))).toBeGreaterThan(tokenOf(base, logIndex(b)));
      }),
    );
  });

  it("rise across a rescue, also where the wall clock was set back to its beginning", () => {
    const [old, last] = [tokenBaseOf(59_875_200), logIndex(700)];
    expect(tokenBaseAfter(old, last, 59_875_300)).toBe(tokenBaseOf(59_875_300));
    // Room for the tokens of claims that only those have seen who are lost.
    expect(tokenBaseAfter(old, last, 0)).toBe(tokenOf(old, last) + BASE_STEP);
  });

  it("stay exact below 2^53 until 2093", () => {
    const last = tokenOf(tokenBaseOf(SECONDS_TO_2093 - 1), logIndex(BASE_STEP - 1));
    expect(Number.isSafeInteger(last)).toBe(true);
    expect(last).toBeLessThan(2 ** 53);
  });

  it("a base that would reach 2^53 is refused, not rounded", () => {
    const lastSecond = 2 ** 31 - 2;
    expect(tokenBaseOf(lastSecond)).toBe(lastSecond * BASE_STEP);
    expect(() => tokenBaseOf(lastSecond + 1)).toThrow(AssertionError);
    expect(() => tokenBaseOf(2 ** 40)).toThrow(AssertionError);
  });

  it("a token that would reach 2^53 is refused, not rounded", () => {
    const base = Number.MAX_SAFE_INTEGER - 5;
    expect(tokenOf(base, logIndex(5))).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => tokenOf(base, logIndex(6))).toThrow(AssertionError);
    expect(() => tokenOf(base, logIndex(7))).toThrow(AssertionError);
  });

  it("rise with every millisecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: SECONDS_TO_2093 * 1_000 }), (ms) => {
        const [base, next] = [tokenBaseOf(ms / 1_000), tokenBaseOf((ms + 1) / 1_000)];
        expect(Number.isSafeInteger(base)).toBe(true);
        expect(next - base, "more claims than any group commits in a millisecond").toBeGreaterThan(4_000);
      }),
    );
  });

  it("need a claim and seconds that are no negative number", () => {
    expect(() => tokenOf(1_000, logIndex(0))).toThrow(AssertionError);
    expect(() => tokenBaseOf(-1)).toThrow(AssertionError);
    expect(() => tokenBaseOf(Number.NaN)).toThrow(AssertionError);
    expect(() => tokenBaseOf(Number.POSITIVE_INFINITY)).toThrow(AssertionError);
  });
});
