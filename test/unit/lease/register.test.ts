import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { MAX_HISTORY } from "../../../src/base/limits.ts";
import { logIndex, term } from "../../../src/base/types.ts";
import { LockRegister } from "../../../src/lease/register.ts";
import { memberAt } from "../../support/cluster.ts";

function registerWith(...claims: readonly number[]): LockRegister {
  const register = new LockRegister(1_000, []);
  for (const claim of claims) register.claim(logIndex(claim), term(1), memberAt(0));
  return register;
}

describe("the lock register", () => {
  it("starts without a tenure", () => {
    const register = registerWith();
    expect(register.latest).toBeNull();
    expect(register.state).toEqual([]);
  });

  it("keeps the tenures newest first, each with its own token", () => {
    const register = registerWith(2);
    const second = register.claim(logIndex(5), term(3), memberAt(1));
    expect(second).toEqual({ claim: 5, term: 3, holder: memberAt(1), token: 1_005, released: false });
    expect(register.latest).toEqual(second);
    expect(register.state.map(({ token }) => token)).toEqual([1_005, 1_002]);
  });

  it("a released tenure stays the newest, as released, and the next claim has a new token", () => {
    const register = registerWith(2);
    register.release(logIndex(2));
    expect(register.latest).toMatchObject({ claim: 2, released: true });
    expect(register.claim(logIndex(4), term(1), memberAt(0)).token).toBe(1_004);
    expect(register.state.map(({ released }) => released)).toEqual([false, true]);
  });

  it("a late release of an older tenure leaves the newest alone", () => {
    const register = registerWith(2, 5);
    register.release(logIndex(2));
    expect(register.latest).toMatchObject({ claim: 5, released: false });
    expect(register.state[1]).toMatchObject({ claim: 2, released: true });
  });

  it("a release of a claim that is not known changes nothing", () => {
    const register = registerWith(2);
    register.release(logIndex(3));
    expect(register.state).toHaveLength(1);
    expect(register.latest).toMatchObject({ claim: 2, released: false });
  });

  it("refuses a token that does not rise", () => {
    const register = registerWith(5);
    expect(() => register.claim(logIndex(5), term(2), memberAt(1))).toThrow(AssertionError);
    expect(() => register.claim(logIndex(4), term(2), memberAt(1))).toThrow(AssertionError);
  });

  it("goes on from a stored state: the next token is above the stored ones", () => {
    const stored = registerWith(2, 7).state;
    const register = new LockRegister(1_000, stored);
    expect(register.latest?.token).toBe(1_007);
    expect(() => register.claim(logIndex(7), term(9), memberAt(2))).toThrow(AssertionError);
    expect(register.claim(logIndex(8), term(9), memberAt(2)).token).toBe(1_008);
  });

  it("keeps the last MAX_HISTORY tenures", () => {
    const register = registerWith(...Array.from({ length: MAX_HISTORY + 3 }, (_, at) => at + 1));
    expect(register.state).toHaveLength(MAX_HISTORY);
    expect(register.state.at(-1)?.claim).toBe(4);
    expect(register.latest?.claim).toBe(MAX_HISTORY + 3);
  });

  it("the same entries give the same register", () => {
    expect(registerWith(1, 4, 9).state).toEqual(registerWith(1, 4, 9).state);
  });

  it("a state that was handed out does not change afterwards", () => {
    const register = registerWith(1);
    const before = register.state;
    register.release(logIndex(1));
    register.claim(logIndex(2), term(2), memberAt(1));
    expect(before).toEqual([{ claim: 1, term: 1, holder: memberAt(0), token: 1_001, released: false }]);
  });
});
