/**
 * Ongaro's dissertation, section 9.6: preventing disruptions when a server rejoins the cluster (PreVote). One test per
 * claim, as init, act, check.
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";
import { hardStateOf, logOf, nowOf } from "../support/entries.ts";
import { appendRequest, preVoteReply, preVoteRequest, voteRequest } from "../support/messages.ts";
import { eventsOf, only, sent, Solo } from "../support/solo.ts";
import { H, U, WINDOW } from "../support/timing.ts";

describe("9.6 the candidate", () => {
  it("9.6: asks for PreVotes of the term it would campaign in, and changes neither term nor vote for it", () => {
    const node = new Solo({ hardState: hardStateOf(4, 2), entries: logOf(1, 3) });
    const effects = node.wake();
    expect(effects.persist).toBeNull();
    for (const request of sent(effects, "preVoteRequest")) {
      expect(request).toMatchObject({ term: 5, lastIndex: 2, lastTerm: 3 });
    }
    expect(node.view).toMatchObject({ role: "preCandidate", term: 4 });
  });

  it("9.6: increments its term only once it has learned from a majority that they would vote for it", () => {
    const node = new Solo({ voters: 5, hardState: hardStateOf(4) });
    node.wake();
    node.receive(1, preVoteReply(5, true));
    node.receive(1, preVoteReply(5, true));
    expect(node.view).toMatchObject({ role: "preCandidate", term: 4 });
    expect(node.receive(2, preVoteReply(5, true)).persist?.hardState).toMatchObject({ term: 5 });
    expect(node.view).toMatchObject({ role: "candidate", term: 5 });
  });

  it("9.6: refused by a majority it spends no term, and tries again later, at another instant", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    node.wake();
    node.receive(1, preVoteReply(4, false));
    const refused = node.receive(2, preVoteReply(4, false));
    expect(eventsOf(refused, "electionEnded")).toEqual([{ kind: "electionEnded", outcome: "refused", term: 4 }]);
    expect(node.view).toMatchObject({ role: "follower", term: 4 });
    const before = node.nowMs;
    node.wake();
    expect(node.nowMs - before).toBeLessThanOrEqual(WINDOW);
    expect(node.view.role).toBe("preCandidate");
  });

  it("9.6: refused again and again it asks at leisure: the leader that the others hear is not flooded", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    const waits = Array.from({ length: 8 }, () => {
      node.wake();
      const asked = node.nowMs;
      for (const from of [1, 2]) node.receive(from, preVoteReply(4, false));
      return node.core.wakeAt(nowOf(asked)) - asked;
    });
    for (const waitMs of waits.slice(0, 3)) expect(waitMs).toBeLessThanOrEqual(WINDOW);
    for (const waitMs of waits.slice(3)) expect(waitMs).toBeGreaterThanOrEqual(H);
  });

  it("9.6: cut off for long it does not run up its term", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    for (let tries = 0; tries < 100; tries += 1) node.wake();
    expect(node.view.term).toBe(4);
    expect(node.hardState.term).toBe(4);
  });

  it("9.6: PreVotes that were given for another term do not count", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    node.wake();
    for (const from of [1, 2]) node.receive(from, preVoteReply(4, true));
    for (const from of [1, 2]) node.receive(from, preVoteReply(6, true));
    expect(node.view).toMatchObject({ role: "preCandidate", term: 4 });
  });

  it("9.6: a leader that shows itself ends the attempt", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    node.wake();
    node.receive(1, appendRequest(4));
    for (const from of [1, 2]) node.receive(from, preVoteReply(5, true));
    expect(node.view).toMatchObject({ role: "follower", term: 4 });
  });

  it("9.6: PreVotes that come after it gave its own vote away do not count", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    node.wake();
    node.receive(2, voteRequest(4));
    node.receive(1, preVoteReply(5, true));
    expect(node.view).toMatchObject({ role: "follower", term: 4 });
  });
});

describe("9.6 the others", () => {
  it.each([
    ["a log as good as its own", 5, 2, 3, true],
    ["a longer log", 5, 3, 3, true],
    ["a shorter log", 5, 1, 3, false],
    ["an older last term", 5, 9, 2, false],
    ["its own term", 4, 2, 3, false],
    ["an older term", 3, 2, 3, false],
  ])("9.6: with %s (term %d, last %d of term %d) granted: %s", (_, atTerm, lastIndex, lastTerm, granted) => {
    const node = new Solo({ hardState: hardStateOf(4), entries: logOf(1, 3) });
    const reply = only(node.receive(1, preVoteRequest(atTerm, lastIndex, lastTerm)), "preVoteReply");
    expect(reply).toEqual(preVoteReply(granted ? atTerm : 4, granted));
  });

  it("9.6: would vote only if they have not heard from a leader for the minimum election timeout", () => {
    const node = new Solo({ hardState: hardStateOf(4, null, 1) });
    node.receive(1, appendRequest(4));
    expect(only(node.at(U - 1).receive(2, preVoteRequest(5)), "preVoteReply").granted).toBe(false);
    expect(only(node.at(U).receive(2, preVoteRequest(5)), "preVoteReply").granted).toBe(true);
  });

  it("9.6: a restarted server does not remember whether it heard one: it takes it that it did, for as long", () => {
    const node = new Solo({ hardState: hardStateOf(4, null, 1), bootedAtMs: 5_000 });
    expect(only(node.at(5_000 + U - 1).receive(2, preVoteRequest(5)), "preVoteReply").granted).toBe(false);
    expect(only(node.at(5_000 + U).receive(2, preVoteRequest(5)), "preVoteReply").granted).toBe(true);
    const newcomer = new Solo({ hardState: hardStateOf(4) });
    expect(only(newcomer.receive(2, preVoteRequest(5)), "preVoteReply").granted).toBe(true);
  });

  it("9.6: answering costs them nothing: not the term, not the vote, not the timeout, not a write", () => {
    const node = new Solo({ hardState: hardStateOf(4, 2) });
    const wakeAt = node.core.wakeAt(nowOf(0));
    const effects = node.receive(1, preVoteRequest(9));
    expect(only(effects, "preVoteReply").granted).toBe(true);
    expect(effects.persist).toBeNull();
    expect(node.view.term).toBe(4);
    expect(node.core.wakeAt(nowOf(0))).toBe(wakeAt);
  });

  it("9.6: may grant it to several at once: it is no vote", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    for (const from of [1, 2, 1]) {
      expect(only(node.receive(from, preVoteRequest(5)), "preVoteReply").granted).toBe(true);
    }
  });

  it("9.6: a refusal names the newer term, so that who fell behind learns it without disturbing anyone", () => {
    const node = new Solo({ hardState: hardStateOf(9, null, 1) });
    const refusal = only(node.receive(1, preVoteRequest(5, 9, 9)), "preVoteReply");
    expect(refusal).toEqual(preVoteReply(9, false));
    const behind = new Solo({ hardState: hardStateOf(4) });
    behind.wake();
    behind.receive(1, refusal);
    expect(behind.view).toMatchObject({ role: "follower", term: 9 });
  });
});

describe("9.6 together", () => {
  it("9.6: a server that rejoins with a long but useless log cannot depose a leader", () => {
    const behind = { hardState: hardStateOf(3, 2, 1), entries: logOf(1) };
    const useless = { hardState: hardStateOf(3, 2, 1), entries: logOf(1, 3, 3, 3, 3, 3, 3, 3) };
    const cluster = new Cluster({ size: 3, stored: [behind, behind, useless] });
    cluster.isolate(2);
    cluster.run(2_000);
    const [leader = -1] = cluster.holders();
    const before = cluster.core(leader).view(cluster.now).term;
    cluster.run(5_000);
    cluster.heal();
    cluster.run(5_000);
    expect(cluster.holders()).toEqual([leader]);
    expect(cluster.core(leader).view(cluster.now).term).toBe(before);
    expect(cluster.core(2).view(cluster.now).leader).toBe(cluster.members[leader]?.id);
    expect(cluster.disk(2).entries).toEqual(cluster.disk(leader).entries);
  });

  it("9.6: after a crash of the leader an election still takes place, in one further term", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const cluster = new Cluster({ size: 5, seed });
      cluster.run(2_000);
      const old = cluster.leader();
      cluster.crash(old);
      cluster.run(2_500);
      expect(cluster.holders()).toHaveLength(1);
      expect(cluster.core(cluster.leader()).view(cluster.now).term).toBe(2);
    }
  });
});
