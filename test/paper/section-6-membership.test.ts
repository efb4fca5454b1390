/**
 * Raft paper (extended version, 2014), section 6, and Ongaro's dissertation, chapter 4: membership, as a server obeys
 * the configuration entries of its log. Who appends them, and when, is in dissertation-4-1-changes.test.ts.
 *
 * The paper's joint consensus is not used: one server is added or removed at a time (dissertation, 4.1).
 */
import { describe, expect, it } from "vitest";
import { majoritySize } from "../../src/lease/majority.ts";
import { baseOf, config, configurationOf, hardStateOf, logOf, noop, nowOf, votersOf } from "../support/entries.ts";
import {
  appendReply,
  appendRequest,
  preVoteReply,
  preVoteRequest,
  voteReply,
  voteRequest,
} from "../support/messages.ts";
import { eventsOf, only, positionOf, Solo } from "../support/solo.ts";

const FOUR = configurationOf([0, 1, 2, 3]);

/** m0 of three, whose log ends with a configuration that the founders did not have. */
function withEntry(configuration = FOUR, self = 0): Solo {
  return new Solo({ self, hardState: hardStateOf(1), entries: [noop(1, 1), config(2, 1, configuration)] });
}

function askedBy(node: Solo): readonly number[] {
  return node.wake().send.map(({ to }) => positionOf(to));
}

describe("6 and 4.1 configurations", () => {
  it("6: a server uses the latest configuration in its log, committed or not", () => {
    const node = withEntry();
    expect(node.view).toMatchObject({ commitIndex: 0, configuration: FOUR });
    expect(askedBy(node)).toEqual([1, 2, 3]);
  });

  it("6: from the moment it is appended: a follower that gets it campaigns among its voters", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1, { entries: [noop(1, 1), config(2, 1, FOUR)] }));
    expect(node.view.commitIndex).toBe(0);
    expect(askedBy(node)).toEqual([1, 2, 3]);
  });

  it("4.1: a configuration that is cut off with a conflict falls back to the one before it", () => {
    const node = withEntry();
    node.receive(1, appendRequest(2, { prevIndex: 1, prevTerm: 1, entries: [noop(2, 2)] }));
    expect(node.view.configuration).toEqual(votersOf(3));
    expect(askedBy(node)).toEqual([1, 2]);
  });

  it("4.1: elections need a majority of the new configuration", () => {
    const node = withEntry();
    node.wake();
    node.receive(1, preVoteReply(2, true));
    expect(node.view.role).toBe("preCandidate");
    node.receive(3, preVoteReply(2, true));
    expect(node.view.role).toBe("candidate");
    node.receive(1, voteReply(2, true));
    expect(node.view.role).toBe("candidate");
    node.receive(3, voteReply(2, true));
    expect(node.view.role).toBe("leader");
  });

  it("4.1: commits and the lease need a majority of the new configuration", () => {
    const node = withEntry();
    node.wake();
    for (const from of [1, 3]) node.receive(from, preVoteReply(2, true));
    for (const from of [1, 3]) node.receive(from, voteReply(2, true));
    node.persisted();
    node.ack(1);
    expect(node.view).toMatchObject({ commitIndex: 0, leaseRuns: false });
    node.ack(3);
    expect(node.view).toMatchObject({ commitIndex: 3, leaseRuns: true });
  });

  it("4.1: any majority of one configuration and any of the next, one server apart, share a server", () => {
    for (let size = 1; size < 128; size += 1) {
      expect(majoritySize(size) + majoritySize(size + 1)).toBeGreaterThan(size + 1);
    }
  });

  it("4.1: a server that the latest configuration does not name any more does not campaign", () => {
    const node = new Solo({ hardState: hardStateOf(1), entries: [noop(1, 1), config(2, 1, configurationOf([1, 2]))] });
    expect(askedBy(node)).toEqual([]);
    expect(node.view.role).toBe("follower");
  });

  it("4.1: a server handles requests of servers that its configuration does not know", () => {
    const node = new Solo({ hardState: hardStateOf(1) });
    expect(only(node.receive(4, voteRequest(2, 5, 1)), "voteReply").granted).toBe(true);
    expect(only(node.receive(4, appendRequest(2)), "appendReply").accepted).toBe(true);
    expect(node.view.leader).not.toBeNull();
  });
});

describe("6 and 4.2.1 learners", () => {
  const learner = baseOf(configurationOf([0, 1, 2], [3]));

  it("6: a new server first joins as a non-voting member: it gets all entries and counts in no majority", () => {
    const node = new Solo({ base: learner, voters: 3 });
    node.elect();
    node.persisted();
    expect(node.asked(3).entries).toEqual([noop(1, 1)]);
    node.ack(3);
    expect(node.view).toMatchObject({ commitIndex: 0, leaseRuns: false });
    node.ack(1);
    expect(node.view.commitIndex).toBe(1);
  });

  it("4.2.1: nobody asks a learner for a vote, and what it says is no ballot", () => {
    const node = new Solo({ base: learner });
    expect(askedBy(node)).toEqual([1, 2]);
    node.receive(3, preVoteReply(1, true));
    expect(node.view.role).toBe("preCandidate");
    node.receive(1, preVoteReply(1, true));
    node.receive(3, voteReply(1, true));
    expect(node.view.role).toBe("candidate");
  });

  it("4.2.1: what a learner promised makes nobody wait, and what it refuses or grants decides nothing", () => {
    const node = new Solo({ base: learner });
    node.campaign();
    node.receive(3, voteReply(1, true, 9_000, 0));
    expect(eventsOf(node.receive(1, voteReply(1, true)), "waiting")).toEqual([]);
    const loser = new Solo({ base: baseOf(configurationOf([0, 1, 2], [3, 4])) });
    loser.campaign();
    loser.receive(1, voteReply(1, false));
    loser.receive(3, voteReply(1, true));
    expect(loser.view.role).toBe("candidate");
    loser.receive(2, voteReply(1, false));
    expect(loser.view.role).toBe("follower");
  });

  it("4.2.1: a learner never campaigns, however long it hears nothing", () => {
    const node = new Solo({ self: 3, base: learner });
    for (let tries = 0; tries < 20; tries += 1) expect(node.wake().send).toEqual([]);
    expect(node.view).toMatchObject({ role: "follower", term: 0 });
  });

  it("4.2.1: a learner stores, acknowledges and applies like any follower", () => {
    const node = new Solo({ self: 3, base: learner });
    const effects = node.receive(0, appendRequest(1, { entries: logOf(1, 1), commitIndex: 2 }));
    expect(only(effects, "appendReply")).toMatchObject({ accepted: true, matchIndex: 2 });
    expect(effects.apply).toHaveLength(2);
  });

  it("4.2.1: a promoted learner counts from then on, with what it has already stored", () => {
    const promoted = [noop(1, 1), config(2, 1, FOUR)];
    const node = new Solo({ self: 3, base: learner, hardState: hardStateOf(1), entries: promoted });
    expect(askedBy(node)).toEqual([0, 1, 2]);
  });

  it("4.2.2: a removed server counts for nothing: neither its ballot nor its ack", () => {
    const node = new Solo({ hardState: hardStateOf(1), entries: [config(1, 1, configurationOf([0, 1]))] });
    node.wake();
    node.receive(2, preVoteReply(2, true));
    expect(node.view.role).toBe("preCandidate");
    node.receive(1, preVoteReply(2, true));
    node.receive(2, voteReply(2, true));
    expect(node.view.role).toBe("candidate");
    node.receive(1, voteReply(2, true));
    node.persisted();
    node.receive(2, appendReply(2, { round: 1, matchIndex: 2 }));
    expect(node.view).toMatchObject({ role: "leader", commitIndex: 0, leaseRuns: false });
  });
});

describe("6 and 4.2.3 disruptive servers", () => {
  it("6: removed servers that hear nothing and campaign are refused while a leader is heard; no term is spent", () => {
    const node = new Solo({ hardState: hardStateOf(1), entries: [config(1, 1, configurationOf([0, 1, 2]))] });
    node.receive(1, appendRequest(1, { prevIndex: 1, prevTerm: 1 }));
    const effects = node.receive(4, preVoteRequest(9, 9, 1));
    expect(only(effects, "preVoteReply").granted).toBe(false);
    expect(node.view.term).toBe(1);
    expect(node.core.wakeAt(nowOf(0))).toBeGreaterThan(0);
  });
});
