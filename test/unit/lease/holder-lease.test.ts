import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { MAX_OPEN_ROUNDS } from "../../../src/base/limits.ts";
import { holderMs, type MemberId } from "../../../src/base/types.ts";
import { HolderLease } from "../../../src/lease/holder-lease.ts";
import { memberAt } from "../../support/cluster.ts";

const USABLE_MS = 900;
const ids = (...positions: readonly number[]): readonly MemberId[] => positions.map((at) => memberAt(at).id);
const id = (position: number): MemberId => memberAt(position).id;

/** Of m0, with a round opened at each of the instants. */
function leaseWith(...instants: readonly number[]): HolderLease {
  const lease = new HolderLease(id(0), USABLE_MS);
  for (const instant of instants) lease.openRound(holderMs(instant));
  return lease;
}

describe("the holder's lease", () => {
  it("L1: is measured from the instant before the round, however late its ack (hashicorp/raft#108)", () => {
    const lease = leaseWith(1_000, 1_100, 1_200);
    lease.acknowledge(id(1), 1);
    expect(lease.start(ids(0, 1, 2))).toBe(1_000);
    expect(lease.end(ids(0, 1, 2))).toBe(1_000 + USABLE_MS);
  });

  it("has no end before a majority acknowledged, and self alone is none", () => {
    const lease = leaseWith(1_000);
    expect(lease.end(ids(0, 1, 2))).toBeNull();
    expect(lease.end(ids(0, 1))).toBeNull();
    lease.acknowledge(id(1), 1);
    expect(lease.end(ids(0, 1, 2, 3, 4))).toBeNull();
    lease.acknowledge(id(2), 1);
    expect(lease.end(ids(0, 1, 2, 3, 4))).toBe(1_900);
  });

  it("L3: self acknowledges each round as it is noted; a lone voter needs nobody else", () => {
    const lease = leaseWith(1_000);
    expect(lease.end(ids(0))).toBe(1_900);
    lease.openRound(holderMs(1_500));
    expect(lease.end(ids(0))).toBe(2_400);
  });

  it("takes the newest instant that a majority acked, not the newest that anyone acked", () => {
    const lease = leaseWith(1_000, 1_100, 1_200);
    lease.acknowledge(id(1), 1);
    lease.acknowledge(id(2), 2);
    expect(lease.start(ids(0, 1, 2, 3, 4))).toBe(1_000);
    lease.acknowledge(id(3), 3);
    expect(lease.start(ids(0, 1, 2, 3, 4))).toBe(1_100);
  });

  it("a repeated or overtaken ack changes nothing", () => {
    const lease = leaseWith(1_000, 1_100);
    lease.acknowledge(id(1), 2);
    lease.acknowledge(id(1), 1);
    lease.acknowledge(id(1), 2);
    expect(lease.start(ids(0, 1, 2))).toBe(1_100);
  });

  it("acks of one member are one voice, however many", () => {
    const lease = leaseWith(1_000, 1_100, 1_200);
    for (const round of [1, 2, 3, 3]) lease.acknowledge(id(1), round);
    expect(lease.end(ids(0, 1, 2, 3, 4))).toBeNull();
  });

  it("an ack of a round that was never opened counts for nothing", () => {
    const lease = leaseWith(1_000);
    for (const round of [0, 2, 99, -1, 1.5]) lease.acknowledge(id(1), round);
    expect(lease.end(ids(0, 1, 2))).toBeNull();
  });

  it("an ack of a forgotten round counts for nothing; the newest round is never forgotten", () => {
    const lease = leaseWith(1_000, 1_100, 1_200);
    lease.forgetBefore(holderMs(1_150));
    lease.acknowledge(id(1), 2);
    expect(lease.end(ids(0, 1, 2))).toBeNull();
    lease.forgetBefore(holderMs(9_000));
    lease.acknowledge(id(1), 3);
    expect(lease.start(ids(0, 1, 2))).toBe(1_200);
  });

  it("a round noted at the very instant is not before it", () => {
    const lease = leaseWith(1_000, 1_100);
    lease.forgetBefore(holderMs(1_000));
    lease.acknowledge(id(1), 1);
    expect(lease.start(ids(0, 1, 2))).toBe(1_000);
  });

  it("keeps no more than MAX_OPEN_ROUNDS rounds", () => {
    const lease = leaseWith(...Array.from({ length: MAX_OPEN_ROUNDS + 1 }, (_, at) => 1_000 + at));
    lease.acknowledge(id(1), 1);
    expect(lease.end(ids(0, 1, 2))).toBeNull();
    lease.acknowledge(id(1), 2);
    expect(lease.start(ids(0, 1, 2))).toBe(1_001);
  });

  it("counts the voters it is asked about: a learner and a removed voter count for nothing", () => {
    const lease = leaseWith(1_000);
    lease.acknowledge(id(3), 1);
    lease.acknowledge(id(4), 1);
    expect(lease.end(ids(0, 1, 2))).toBeNull();
    expect(lease.end(ids(0, 3, 4))).toBe(1_900);
  });

  it("a grown configuration needs a majority of the new one", () => {
    const lease = leaseWith(1_000);
    lease.acknowledge(id(1), 1);
    expect(lease.end(ids(0, 1, 2))).toBe(1_900);
    expect(lease.end(ids(0, 1, 2, 3))).toBeNull();
  });

  it("self counts only where it is a voter", () => {
    const lease = leaseWith(1_000);
    expect(lease.end(ids(1))).toBeNull();
    lease.acknowledge(id(1), 1);
    expect(lease.end(ids(1, 2, 3))).toBeNull();
  });

  it("keeps the furthest end that it ever reckoned, also when another configuration moves s* back", () => {
    const lease = leaseWith(1_000, 1_400);
    expect(lease.furthestEnd, "nothing was reckoned yet").toBeNull();
    expect(lease.end(ids(0, 1, 2))).toBeNull();
    expect(lease.furthestEnd, "and null is no end").toBeNull();
    lease.acknowledge(id(1), 2);
    lease.acknowledge(id(3), 1);
    expect(lease.end(ids(0, 1, 2))).toBe(2_300);
    expect(lease.end(ids(0, 1, 2, 3)), "m3 makes the majority, with an older round").toBe(1_900);
    expect(lease.furthestEnd).toBe(2_300);
    lease.openRound(holderMs(1_600));
    expect(lease.end(ids(0))).toBe(2_500);
    expect(lease.furthestEnd).toBe(2_500);
  });

  it("all ends have passed from the furthest of them on, not from the last one reckoned", () => {
    const lease = leaseWith(1_000, 1_400);
    expect(lease.allEndsPassed(holderMs(0)), "there was none").toBe(true);
    lease.acknowledge(id(1), 2);
    lease.acknowledge(id(3), 1);
    lease.end(ids(0, 1, 2));
    lease.end(ids(0, 1, 2, 3));
    expect(lease.allEndsPassed(holderMs(1_900))).toBe(false);
    expect(lease.allEndsPassed(holderMs(2_299))).toBe(false);
    expect(lease.allEndsPassed(holderMs(2_300))).toBe(true);
  });

  it("knows nothing of an end that nobody asked for: nobody was told it", () => {
    const lease = leaseWith(1_000);
    lease.acknowledge(id(1), 1);
    expect(lease.furthestEnd).toBeNull();
    lease.start(ids(0, 1, 2));
    expect(lease.furthestEnd).toBe(1_900);
  });

  it("forgets who is no member any more: their acks count for nothing when they come back as voters", () => {
    const lease = leaseWith(1_000);
    for (const voter of [1, 2]) lease.acknowledge(id(voter), 1);
    const three = ids(0, 1, 2);
    expect(lease.end(three)).toBe(1_900);
    lease.keepOnly(ids(0, 2));
    expect(lease.end(ids(0, 2)), "those who stay lose nothing").toBe(1_900);
    expect(lease.end(ids(0, 1))).toBeNull();
    expect(lease.end(three)).toBe(1_900);
    lease.keepOnly(ids(0));
    expect(lease.end(three), "also where the same voters were looked at just before").toBeNull();
    expect(lease.furthestEnd, "what was told stays told").toBe(1_900);
    lease.acknowledge(id(1), 1);
    expect(lease.end(three)).toBe(1_900);
  });

  it("a repeated look is never stale: about the same voters it knows each ack and each round since", () => {
    const lease = leaseWith(1_000);
    const [three, lone, five] = [ids(0, 1, 2), ids(0), ids(0, 1, 2, 3, 4)];
    const looks = () => [lease.start(three), lease.start(lone), lease.start(five), lease.start(three)];
    expect(looks()).toEqual([null, 1_000, null, null]);
    lease.acknowledge(id(1), 1);
    expect(looks()).toEqual([1_000, 1_000, null, 1_000]);
    expect(lease.start(lone)).toBe(1_000);
    lease.openRound(holderMs(1_100));
    expect(lease.start(lone)).toBe(1_100);
    expect(looks()).toEqual([1_000, 1_100, null, 1_000]);
    lease.acknowledge(id(2), 2);
    lease.acknowledge(id(3), 2);
    expect(lease.start(three)).toBe(1_100);
    expect(looks()).toEqual([1_100, 1_100, 1_100, 1_100]);
  });

  it("numbers rounds without a gap, and refuses a clock that goes back", () => {
    const lease = leaseWith(1_000, 1_000);
    expect(lease.lastRound).toBe(2);
    expect(lease.openRound(holderMs(1_001))).toBe(3);
    expect(() => lease.openRound(holderMs(1_000))).toThrow(AssertionError);
    expect(() => new HolderLease(id(0), 0)).toThrow(AssertionError);
  });

  it("agrees with the rule read word by word, for any acks in any order", () => {
    const ack = fc.record({ member: fc.integer({ min: 1, max: 4 }), round: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(ack, { maxLength: 30 }), (size, acks) => {
        const instants = [1_000, 1_100, 1_200, 1_300, 1_400, 1_500, 1_600];
        const lease = leaseWith(...instants);
        for (const { member, round } of acks) lease.acknowledge(id(member), round);
        const voters = [...Array(size).keys()];
        // L1: the newest noted time such that a majority acked a round noted at or after it.
        const expected = instants.findLast((_, at) => {
          const acked = voters.filter(
            (voter) => voter === 0 || acks.some(({ member, round }) => member === voter && round > at && round <= 7),
          );
          return 2 * acked.length > size;
        });
        expect(lease.start(ids(...voters))).toBe(expected ?? null);
      }),
      { numRuns: 300 },
    );
  });
});
