/**
 * The leader's lock, rule by rule (DESIGN, section 2: L1 to L8), on one core whose peers are played by the test.
 */
import { describe, expect, it } from "vitest";
import { memberAt } from "../../support/cluster.ts";
import { baseOf, claim, config, configurationOf, hardStateOf, noop, nowOf, release } from "../../support/entries.ts";
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
    const node = new Solo();
    const effects = node.elect();
    const rounds = new Set(sent(effects, "appendRequest").map(({ round }) => round));
    expect(rounds.size).toBe(1);
    node.after(D / 2);
    // Sent between rounds: its ack counts for the old instant only.
    const again = only(node.ack(1, { accepted: false, matchIndex: 0 }), "appendRequest");
    expect(rounds.has(again.round)).toBe(true);
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
    const node = new Solo({ base, hardState: hardStateOf(1), entries: [config(1, 1, configurationOf([0, 1, 2, 4], [3]))] });
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
    expect(node.receive(1, appendRequest(1, { leaseDurationMs: D + 1 })).persist?.hardState?.largestPromiseMs).toBe(D + 1);
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

describe("L6 the claim", () => {
  it("needs all of: the wait over, an entry of the own term committed, the lease ahead", () => {
    const node = new Solo();
    node.elect(200);
    node.persisted();
    node.ack(1);
    expect(node.view).toMatchObject({ commitIndex: 1, leaseRuns: true, lastIndex: 1 });
    node.after(199).tick();
    expect(node.view.lastIndex).toBe(1);
    node.after(1).tick();
    expect(node.entries.at(-1)).toEqual(claim(2, 1, 0));
  });

  it("is not made while the lease is over, even if all else is there", () => {
    const node = new Solo();
    node.elect(D - 50);
    node.persisted();
    node.ack(1);
    for (let step = 0; step < 9; step += 1) node.wake();
    node.after(H).tick();
    expect(node.view).toMatchObject({ role: "leader", leaseRuns: false, lastIndex: 1 });
  });

  it("is not held before it is committed, nor by a minority's disks", () => {
    const node = new Solo();
    node.elect();
    node.persisted();
    node.ack(1);
    expect(node.view).toMatchObject({ lastIndex: 2, held: null });
    expect(node.persisted().events).toEqual([]);
    expect(node.view.held).toBeNull();
    expect(eventsOf(node.ack(1), "holding")).toHaveLength(1);
    expect(node.view.held?.tenure).toMatchObject({ claim: 2, token: 1_000_002, holder: memberAt(0) });
  });

  it("is looked at twice: a commit that took longer than the lease gives nothing (etcd#11456)", () => {
    const node = new Solo();
    node.elect();
    node.persisted();
    node.ack(1);
    node.persisted();
    const claimed = node.asked(1);
    node.after(U);
    const late = node.receive(1, appendReply(1, { round: claimed.round, matchIndex: 2 }));
    expect(late.apply).toEqual([claim(2, 1, 0)]);
    expect(eventsOf(late, "holding")).toEqual([]);
    expect(node.view).toMatchObject({ held: null, commitIndex: 2 });
  });

  it("of an earlier leader that is committed now is not one's own", () => {
    const node = new Solo({ hardState: hardStateOf(1), entries: [noop(1, 1), claim(2, 1, 2)] });
    node.elect();
    node.persisted();
    const committed = node.ack(1);
    expect(eventsOf(committed, "tenureCommitted")).toMatchObject([{ tenure: { holder: memberAt(2) } }]);
    expect(eventsOf(committed, "holding")).toEqual([]);
    expect(node.view).toMatchObject({ held: null, lastIndex: 4 });
  });

  it("of one's own earlier term that is committed now is not held either (a restarted holder)", () => {
    const node = new Solo({ hardState: hardStateOf(1, 0, 0), entries: [noop(1, 1), claim(2, 1, 0)] });
    node.elect();
    node.persisted();
    expect(eventsOf(node.ack(1), "holding")).toEqual([]);
    expect(node.view.held).toBeNull();
    node.persisted();
    node.ack(1);
    expect(node.view.held?.tenure.claim).toBe(4);
  });

  it("a lapse is for good: acks that come later renew the lease, not the tenure, and the next token is larger", () => {
    const node = new Solo().hold();
    const first = node.view.held?.tenure.token;
    const held = node.nowMs;
    node.wake();
    const { round } = node.asked(1);
    node.at(held + U);
    const late = node.receive(1, appendReply(1, { round, matchIndex: 2 }));
    expect(eventsOf(late, "lapsed")).toEqual([{ kind: "lapsed", claim: 2, term: 1 }]);
    expect(node.view).toMatchObject({ leaseRuns: true, held: null });
    expect(late.persist?.entries).toEqual([claim(3, 1, 0)]);
    node.persisted();
    node.ack(1);
    expect(Number(node.view.held?.tenure.token)).toBeGreaterThan(Number(first));
  });

  it("a claim that lapsed before its commit is not held when it is committed after all", () => {
    const node = new Solo();
    node.elect();
    node.persisted();
    node.ack(1);
    node.persisted();
    for (let step = 0; step < 9; step += 1) node.wake();
    expect(node.view).toMatchObject({ role: "leader", leaseRuns: false });
    const late = node.ack(2, { matchIndex: 2 });
    expect(eventsOf(late, "holding")).toEqual([]);
    expect(node.view.held).toBeNull();
    // The lease runs again, so a second claim follows the first.
    expect(node.entries.filter(({ kind }) => kind === "claim")).toHaveLength(2);
  });

  it("an ineligible leader does not claim; what it holds it keeps", () => {
    const holder = new Solo().hold();
    holder.step({ kind: "setEligible", eligible: false });
    holder.wake();
    holder.ack(1);
    expect(holder.view.held).not.toBeNull();
    const waiting = new Solo({ voters: 1 });
    waiting.step({ kind: "setEligible", eligible: false });
    for (let tries = 0; tries < 7; tries += 1) waiting.wake();
    waiting.persisted();
    expect(waiting.view).toMatchObject({ role: "leader", commitIndex: 1, lastIndex: 1, held: null });
    waiting.step({ kind: "setEligible", eligible: true });
    expect(waiting.entries.at(-1)?.kind).toBe("claim");
  });
});

describe("L7 the transfer", () => {
  it("(2) revokes before anything is sent, for good in this term", () => {
    const node = new Solo().hold();
    const effects = node.resign(1);
    expect(node.view).toMatchObject({ held: null, revoked: true });
    expect(eventsOf(effects, "released")).toEqual([{ kind: "released", claim: 2, term: 1 }]);
    for (const peer of [1, 2]) node.ack(peer);
    node.tick();
    expect(node.view.held).toBeNull();
    expect(node.resign(2)).toMatchObject({ persist: null, send: [], events: [] });
  });

  it("(3) the certificate is given only by a leader whose own wait was over", () => {
    const early = new Solo();
    early.elect(300);
    early.ack(1);
    expect(only(early.after(299).resign(1), "timeoutNow")).toEqual(timeoutNow(1));
    const late = new Solo();
    late.elect(300);
    late.ack(1);
    expect(only(late.after(300).resign(1), "timeoutNow")).toEqual(timeoutNow(1, 1));
  });

  it("(4) the certificate voids promises made to its term, the candidate's own too, and no others", () => {
    const cases = [
      [1, 0],
      [0, 640],
      [null, 640],
    ] as const;
    for (const [promiseTerm, waitMs] of cases) {
      const node = new Solo();
      node.receive(1, appendRequest(1));
      node.receive(1, timeoutNow(1, 1));
      const won = node.receive(2, voteReply(2, true, 640, promiseTerm));
      expect(eventsOf(won, "waiting").map((event) => event.waitMs)).toEqual(waitMs === 0 ? [] : [waitMs]);
    }
  });

  it("(4) is for one campaign: the next one counts everything again", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1));
    node.receive(1, timeoutNow(1, 1));
    node.elect();
    const promisedUntil = D;
    expect(node.nowMs).toBeLessThan(promisedUntil);
    node.after(0).persisted();
    node.ack(1);
    expect(node.view.lastIndex).toBe(1);
  });

  it("(5) is obeyed in the receiver's own term only, and only from its leader", () => {
    const node = new Solo({ hardState: hardStateOf(2) });
    node.receive(1, timeoutNow(2, 2));
    expect(node.view.role).toBe("follower");
    node.receive(1, appendRequest(2));
    for (const [from, atTerm] of [[1, 1], [1, 3], [2, 2]] as const) node.receive(from, timeoutNow(atTerm, atTerm));
    expect(node.view).toMatchObject({ role: "follower", term: 2 });
    node.receive(1, timeoutNow(2, 2));
    expect(node.view).toMatchObject({ role: "candidate", term: 3 });
  });

  it("(6) failed, it ends in a step-down; the lock is held again only in a later term, after the wait", () => {
    const node = new Solo().hold();
    node.resign(1);
    const promised = node.nowMs + D;
    const failed = node.wake();
    expect(eventsOf(failed, "transferFailed")).toHaveLength(1);
    expect(node.view).toMatchObject({ role: "follower", term: 1 });
    node.elect();
    expect(node.view.term).toBe(2);
    node.persisted();
    node.ack(1);
    expect(node.nowMs).toBeLessThan(promised);
    expect(node.entries.filter(({ kind }) => kind === "claim")).toHaveLength(1);
  });

  it("sends no heartbeats while it lasts, and is not prolonged by acks", () => {
    const node = new Solo().hold();
    node.resign(1);
    const deadline = node.nowMs + 2 * H;
    for (let step = 0; step < 3; step += 1) {
      expect(node.after(H / 2).tick().send).toEqual([]);
      node.receive(2, appendReply(1, { round: 3, matchIndex: 2 }));
    }
    node.at(deadline).tick();
    expect(node.view.role).toBe("follower");
  });

  it("without anybody to hand over to: the release is written, and a new term decides", () => {
    const node = new Solo().hold();
    node.ack(1, { eligible: false });
    const effects = node.resign();
    expect(effects.persist?.entries).toEqual([release(3, 1, 2)]);
    expect(sent(effects, "timeoutNow")).toEqual([]);
    node.wake();
    expect(node.view.role).toBe("follower");
  });

  it("brings a target up to date before it is told to campaign", () => {
    const node = new Solo().hold();
    node.ack(2, { matchIndex: 0 });
    const effects = node.resign(2);
    const toTarget = effects.send.filter(({ to }) => to.name === "m2").map(({ message }) => message.kind);
    expect(toTarget).toEqual(["appendRequest", "timeoutNow"]);
  });

  it.each([
    ["a short", 300, U - 1, true],
    ["a long", 60_000, U + 1, false],
  ])("the target was heard within U of this leader, who followed one with %s D before", (_, before, agoMs, able) => {
    const node = new Solo();
    node.receive(1, appendRequest(1, { leaseDurationMs: before }));
    node.elect();
    node.ack(1);
    node.after(agoMs);
    expect(node.core.transferTarget("m1", nowOf(node.nowMs)) !== null).toBe(able);
  });

  it("the successor writes down the release of the claim that the certificate's leader gave up", () => {
    const stored = { hardState: hardStateOf(1, 1, D), entries: [noop(1, 1), claim(2, 1, 1)] };
    const node = new Solo(stored);
    node.receive(1, appendRequest(1, { prevIndex: 2, prevTerm: 1, commitIndex: 2, holding: 2 }));
    node.receive(1, timeoutNow(1, 1));
    const won = node.receive(2, voteReply(2, true, D, 1));
    expect(won.persist?.entries).toEqual([noop(3, 2), release(4, 2, 2)]);
    node.persisted();
    node.ack(2);
    expect(node.view.history).toMatchObject([{ claim: 2, released: true }]);
  });

  it.each([
    ["without a certificate", null, [noop(1, 1), claim(2, 1, 1)]],
    ["when the claim is of another term", 2, [noop(1, 1), claim(2, 1, 1)]],
    ["when it was released already", 2, [noop(1, 2), claim(2, 2, 1), release(3, 2, 2)]],
    ["when there was no claim", 2, [noop(1, 2)]],
  ])("no release is written %s", (_, certificate, entries) => {
    const node = new Solo({ hardState: hardStateOf(2, 1, D), entries });
    const last = entries.at(-1) ?? noop(1, 1);
    node.receive(1, appendRequest(2, { prevIndex: last.index, prevTerm: last.term }));
    node.receive(1, timeoutNow(2, certificate));
    const won = node.receive(2, voteReply(3, true, 0, null));
    expect(won.persist?.entries.map(({ kind }) => kind)).toEqual(["noop"]);
  });
});

describe("L8 a leader without a majority", () => {
  it("stops D after the newest round that a majority acknowledged: no heartbeat at or after it", () => {
    const node = new Solo().hold();
    const acked = node.nowMs;
    let heartbeats = 0;
    while (node.nowMs < acked + D - H) heartbeats += sent(node.wake(), "appendRequest").length;
    expect(heartbeats).toBe(2 * (D / H - 1));
    const last = node.at(acked + D).tick();
    expect(last.send).toEqual([]);
    expect(node.view).toMatchObject({ role: "follower", leader: null, term: 1 });
    expect(node.after(H).tick().send).toEqual([]);
  });

  it("counts from its election when nobody ever acknowledged", () => {
    const node = new Solo();
    node.elect();
    const elected = node.nowMs;
    node.at(elected + D - 0.001).tick();
    expect(node.view.role).toBe("leader");
    node.at(elected + D).tick();
    expect(node.view.role).toBe("follower");
  });

  it("an ack of a minority does not keep it", () => {
    const node = new Solo({ voters: 5 }).hold();
    const acked = node.nowMs;
    while (node.nowMs < acked + D - H) {
      node.wake();
      node.ack(1);
    }
    node.at(acked + D).tick();
    expect(node.view.role).toBe("follower");
  });

  it("by the faster of its clocks: a suspended machine does not lead on", () => {
    const node = new Solo().hold();
    node.suspendedMs = D;
    node.tick();
    expect(node.view.role).toBe("follower");
  });
});
