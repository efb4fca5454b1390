/**
 * Ongaro's dissertation, section 3.10: leadership transfer. One test per claim, as init, act, check.
 *
 * Where tenure differs, the test says so: the section lets a prior leader resume when the transfer fails, which
 * tenure never does, because the lease has been revoked by then (DESIGN, L7).
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";
import { baseOf, configurationOf, nowOf } from "../support/entries.ts";
import { appendRequest, timeoutNow, voteReply, voteRequest } from "../support/messages.ts";
import { eventsOf, only, positionOf, sent, Solo } from "../support/solo.ts";
import { D, H, WINDOW } from "../support/timing.ts";

describe("3.10 the prior leader", () => {
  it("3.10: (1) it takes no new requests: from the resignation on it neither holds nor claims", () => {
    const node = new Solo().hold();
    node.resign();
    expect(node.view).toMatchObject({ held: null, revoked: true });
    const before = node.view.lastIndex;
    node.persisted();
    node.ackAll();
    node.after(H).tick();
    expect(node.view).toMatchObject({ held: null, lastIndex: before });
  });

  it("3.10: (2) it sends the target what it lacks before it tells it to start", () => {
    const node = new Solo().hold();
    node.ack(2, { matchIndex: 1 });
    const effects = node.resign(2);
    const toTarget = effects.send.filter(({ to }) => positionOf(to) === 2).map(({ message }) => message.kind);
    expect(toTarget).toEqual(["appendRequest", "timeoutNow"]);
    expect(node.asked(2).entries.at(-1)).toMatchObject({ kind: "claim" });
  });

  it("3.10: (2) a target that has everything is told at once", () => {
    const node = new Solo().hold();
    expect(node.resign(1).send.map(({ to, message }) => [positionOf(to), message.kind])).toEqual([[1, "timeoutNow"]]);
  });

  it("3.10: (3) it sends TimeoutNow to the target, and to nobody else", () => {
    const node = new Solo({ voters: 5 }).hold();
    node.ack(3);
    const told = node.resign(3).send.filter(({ message }) => message.kind === "timeoutNow");
    expect(told.map(({ to }) => positionOf(to))).toEqual([3]);
  });

  it("3.10: it steps down when it hears of the target's higher term", () => {
    const node = new Solo().hold();
    node.resign(1);
    node.receive(1, voteRequest(2, node.view.lastIndex, 1));
    expect(node.view).toMatchObject({ role: "follower", term: 2 });
  });

  it("3.10: a transfer that is not done within about an election timeout is aborted", () => {
    const node = new Solo().hold();
    node.resign(1);
    const effects = node.wake();
    expect(eventsOf(effects, "transferFailed")).toEqual([{ kind: "transferFailed", term: 1 }]);
    expect(node.nowMs).toBeLessThanOrEqual(D);
  });

  it("3.10, unlike the section: an aborted transfer ends the leadership; it is not resumed (etcd-io/raft#99)", () => {
    const node = new Solo().hold();
    node.resign(1);
    node.wake();
    expect(node.view).toMatchObject({ role: "follower", term: 1, held: null });
    for (const peer of [1, 2]) node.ack(peer, { round: 1 });
    expect(node.view).toMatchObject({ role: "follower", held: null });
  });

  it("3.10: with none named it chooses a target: eligible, lately heard, of high priority, long log", () => {
    const node = new Solo({ voters: 5 }).hold();
    node.ack(1, { eligible: false, priority: 9 });
    node.ack(2, { priority: 1 });
    node.ack(3, { priority: 3, matchIndex: 1 });
    node.ack(4, { priority: 3 });
    expect(eventsOf(node.resign(), "transferStarted")).toMatchObject([{ target: { name: "m4" } }]);
  });

  it("3.10: a target that is not a voter, not eligible or not heard within U is not taken", () => {
    const silent = new Solo({ voters: 5 }).hold();
    expect(eventsOf(silent.resign(4), "transferStarted")).toEqual([]);
    const ineligible = new Solo().hold();
    ineligible.ack(1, { eligible: false });
    expect(eventsOf(ineligible.resign(1), "transferStarted")).toEqual([]);
    const unknown = new Solo().hold();
    expect(eventsOf(unknown.resign(7), "transferStarted")).toEqual([]);
    const learner = new Solo({ base: baseOf(configurationOf([0, 1, 2], [3])) }).hold();
    learner.ack(3, { priority: 100 });
    expect(learner.core.transferTarget("m3", nowOf(learner.nowMs))).toBeNull();
    expect(eventsOf(learner.resign(), "transferStarted")).toMatchObject([{ target: { name: "m1" } }]);
  });
});

describe("3.10 the target", () => {
  it("3.10: it starts an election at once, without waiting for its timeout, with a higher term", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    const effects = node.receive(1, timeoutNow(4));
    expect(node.view).toMatchObject({ role: "candidate", term: 5 });
    expect(sent(effects, "voteRequest")).toHaveLength(2);
    expect(sent(effects, "preVoteRequest")).toEqual([]);
  });

  it("3.10: it has not lost its timeout's purpose: if it fails to win it goes on as any candidate", () => {
    const node = new Solo({ voters: 5 });
    node.receive(1, appendRequest(4));
    node.receive(1, timeoutNow(4));
    node.receive(2, voteReply(5, false));
    const started = node.nowMs;
    node.wake();
    expect(node.view.role).toBe("preCandidate");
    expect(node.nowMs - started).toBeLessThanOrEqual(D / 2 + WINDOW);
  });

  it.each([
    ["of an older term", 1, 3],
    ["of a term to come", 1, 5],
    ["from one that is not its leader", 2, 4],
  ])("3.10: a TimeoutNow %s is nothing (raft-rs#234)", (_, from, atTerm) => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    expect(node.receive(from, timeoutNow(atTerm))).toMatchObject({ persist: null, send: [] });
    expect(node.view).toMatchObject({ role: "follower", term: 4 });
  });

  it("3.10: a TimeoutNow that was delivered twice starts one election", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    node.receive(1, timeoutNow(4));
    expect(node.receive(1, timeoutNow(4))).toMatchObject({ persist: null, send: [] });
    expect(node.view.term).toBe(5);
  });

  it("3.10: nobody obeys who may not lead: an ineligible node, a node that has been elected meanwhile", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    node.step({ kind: "setEligible", eligible: false });
    expect(node.receive(1, timeoutNow(4)).send).toEqual([]);
    const leader = new Solo().hold();
    expect(leader.receive(1, timeoutNow(1)).send).toEqual([]);
    expect(leader.view.role).toBe("leader");
  });
});

describe("3.10 together", () => {
  it("3.10: the others vote for the target although they hear a leader", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    expect(only(node.receive(2, voteRequest(5)), "voteReply").granted).toBe(true);
  });

  it("3.10: an append of the prior leader does not stop the target's campaign (canonical/raft#203)", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    node.receive(1, timeoutNow(4));
    expect(only(node.receive(1, appendRequest(4)), "appendReply")).toMatchObject({ accepted: false, term: 5 });
    expect(node.view.role).toBe("candidate");
  });

  it("3.10: so a transfer takes a few round trips, from any leader to any other", () => {
    for (let size = 2; size <= 5; size += 1) {
      for (let step = 1; step < size; step += 1) {
        const cluster = new Cluster({ size });
        cluster.run(2_000);
        const [from = -1] = cluster.holders();
        const to = (from + step) % size;
        cluster.step(from, { kind: "resign", to: `m${to}`, stopped: true });
        cluster.settle();
        expect(cluster.holders()).toEqual([to]);
      }
    }
  });
});
