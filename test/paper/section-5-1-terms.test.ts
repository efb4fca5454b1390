/**
 * Ongaro & Ousterhout, "In search of an understandable consensus algorithm (extended version)", 2014, section 5.1:
 * terms. One test per claim, as init, act, check.
 */
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/raft/message.ts";
import { hardStateOf } from "../support/entries.ts";
import { appendReply, appendRequest, preVoteReply, voteReply, voteRequest } from "../support/messages.ts";
import { eventsOf, only, Solo } from "../support/solo.ts";

/** Each way in which a message tells of a term that is newer than one's own. */
function newsOf(atTerm: number): readonly (readonly [string, Message])[] {
  return [
    ["an append request", appendRequest(atTerm)],
    ["a refused append reply", appendReply(atTerm, { accepted: false })],
    ["an accepted append reply", appendReply(atTerm)],
    ["a vote request", voteRequest(atTerm, 9, 9)],
    ["a vote request that is refused", voteRequest(atTerm, 0, 0)],
    ["a refused vote", voteReply(atTerm, false)],
    ["a granted vote", voteReply(atTerm, true)],
    ["a refused PreVote", preVoteReply(atTerm, false)],
  ];
}

function inTerm(atTerm: number, votedFor: number | null = null): Solo {
  return new Solo({ hardState: hardStateOf(atTerm, votedFor) });
}

describe("5.1 terms", () => {
  it("5.1: each term begins with an election, in which the candidate's term is one above its own", () => {
    const node = inTerm(4);
    node.campaign();
    expect(node.view.term).toBe(5);
  });

  it.each(newsOf(9))("5.1: a follower that hears of a larger term from %s takes it over", (_, message) => {
    const node = inTerm(4, 1);
    node.receive(2, message);
    expect(node.view.term).toBe(9);
    expect(node.hardState).toMatchObject({ term: 9 });
  });

  it.each(newsOf(9))("5.1: a candidate that hears of a larger term from %s becomes a follower", (_, message) => {
    const node = inTerm(4);
    node.campaign();
    const effects = node.receive(2, message);
    expect(node.view).toMatchObject({ role: "follower", term: 9 });
    expect(eventsOf(effects, "roleChanged")).toEqual([{ kind: "roleChanged", role: "follower", term: 9 }]);
  });

  it.each(newsOf(9))("5.1: a leader that hears of a larger term from %s becomes a follower", (_, message) => {
    const node = inTerm(4).hold();
    node.receive(2, message);
    expect(node.view).toMatchObject({ role: "follower", term: 9, held: null });
  });

  it.each(newsOf(9))("5.1: a larger term, from %s, is durable before anything else is sent", (_, message) => {
    const node = inTerm(4);
    const { persist } = node.receive(2, message);
    expect(persist?.hardState).toMatchObject({ term: 9 });
  });

  it("5.1: an append of a stale term is rejected, with the newer term, and changes nothing", () => {
    const node = inTerm(4);
    const effects = node.receive(1, appendRequest(3));
    expect(only(effects, "appendReply")).toMatchObject({ accepted: false, term: 4 });
    expect(effects.persist).toBeNull();
    expect(node.view).toMatchObject({ term: 4, leader: null });
  });

  it("5.1: a vote request of a stale term is rejected, with the newer term, and changes nothing", () => {
    const node = inTerm(4);
    const effects = node.receive(1, voteRequest(3, 9, 9));
    expect(only(effects, "voteReply")).toMatchObject({ granted: false, term: 4 });
    expect(effects.persist).toBeNull();
  });

  it("5.1: a vote of a stale term does not count", () => {
    const node = inTerm(4);
    node.campaign();
    for (const from of [1, 2]) node.receive(from, voteReply(4, true));
    expect(node.view.role).toBe("candidate");
  });

  it("5.1: an append reply of a stale term does not count", () => {
    const node = inTerm(4);
    node.elect();
    node.persisted();
    for (const from of [1, 2]) node.receive(from, appendReply(4, { round: 1, matchIndex: 1 }));
    expect(node.view).toMatchObject({ role: "leader", term: 5, commitIndex: 0, leaseRuns: false });
  });

  it("5.1: the term never falls, whatever arrives", () => {
    const node = inTerm(9);
    for (const atTerm of [0, 3, 8]) {
      for (const [, message] of newsOf(atTerm)) node.receive(1, message);
      expect(node.view.term).toBe(9);
    }
  });

  it("5.1: the current term and the vote outlive a restart", () => {
    const node = inTerm(4);
    node.receive(2, voteRequest(6));
    const again = new Solo({ hardState: node.hardState });
    expect(again.view.term).toBe(6);
    expect(only(again.receive(1, voteRequest(6)), "voteReply").granted).toBe(false);
    expect(only(again.receive(2, voteRequest(6)), "voteReply").granted).toBe(true);
  });
});
