/**
 * Handing over, rule by rule (DESIGN, section 2: L7), on one core; the test plays its peers.
 */
import { describe, expect, it } from "vitest";
import { claim, hardStateOf, noop, nowOf, release } from "../../support/entries.ts";
import { appendReply, appendRequest, preVoteRequest, timeoutNow, voteReply } from "../../support/messages.ts";
import { eventsOf, only, sent, Solo } from "../../support/solo.ts";
import { D, H, U } from "../../support/timing.ts";

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
    for (const [from, atTerm] of [
      [1, 1],
      [1, 3],
      [2, 2],
    ] as const)
      node.receive(from, timeoutNow(atTerm, atTerm));
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

  it("a leader that has revoked stands in nobody's way: it grants PreVotes although its lease still runs", () => {
    const node = new Solo().hold();
    const ask = () => only(node.receive(2, preVoteRequest(2, 9, 1)), "preVoteReply").granted;
    expect(ask()).toBe(false);
    node.resign(1);
    expect(node.view.leaseRuns).toBe(true);
    expect(ask()).toBe(true);
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
    expect(won.persist?.entries).toEqual([noop(3, 2), release(4, 2, 2), claim(5, 2, 0)]);
    node.persisted();
    node.ack(2);
    expect(node.view.history).toMatchObject([{ claim: 5 }, { claim: 2, released: true }]);
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
    const kinds = won.persist?.entries.map(({ kind }) => kind);
    expect(kinds).toEqual(certificate === null ? ["noop"] : ["noop", "claim"]);
  });

  it("a winner by certificate that still has to wait claims only after the wait", () => {
    const node = new Solo({ hardState: hardStateOf(1, 1, D), entries: [noop(1, 1), claim(2, 1, 1)] });
    node.receive(1, appendRequest(1, { prevIndex: 2, prevTerm: 1, commitIndex: 2, holding: 2 }));
    node.receive(1, timeoutNow(1, 1));
    // What this voter owes is owed to another term, so the certificate does not cover it.
    const won = node.receive(2, voteReply(2, true, 400, null));
    expect(won.persist?.entries.map(({ kind }) => kind)).toEqual(["noop", "release"]);
    node.persisted();
    node.ack(2);
    expect(node.after(399).tick().persist).toBeNull();
    const claimed = node.after(1).tick();
    expect(claimed.persist?.entries.map(({ kind }) => kind)).toEqual(["claim"]);
  });

  it("a winner by certificate holds no sooner than its claim is committed and its lease runs", () => {
    const node = new Solo({ hardState: hardStateOf(1, 1, D), entries: [noop(1, 1), claim(2, 1, 1)] });
    node.receive(1, appendRequest(1, { prevIndex: 2, prevTerm: 1, commitIndex: 2, holding: 2 }));
    node.receive(1, timeoutNow(1, 1));
    node.receive(2, voteReply(2, true, D, 1));
    expect(node.view.held, "nobody has acknowledged anything").toBeNull();
    node.receive(2, appendReply(2, { round: 1, matchIndex: 4 }));
    node.persisted();
    expect(node.view, "the noop is committed, the claim is not").toMatchObject({ commitIndex: 4, held: null });
    node.receive(2, appendReply(2, { round: 1, matchIndex: 5 }));
    expect(node.view.held?.tenure).toMatchObject({ claim: 5, term: 2 });
  });

  it("and not at all if its lease has run out before the claim is committed", () => {
    const node = new Solo({ hardState: hardStateOf(1, 1, D), entries: [noop(1, 1), claim(2, 1, 1)] });
    node.receive(1, appendRequest(1, { prevIndex: 2, prevTerm: 1, commitIndex: 2, holding: 2 }));
    node.receive(1, timeoutNow(1, 1));
    node.receive(2, voteReply(2, true, D, 1));
    node.receive(2, appendReply(2, { round: 1, matchIndex: 4 }));
    node.after(U).receive(2, appendReply(2, { round: 1, matchIndex: 5 }));
    node.persisted();
    expect(node.view.held).toBeNull();
  });
});
