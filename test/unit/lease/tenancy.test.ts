import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { logIndex } from "../../../src/base/types.ts";
import { Tenancy } from "../../../src/lease/tenancy.ts";

function held(claim: number): Tenancy {
  const tenancy = new Tenancy();
  tenancy.appended(logIndex(claim));
  tenancy.committed(logIndex(claim));
  return tenancy;
}

describe("the leader's own claim", () => {
  it("is none, then appended, then held", () => {
    const tenancy = new Tenancy();
    expect([tenancy.claim, tenancy.held, tenancy.revoked]).toEqual([null, false, false]);
    tenancy.appended(logIndex(3));
    expect([tenancy.claim, tenancy.held]).toEqual([3, false]);
    tenancy.committed(logIndex(3));
    expect([tenancy.claim, tenancy.held]).toEqual([3, true]);
  });

  it("L6: what lapsed is gone; holding again takes a new claim", () => {
    const tenancy = held(3);
    tenancy.lapse();
    expect([tenancy.claim, tenancy.held, tenancy.revoked]).toEqual([null, false, false]);
    tenancy.appended(logIndex(5));
    expect(tenancy.held).toBe(false);
    tenancy.committed(logIndex(5));
    expect(tenancy.held).toBe(true);
  });

  it("L6: a claim that lapsed before its commit cannot be committed any more", () => {
    const tenancy = new Tenancy();
    tenancy.appended(logIndex(3));
    tenancy.lapse();
    expect(() => tenancy.committed(logIndex(3))).toThrow(AssertionError);
  });

  it("L7: a revocation ends what is held, and allows no further claim", () => {
    const tenancy = held(3);
    tenancy.revoke();
    expect([tenancy.claim, tenancy.held, tenancy.revoked]).toEqual([null, false, true]);
    expect(() => tenancy.appended(logIndex(5))).toThrow(AssertionError);
    tenancy.lapse();
    expect(tenancy.revoked).toBe(true);
  });

  it("takes one claim at a time, and commits that one only", () => {
    const tenancy = new Tenancy();
    tenancy.appended(logIndex(3));
    expect(() => tenancy.appended(logIndex(4))).toThrow(AssertionError);
    expect(() => tenancy.committed(logIndex(4))).toThrow(AssertionError);
    expect(() => new Tenancy().committed(logIndex(1))).toThrow(AssertionError);
  });
});
