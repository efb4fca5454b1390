/**
 * Ongaro's dissertation, section 6.4.1: using clocks to reduce messaging for read-only queries, that is, the leader's
 * lease. One test per claim, as init, act, check.
 *
 * The section's lease rests on followers that refuse to vote. tenure's does not: voters report their promises and the
 * winner waits them out (DESIGN, L5). Each test says which of the two it shows.
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";
import { hardStateOf, logOf } from "../support/entries.ts";
import { appendReply, appendRequest, voteRequest } from "../support/messages.ts";
import { eventsOf, only, Solo } from "../support/solo.ts";
import { D, H, TIMING, U } from "../support/timing.ts";

describe("6.4.1 the leader's lease", () => {
  it("6.4.1: it begins when the round of heartbeats was sent, not when it was acknowledged", () => {
    const node = new Solo();
    node.elect();
    const sentAt = node.nowMs;
    node.after(H / 2).persisted();
    node.after(H / 4).ack(1);
    node.persisted();
    node.after(H / 8).ack(1);
    // The claim opened a round of its own, which is the newest that a majority has acknowledged.
    expect(node.view.held?.end).toBeCloseTo(sentAt + H * 0.75 + U, 9);
  });

  it("6.4.1: it needs acknowledgements of a majority", () => {
    const node = new Solo({ voters: 5 });
    node.elect();
    node.ack(1);
    expect(node.view.leaseRuns).toBe(false);
    node.ack(2);
    expect(node.view.leaseRuns).toBe(true);
  });

  it("6.4.1: it lasts for the election timeout divided by the bound on clock drift", () => {
    for (const clockDrift of [0.01, 0.1, 0.3, 0.49]) {
      const node = new Solo({ timing: { clockDrift } });
      node.elect();
      const sentAt = node.nowMs;
      node.ack(1);
      const usableMs = (D * (1 - clockDrift)) / (1 + clockDrift);
      expect(node.at(sentAt + usableMs - 0.001).view.leaseRuns).toBe(true);
      expect(node.at(sentAt + usableMs + 0.001).view.leaseRuns).toBe(false);
    }
  });

  it("6.4.1: each further round that a majority acknowledges extends it, so that it need not end", () => {
    const node = new Solo().hold();
    const first = Number(node.view.held?.end);
    for (let round = 1; round <= 30; round += 1) {
      node.wake();
      node.ack(1 + (round % 2));
      expect(node.view.held).toMatchObject({ tenure: { claim: 2 } });
    }
    expect(Number(node.view.held?.end)).toBeCloseTo(first + 30 * H, 6);
  });

  it("6.4.1: within it the leader answers without a further message", () => {
    const node = new Solo().hold();
    expect(node.after(U - 0.001).view.held).not.toBeNull();
  });

  it("6.4.1: without acknowledgements it runs out, and the leader does not answer any more", () => {
    const node = new Solo().hold();
    for (let round = 0; round < 8; round += 1) {
      node.wake();
      expect(node.view.held).not.toBeNull();
    }
    expect(eventsOf([node.wake(), node.wake()], "lapsed")).toMatchObject([{ claim: 2 }]);
    expect(node.view.held).toBeNull();
  });

  it("6.4.1: a leader whose clock stood still (a suspended machine) trusts the faster one", () => {
    const node = new Solo().hold();
    node.suspendedMs = U;
    expect(node.view.held).toBeNull();
  });

  it("6.4.1, unlike the section: a voter gives its vote within the promise, and says what is left of it", () => {
    const node = new Solo({ hardState: hardStateOf(4, null, D) });
    node.receive(1, appendRequest(4));
    node.after(300);
    const reply = only(node.receive(2, voteRequest(5)), "voteReply");
    expect(reply).toMatchObject({ granted: true, remainingMs: D - 300, promiseTerm: 4 });
  });

  it("6.4.1, unlike the section: the winner waits out the longest promise of those that elected it", () => {
    const node = new Solo();
    const effects = node.elect(640, 0);
    expect(eventsOf(effects, "waiting")).toEqual([{ kind: "waiting", term: 1, waitMs: 640 }]);
    const claimFrom = node.nowMs + 640;
    node.persisted();
    for (; node.nowMs < claimFrom; node.wake()) {
      node.ack(1);
      expect(node.entries).toHaveLength(1);
    }
    node.ack(1);
    expect(node.entries[1]).toMatchObject({ kind: "claim" });
    expect(node.nowMs).toBe(claimFrom);
  });

  it("6.4.1: so a new leader does not answer while the old one may: the two never overlap", () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const cluster = new Cluster({ size: 3, seed });
      cluster.run(1_500);
      const [old = -1] = cluster.holders();
      cluster.isolate(old);
      const start = cluster.nowMs;
      while (cluster.nowMs < start + 3_000) {
        cluster.run(5);
        expect(cluster.holders().length).toBeLessThanOrEqual(1);
      }
      expect(cluster.holders()).not.toContain(old);
      expect(cluster.holders()).toHaveLength(1);
    }
  });

  it("6.4.1: the holder of a term that ended keeps nothing of its lease in a later term of its own", () => {
    const node = new Solo().hold();
    const { round } = node.asked(1);
    node.receive(2, appendReply(9, { accepted: false }));
    node.elect();
    node.receive(1, appendReply(10, { round: round + 1, matchIndex: 0 }));
    expect(node.view).toMatchObject({ role: "leader", leaseRuns: false, held: null });
  });

  it("L2: a voter writes down the longest promise before it acknowledges it, and never a shorter one", () => {
    const node = new Solo({ hardState: hardStateOf(4, null, 0), entries: logOf() });
    const longer = node.receive(1, appendRequest(4, { leaseDurationMs: 5_000 }));
    expect(longer.persist?.hardState).toMatchObject({ largestPromiseMs: 5_000 });
    expect(only(longer, "appendReply").accepted).toBe(true);
    expect(node.receive(1, appendRequest(4, { leaseDurationMs: TIMING.leaseDurationMs })).persist).toBeNull();
    expect(node.hardState.largestPromiseMs).toBe(5_000);
  });
});
