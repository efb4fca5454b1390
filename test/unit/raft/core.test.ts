import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { Cluster, memberAt } from "../../support/cluster.ts";
import {
  baseOf,
  claim,
  config,
  configurationOf,
  hardStateOf,
  logOf,
  noop,
  nowOf,
  release,
} from "../../support/entries.ts";
import { appendRequest, preVoteRequest, voteRequest } from "../../support/messages.ts";
import { only, Solo } from "../../support/solo.ts";
import { D, H, U } from "../../support/timing.ts";

function wakeAt(node: Solo): number {
  return node.core.wakeAt(nowOf(node.nowMs, node.nowMs + node.suspendedMs));
}

describe("the core is deterministic", () => {
  it("the same options and the same steps give the same effects, byte for byte", () => {
    const runs = [1, 2].map(() => {
      const cluster = new Cluster({ size: 3, seed: 7, priorities: [0, 3, 0] });
      const steps: string[] = [];
      cluster.onStep = ({ name }, input, effects) => steps.push(JSON.stringify([name, cluster.nowMs, input, effects]));
      cluster.run(1_500);
      cluster.isolate(cluster.leader());
      cluster.run(2_500);
      cluster.heal();
      cluster.step(cluster.leader(), { kind: "resign", to: null, stopped: true });
      cluster.run(1_500);
      return steps;
    });
    expect(runs[0]?.length).toBeGreaterThan(200);
    expect(runs[0]).toEqual(runs[1]);
  });

  it("another seed gives other instants", () => {
    const wakes = [1, 2, 3].map((seed) => wakeAt(new Solo({ seed })));
    expect(new Set(wakes).size).toBe(3);
  });

  it("a step leaves its input as it was", () => {
    const node = new Solo();
    const request = appendRequest(1, { entries: logOf(1, 1) });
    const before = structuredClone(request);
    node.receive(1, request);
    node.receive(1, appendRequest(2, { entries: logOf(2, 2) }));
    expect(request).toEqual(before);
  });
});

describe("a programmer's error ends the step", () => {
  it("a clock that goes back", () => {
    const node = new Solo();
    node.at(100).tick();
    expect(() => node.at(99).tick()).toThrow(AssertionError);
    const suspended = new Solo();
    suspended.suspendedMs = 50;
    suspended.tick();
    suspended.suspendedMs = 49;
    expect(() => suspended.tick()).toThrow(AssertionError);
  });

  it("a message to itself, an entry persisted that is not there, a log of a term to come", () => {
    const node = new Solo();
    expect(() => node.receive(0, preVoteRequest(1))).toThrow(AssertionError);
    const leader = new Solo();
    leader.elect();
    const beyond = { kind: "persisted", index: noop(9, 1).index, term: noop(9, 1).term } as const;
    expect(() => leader.step(beyond)).toThrow(AssertionError);
    expect(() => new Solo({ hardState: hardStateOf(2), entries: logOf(1, 3) })).toThrow(AssertionError);
  });
});

describe("the wake-up", () => {
  it("of a follower is its election deadline; a tick before it does nothing", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1));
    const at = wakeAt(node);
    expect(node.at(at - 0.001).tick()).toEqual({ persist: null, snapshot: null, send: [], apply: [], events: [] });
    expect(wakeAt(node)).toBe(at);
    expect(node.at(at).tick().send).not.toEqual([]);
    expect(wakeAt(node)).toBeGreaterThan(at);
  });

  it("of a new node that never promised anything comes within the window, without waiting for U", () => {
    expect(wakeAt(new Solo())).toBeLessThan(D - U);
    expect(wakeAt(new Solo({ hardState: hardStateOf(1, null, 1) }))).toBeGreaterThanOrEqual(U);
  });

  it("of a leader is its next round", () => {
    const node = new Solo().hold();
    expect(wakeAt(node)).toBe(node.nowMs + H);
  });

  it("of a leader that waits is the end of the wait, if that comes before the next round", () => {
    const node = new Solo();
    node.elect(40);
    expect(wakeAt(node)).toBeCloseTo(node.nowMs + 40, 9);
  });

  it("an overdue wake-up is not forgotten: whatever comes first, the claim does not wait for a round", () => {
    const node = new Solo();
    node.elect(40);
    node.persisted();
    node.ack(1);
    node.after(41);
    expect(wakeAt(node)).toBeLessThanOrEqual(node.nowMs);
    node.receive(2, preVoteRequest(2));
    const overdue = wakeAt(node) <= node.nowMs;
    if (overdue) node.tick();
    expect(node.entries.at(-1)?.kind).toBe("claim");
  });

  it("of a holder is the end of its lease, of a leader the end of its quorum, when they come first", () => {
    const node = new Solo({ timing: { heartbeatIntervalMs: 400 } }).hold();
    const held = node.nowMs;
    node.wake();
    node.wake();
    expect(wakeAt(node)).toBeCloseTo(held + U, 6);
    node.wake();
    expect(node.view.leaseRuns).toBe(false);
    expect(wakeAt(node)).toBeCloseTo(held + D, 6);
    node.wake();
    expect(node.view.role).toBe("follower");
  });

  it("of a holder whose machine was suspended comes earlier by what the other clock did not see", () => {
    const node = new Solo({ timing: { heartbeatIntervalMs: 400 } }).hold();
    node.suspendedMs = 600;
    expect(wakeAt(node)).toBeCloseTo(node.nowMs + U - 600, 6);
  });

  it("of a transfer is its deadline", () => {
    const node = new Solo().hold();
    node.resign(1);
    expect(wakeAt(node)).toBe(node.nowMs + 2 * H);
  });

  it("never stands still: ticking whenever asked goes on in time, in every role", () => {
    for (const node of [new Solo(), new Solo({ voters: 1 }), new Solo().hold(), new Solo({ voters: 1 }).hold()]) {
      for (let step = 0; step < 200; step += 1) {
        const before = node.nowMs;
        node.wake();
        if (node.entries.length > 0) node.persisted();
        if (step % 10 === 0) expect(wakeAt(node)).toBeGreaterThan(before);
      }
      expect(node.nowMs).toBeGreaterThan(10 * H);
    }
  });
});

describe("what a node tells of itself", () => {
  it("hears of a new term: the leader of the old one is no leader any more, and observers are told", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1));
    const { events } = node.receive(2, voteRequest(2, 9, 9));
    expect(node.view.leader).toBeNull();
    expect(events).toContainEqual({ kind: "leaderChanged", leader: null, term: 2 });
  });

  it("a holder that is deposed says which claim lapsed, in the term of that claim", () => {
    const node = new Solo().hold();
    expect(node.receive(2, voteRequest(9, 9, 9)).events).toContainEqual({ kind: "lapsed", claim: 2, term: 1 });
  });

  it("a campaign that another leader ends is told as lost, or as refused before it cost a term", () => {
    const candidate = new Solo();
    candidate.campaign();
    const ended = candidate.receive(1, appendRequest(1)).events;
    expect(ended).toContainEqual({ kind: "electionEnded", outcome: "lost", term: 1 });
    const preCandidate = new Solo();
    preCandidate.wake();
    const refused = preCandidate.receive(1, appendRequest(1)).events;
    expect(refused).toContainEqual({ kind: "electionEnded", outcome: "refused", term: 0 });
  });

  it("a configuration that is appended or cut off is told; one that stays is not", () => {
    const four = configurationOf([0, 1, 2, 3]);
    const node = new Solo();
    const appended = node.receive(1, appendRequest(1, { entries: [noop(1, 1), config(2, 1, four)] }));
    expect(appended.events).toContainEqual({ kind: "configurationChanged", configuration: four });
    const same = node.receive(1, appendRequest(1, { prevIndex: 1, prevTerm: 1, entries: [config(2, 1, four)] }));
    expect(same.events).toEqual([]);
    const cut = node.receive(2, appendRequest(2, { prevIndex: 1, prevTerm: 1, entries: [noop(2, 2)] }));
    expect(cut.events).toContainEqual({ kind: "configurationChanged", configuration: node.configuration });
  });

  it("knows everyone of the latest configuration, itself included", () => {
    const node = new Solo({ base: baseOf(configurationOf([0, 1], [2])) });
    expect(node.core.members).toEqual([memberAt(0), memberAt(1), memberAt(2)]);
  });

  it("names the holder only while its leader's word is fresh, and no longer once the leader holds no more", () => {
    const node = new Solo({ self: 1 });
    const leader = new Solo();
    leader.elect();
    leader.persisted();
    for (let step = 0; step < 3; step += 1) {
      leader.receive(1, only(node.at(leader.nowMs).receive(0, leader.asked(1)), "appendReply"));
      leader.persisted();
    }
    expect(leader.view.held).not.toBeNull();
    expect(node.view.current).toMatchObject({ holder: memberAt(0), claim: 2 });
    expect(node.after(U - 0.001).view.current).not.toBeNull();
    expect(node.after(0.001).view.current).toBeNull();
    leader.at(node.nowMs).tick();
    node.receive(0, leader.asked(1));
    expect(node.view.current).toBeNull();
  });

  it("does not name a holder whose leader says that it holds no more, not for a moment", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1, { entries: [noop(1, 1), claim(2, 1, 1)], commitIndex: 2, holding: 2 }));
    expect(node.view.current?.holder).toEqual(memberAt(1));
    node.receive(1, appendRequest(1, { prevIndex: 2, prevTerm: 1, commitIndex: 2 }));
    expect(node.view.current).toBeNull();
  });

  it("does not name a released holder again because of an append that was overtaken", () => {
    const node = new Solo();
    const early = appendRequest(1, { prevIndex: 2, prevTerm: 1, commitIndex: 2, holding: 2 });
    node.receive(1, appendRequest(1, { entries: [noop(1, 1), claim(2, 1, 1)], commitIndex: 2, holding: 2 }));
    expect(node.view.current?.holder).toEqual(memberAt(1));
    const entries = [release(3, 1, 2)];
    node.receive(1, appendRequest(1, { prevIndex: 2, prevTerm: 1, entries, commitIndex: 3 }));
    expect(node.view.current).toBeNull();
    node.receive(1, early);
    expect(node.view.current).toBeNull();
  });

  it("knows the token of any claim, and which ones were released", () => {
    const node = new Solo({ voters: 1 }).hold();
    expect(node.core.tokenOf(noop(7, 1).index)).toBe(1_000_007);
    expect(node.core.wasReleased(noop(2, 1).index)).toBe(false);
    node.resign();
    node.persisted();
    expect(node.core.wasReleased(noop(2, 1).index)).toBe(true);
    expect(node.core.wasReleased(noop(3, 1).index)).toBe(false);
  });
});
