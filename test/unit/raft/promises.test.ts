/**
 * Leases, promises and votes, rule by rule (DESIGN, section 2: L1 to L5), on one core; the test plays its peers.
 */
import { describe, expect, it } from "vitest";
import { baseOf, config, configurationOf, hardStateOf, logOf, noop } from "../../support/entries.ts";
import { appendReply, appendRequest, timeoutNow, voteReply, voteRequest } from "../../support/messages.ts";
import { eventsOf, only, sent, Solo } from "../../support/solo.ts";
import { D, H, U } from "../../support/timing.ts";

describe("L1 the lease of the holder", () => {
  it("an ack extends the lease from the instant of its round, however long it was on its way", () => {
    const node = new Solo().hold();
    node.wake();
    const { round } = node.asked(1);
    const notedAt = node.nowMs;
    node.at(notedAt + H * 0.9);
    node.receive(1, appendReply(1, { round, matchIndex: 2 }));
    expect(node.view.held?.end).toBeCloseTo(notedAt + U, 9);
  });

  it("the instant is noted before anything is sent: the round of an append is never a later one", () => {
    const node = new Solo({ hardState: hardStateOf(1), entries: logOf(1, 1) });
    const effects = node.elect();
    const rounds = new Set(sent(effects, "appendRequest").map(({ round }) => round));
    expect(rounds.size).toBe(1);
    node.after(H / 2);
    // Sent between rounds: its ack counts for the old instant only.
    const again = only(node.ack(1, { accepted: false, matchIndex: 0 }), "appendRequest");
    expect(rounds.has(again.round)).toBe(true);
  });

  it("an ack that newer rounds have overtaken still counts for its own", () => {
    const node = new Solo().hold();
    node.wake();
    const { round } = node.asked(1);
    const notedAt = node.nowMs;
    for (let later = 0; later < 5; later += 1) node.wake();
    node.receive(1, appendReply(1, { round, matchIndex: 2 }));
    expect(node.view.held?.end).toBeCloseTo(notedAt + U, 9);
  });

  it("a refused append renews nothing, although it tells that the follower lives", () => {
    const node = new Solo().hold();
    const { end } = node.view.held ?? { end: 0 };
    node.wake();
    for (const peer of [1, 2]) node.ack(peer, { accepted: false, matchIndex: 2 });
    expect(node.view.held?.end).toBe(end);
  });

  it("an ack of a minority renews nothing", () => {
    const node = new Solo({ voters: 5 }).hold();
    const { end } = node.view.held ?? { end: 0 };
    node.wake();
    node.ack(1);
    node.ack(1);
    expect(node.view.held?.end).toBe(end);
    node.ack(2);
    expect(Number(node.view.held?.end)).toBeGreaterThan(Number(end));
  });

  it("an ack of somebody who is no member counts for nothing", () => {
    const node = new Solo();
    node.elect();
    node.persisted();
    node.receive(7, appendReply(1, { round: 1, matchIndex: 1 }));
    expect(node.view).toMatchObject({ leaseRuns: false, commitIndex: 0 });
  });

  it("the majority is that of the latest appended configuration, learners and the removed left out", () => {
    const base = baseOf(configurationOf([0, 1, 2], [3]));
    const entries = [config(1, 1, configurationOf([0, 1, 2, 4], [3]))];
    const node = new Solo({ base, hardState: hardStateOf(1), entries });
    node.wake();
    for (const from of [1, 2]) node.receive(from, { kind: "preVoteReply", term: noop(1, 2).term, granted: true });
    for (const from of [1, 2]) node.receive(from, voteReply(2, true));
    node.ack(1);
    node.ack(3);
    expect(node.view.leaseRuns).toBe(false);
    node.ack(4);
    expect(node.view.leaseRuns).toBe(true);
  });
});

describe("L2 and L3 promises", () => {
  it("L2: an accepted append promises D of its leader, not one's own", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1, { leaseDurationMs: 7_000 }));
    expect(node.promise()).toEqual({ remainingMs: 7_000, promiseTerm: 1 });
  });

  it("L2: a refused append promises nothing, and does not shorten the promise", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1, { prevIndex: 5, prevTerm: 1, leaseDurationMs: 7_000 }));
    expect(node.promise().remainingMs).toBe(0);
    node.receive(1, appendRequest(1));
    node.after(100).receive(1, appendRequest(1, { prevIndex: 5, prevTerm: 1, leaseDurationMs: 7_000 }));
    expect(node.promise()).toEqual({ remainingMs: D - 100, promiseTerm: 1 });
    expect(node.hardState.largestPromiseMs).toBe(D);
  });

  it("L2: an append of an old term promises nothing", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    node.receive(1, appendRequest(3));
    expect(node.promise()).toEqual({ remainingMs: 0, promiseTerm: null });
  });

  it("L2: the largest D is written down in the step that acknowledges it, and only when it grew", () => {
    const node = new Solo();
    const first = node.receive(1, appendRequest(1));
    expect(first.persist?.hardState?.largestPromiseMs).toBe(D);
    expect(node.receive(1, appendRequest(1)).persist).toBeNull();
    const grown = node.receive(1, appendRequest(1, { leaseDurationMs: D + 1 }));
    expect(grown.persist?.hardState?.largestPromiseMs).toBe(D + 1);
    expect(node.receive(1, appendRequest(1, { leaseDurationMs: D })).persist).toBeNull();
    expect(node.hardState.largestPromiseMs).toBe(D + 1);
  });

  it("L3: the leader makes the promise to itself with every round, and writes it down before the first is sent", () => {
    const node = new Solo();
    expect(node.elect().persist?.hardState?.largestPromiseMs).toBe(D);
    expect(node.promise()).toEqual({ remainingMs: D, promiseTerm: 1 });
    node.wake();
    expect(node.promise().remainingMs).toBe(D);
    node.after(30);
    expect(node.promise().remainingMs).toBeCloseTo(D - 30, 9);
  });

  it("L3: after a step-down the promise to itself stands, and counts in its own next election", () => {
    const node = new Solo().hold();
    node.receive(2, voteRequest(2, 9, 9));
    expect(node.promise()).toEqual({ remainingMs: D, promiseTerm: 1 });
    const heldUntil = node.nowMs + D;
    const waiting = eventsOf(node.elect(), "waiting");
    expect(waiting[0]?.waitMs).toBeCloseTo(heldUntil - node.nowMs, 9);
  });
});

describe("L4 and L5 votes", () => {
  it("L4: a restarted voter votes at once and reports all of D, to a term it forgot", () => {
    const node = new Solo({ hardState: hardStateOf(4, 1, D), bootedAtMs: 5_000 });
    const reply = only(node.receive(2, voteRequest(5)), "voteReply");
    expect(reply).toMatchObject({ granted: true, remainingMs: D, promiseTerm: null });
  });

  it("L4: the largest D ever counts, whatever the latest was, and across any number of restarts", () => {
    let node = new Solo();
    node.receive(1, appendRequest(1, { leaseDurationMs: 9_000 }));
    node.receive(1, appendRequest(1, { leaseDurationMs: 500 }));
    for (let life = 0; life < 3; life += 1) {
      node = new Solo({ hardState: node.hardState });
      expect(node.promise()).toEqual({ remainingMs: 9_000, promiseTerm: null });
    }
  });

  it("L5: the wait is until the longest promise of the granting quorum, counted from the receipt of each vote", () => {
    const node = new Solo({ voters: 5 });
    node.campaign();
    const asked = node.nowMs;
    node.receive(1, voteReply(1, true, 700, 0));
    node.after(50);
    const won = node.receive(2, voteReply(1, true, 680, 0));
    expect(eventsOf(won, "waiting")[0]?.waitMs).toBeCloseTo(680, 9);
    node.persisted();
    node.at(asked + 700).ack(1);
    node.ack(2);
    expect(node.view.lastIndex).toBe(1);
    node.at(asked + 730).ack(1);
    expect(node.view.lastIndex).toBe(2);
  });

  it("L5: a promise that was received earlier and runs longer counts too", () => {
    const node = new Solo({ voters: 5 });
    node.campaign();
    node.receive(1, voteReply(1, true, 700, 0));
    const won = node.after(50).receive(2, voteReply(1, true, 10, 0));
    expect(eventsOf(won, "waiting")[0]?.waitMs).toBeCloseTo(650, 9);
  });

  it("L5: the candidate's own promise counts like any other (braft#463)", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1));
    node.receive(1, timeoutNow(1));
    const won = node.receive(2, voteReply(2, true, 0, null));
    expect(eventsOf(won, "waiting")[0]?.waitMs).toBe(D);
  });

  it("L5: what a refusing voter promised does not count", () => {
    const node = new Solo({ voters: 5 });
    node.campaign();
    node.receive(1, voteReply(1, false, 5_000, 0));
    node.receive(2, voteReply(1, true));
    expect(eventsOf(node.receive(3, voteReply(1, true)), "waiting")).toEqual([]);
  });
});
