/**
 * Claiming, holding, lapsing and stepping down, rule by rule (DESIGN, section 2: L6 and L8), on one core; the test
 * plays its peers.
 */
import { describe, expect, it } from "vitest";
import { memberAt } from "../../support/cluster.ts";
import { claim, hardStateOf, noop } from "../../support/entries.ts";
import { appendReply } from "../../support/messages.ts";
import { eventsOf, sent, Solo } from "../../support/solo.ts";
import { D, H, U } from "../../support/timing.ts";

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
