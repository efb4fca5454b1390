/**
 * Who goes first: priorities and ids among candidates that could win alike. Stability only; safety is in test/paper.
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../../support/cluster.ts";
import { hardStateOf, logOf } from "../../support/entries.ts";
import { appendRequest, preVoteRequest, voteRequest } from "../../support/messages.ts";
import { only, sent, Solo, type SoloOptions } from "../../support/solo.ts";
import { H } from "../../support/timing.ts";

/** m1 of three with a log of terms 1 1, that has heard no leader yet. */
function voter(options: SoloOptions = {}): Solo {
  return new Solo({ self: 1, hardState: hardStateOf(1), entries: logOf(1, 1), ...options });
}

function grants(node: Solo, from: number, lastIndex: number, priority: number): boolean {
  return only(node.receive(from, preVoteRequest(2, lastIndex, 1, priority)), "preVoteReply").granted;
}

describe("a PreVote request of a lower priority", () => {
  it("makes a node that could win as well go first, at once", () => {
    const node = voter({ priority: 5 });
    const effects = node.receive(0, preVoteRequest(2, 2, 1, 4));
    expect(only(effects, "preVoteReply").granted).toBe(false);
    expect(sent(effects, "preVoteRequest").map(({ priority }) => priority)).toEqual([5, 5]);
    expect(node.view).toMatchObject({ role: "preCandidate", term: 1 });
  });

  it("is granted by one that could not win as well: a shorter log", () => {
    expect(grants(voter({ priority: 5 }), 0, 3, 4)).toBe(true);
  });

  it("is granted by one of the same or a lower priority", () => {
    expect(grants(voter({ priority: 4 }), 0, 2, 4)).toBe(true);
    expect(grants(voter({ priority: 3 }), 0, 2, 4)).toBe(true);
  });

  it("is granted by an ineligible node, and by one that does not vote for itself: a learner", () => {
    const ineligible = voter({ priority: 5 });
    ineligible.step({ kind: "setEligible", eligible: false });
    expect(grants(ineligible, 0, 2, 4)).toBe(true);
    const learner = voter({ priority: 5, self: 7 });
    expect(grants(learner, 0, 2, 4)).toBe(true);
  });

  it("is refused while the own first try is under way, which is not begun anew by each asker", () => {
    const node = voter({ priority: 5 });
    node.wake();
    for (const from of [0, 2, 0]) {
      const effects = node.receive(from, preVoteRequest(2, 2, 1, 4));
      expect(only(effects, "preVoteReply").granted).toBe(false);
      expect(sent(effects, "preVoteRequest")).toEqual([]);
    }
  });

  it("is granted from the second try on: nobody blocks the group", () => {
    const node = voter({ priority: 5 });
    node.wake();
    expect(grants(node, 0, 2, 4)).toBe(false);
    node.wake();
    expect(grants(node, 0, 2, 4)).toBe(true);
    expect(node.view.role).toBe("follower");
  });

  it("is not asked to wait again once a leader was heard: each lost leader starts anew", () => {
    const node = voter({ priority: 5 });
    node.wake();
    node.wake();
    node.receive(0, appendRequest(1, { prevIndex: 2, prevTerm: 1 }));
    node.wake();
    expect(grants(node, 0, 2, 4)).toBe(false);
  });
});

describe("an ineligible node", () => {
  it("leaves its first five tries to the others, then asks: it may be the only one with all committed entries", () => {
    const node = voter();
    node.step({ kind: "setEligible", eligible: false });
    for (let tries = 0; tries < 5; tries += 1) expect(node.wake().send).toEqual([]);
    expect(node.view.role).toBe("follower");
    expect(sent(node.wake(), "preVoteRequest")).toHaveLength(2);
  });

  it("votes for others as ever", () => {
    const node = voter();
    node.step({ kind: "setEligible", eligible: false });
    expect(grants(node, 0, 2, 0)).toBe(true);
    expect(only(node.receive(0, voteRequest(2, 2, 1)), "voteReply").granted).toBe(true);
  });
});

describe("two PreVotes at the same instant", () => {
  it.each([
    [0, true],
    [2, false],
  ])("asked by m%d, m1 that has just begun grants: %s", (from, refused) => {
    const node = voter();
    node.wake();
    expect(grants(node, from, 2, 0)).toBe(!refused);
    expect(node.view.role).toBe(refused ? "preCandidate" : "follower");
  });

  it("whoever grants steps back for one try", () => {
    const node = voter();
    node.wake();
    const asked = node.nowMs;
    grants(node, 2, 2, 0);
    node.wake();
    expect(node.nowMs - asked).toBeGreaterThanOrEqual(H);
    expect(node.view.role).toBe("preCandidate");
  });

  it("a granted vote gives the winner time: the voter's own timer starts anew", () => {
    const node = voter();
    node.wake();
    const before = node.nowMs;
    node.receive(2, voteRequest(2, 2, 1));
    node.wake();
    expect(node.nowMs - before).toBeGreaterThanOrEqual(H);
  });
});

describe("groups", () => {
  it("elect in one term, whatever the priorities, also when every timer runs out at once", () => {
    const priorities = [
      [0, 0, 0],
      [9, 0, 0],
      [0, 9, 0],
      [0, 0, 9],
      [1, 2, 3],
      [3, 2, 1],
      [100, 100, 0],
    ];
    for (const [seed, given] of priorities.entries()) {
      const cluster = new Cluster({ size: 3, seed: seed + 1, priorities: given });
      cluster.run(2_000);
      cluster.crash(cluster.leader());
      cluster.nowMs += 3_000;
      for (const position of cluster.members.keys()) {
        if (cluster.isRunning(position)) cluster.step(position, { kind: "tick" });
      }
      cluster.run(2_500);
      expect(cluster.holders()).toHaveLength(1);
      expect(cluster.core(cluster.leader()).view(cluster.now).term).toBe(2);
    }
  });

  it("of members that are all ineligible have a leader, and no holder until one is eligible again", () => {
    const cluster = new Cluster({ size: 3 });
    for (const position of cluster.members.keys()) cluster.step(position, { kind: "setEligible", eligible: false });
    cluster.run(6_000);
    expect(cluster.holders()).toEqual([]);
    expect(cluster.core(cluster.leader()).view(cluster.now).role).toBe("leader");
    cluster.step((cluster.leader() + 1) % 3, { kind: "setEligible", eligible: true });
    cluster.run(1_000);
    expect(cluster.holders()).toHaveLength(1);
  });
});
