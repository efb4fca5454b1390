/**
 * Raft paper (extended version, 2014), section 5.4: safety. One test per claim, as init, act, check; figures 8 and 9
 * are also told step by step in test/transcript/scripts.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";
import { command, hardStateOf, logOf, noop, release, termsOf } from "../support/entries.ts";
import { appendReply, appendRequest, voteReply, voteRequest } from "../support/messages.ts";
import { only, sent, Solo } from "../support/solo.ts";

describe("5.4.1 election restriction", () => {
  it("5.4.1: a vote request tells where the candidate's log ends", () => {
    const node = new Solo({ hardState: hardStateOf(5), entries: logOf(1, 1, 3) });
    for (const request of sent(node.campaign(), "voteRequest")) {
      expect(request).toMatchObject({ lastIndex: 3, lastTerm: 3 });
    }
  });

  // The voter's log; where the candidate's ends; whether the vote is given.
  it.each([
    [[], 0, 0, true],
    [[1], 0, 0, false],
    [[1, 1], 2, 1, true],
    [[1, 1], 3, 1, true],
    [[1, 1], 1, 1, false],
    [[1, 1, 1], 1, 2, true],
    [[1, 1, 2], 9, 1, false],
    [[1, 3], 2, 3, true],
    [[1, 3], 5, 2, false],
    [[2], 1, 3, true],
  ] as const)("5.4.1: a voter with log %j votes for one ending with %d of term %d: %s", (own, last, at, granted) => {
    const node = new Solo({ hardState: hardStateOf(3), entries: logOf(...own) });
    const effects = node.receive(1, voteRequest(7, last, at));
    expect(only(effects, "voteReply")).toMatchObject({ granted, term: 7 });
    expect(node.hardState.votedFor === null).toBe(!granted);
  });

  it("5.4.1: a refused candidate leaves the vote of that term free for a better one", () => {
    const node = new Solo({ hardState: hardStateOf(3), entries: logOf(1, 3) });
    node.receive(1, voteRequest(7, 1, 1));
    expect(only(node.receive(2, voteRequest(7, 2, 3)), "voteReply").granted).toBe(true);
  });

  it("5.4.1: for any two logs, the vote goes by last term first and length second", () => {
    const terms = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 });
    const rising = terms.map((all) => all.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(rising, rising, (own, asker) => {
        const node = new Solo({ hardState: hardStateOf(4), entries: logOf(...own) });
        const [ownTerm, askerTerm] = [own.at(-1) ?? 0, asker.at(-1) ?? 0];
        const better = askerTerm > ownTerm || (askerTerm === ownTerm && asker.length >= own.length);
        const effects = node.receive(1, voteRequest(5, asker.length, askerTerm));
        expect(only(effects, "voteReply").granted).toBe(better);
      }),
    );
  });

  it("5.4.1: log entries flow from leaders to followers only: a leader takes none in its term", () => {
    const node = new Solo({ hardState: hardStateOf(5), entries: logOf(1, 1, 3) });
    node.elect();
    expect(() => node.receive(1, appendRequest(6, { entries: [command(9, 6)] }))).toThrow("one leader per term");
  });
});

describe("5.4.2 entries from previous terms", () => {
  it("5.4.2: an entry of an earlier term is not committed by counting replicas", () => {
    const node = new Solo({ hardState: hardStateOf(3), entries: logOf(1, 2) });
    node.elect();
    node.persisted();
    for (const from of [1, 2]) node.receive(from, appendReply(4, { round: 1, matchIndex: 2 }));
    expect(node.view).toMatchObject({ commitIndex: 0, lastIndex: 3 });
  });

  it("5.4.2: only entries of the current term are committed by counting; all prior ones then indirectly", () => {
    const node = new Solo({ hardState: hardStateOf(3), entries: logOf(1, 2) });
    node.elect();
    node.persisted();
    const { apply } = node.receive(1, appendReply(4, { round: 1, matchIndex: 3 }));
    expect(termsOf(apply)).toEqual([1, 2, 4]);
    expect(node.view.commitIndex).toBe(3);
  });

  it("5.4.2: entries keep the term they were first appended with when a later leader replicates them", () => {
    const node = new Solo({ hardState: hardStateOf(3), entries: logOf(1, 2) });
    node.elect();
    node.receive(1, appendReply(4, { round: 1, accepted: false, matchIndex: 0 }));
    expect(termsOf(node.asked(1).entries)).toEqual([1, 2, 4]);
  });
});

/** Figure 8: S1 … S5 are m0 … m4. S5 has an entry of term 3, S1 and S2 one of term 2, at the same index. */
describe("figure 8", () => {
  /** (c): S1, leader again in term 4, has its entry of term 2 on S1, S2 and S3. */
  function s1InTermFour(): Solo {
    const s1 = new Solo({ voters: 5, hardState: hardStateOf(3), entries: logOf(1, 2) });
    s1.elect();
    s1.persisted();
    return s1;
  }

  it("5.4.2, figure 8 (c): an entry of term 2 on a majority is not committed by the leader of term 4", () => {
    const s1 = s1InTermFour();
    for (const from of [1, 2]) s1.receive(from, appendReply(4, { round: 1, matchIndex: 2 }));
    expect(s1.view.commitIndex).toBe(0);
  });

  it("5.4.2, figure 8 (d): S5 can still be elected by S2, S3 and S4, and overwrites the entry", () => {
    const s3 = new Solo({ self: 2, voters: 5, hardState: hardStateOf(4, 0, 1), entries: logOf(1, 2) });
    expect(only(s3.receive(4, voteRequest(5, 2, 3)), "voteReply").granted).toBe(true);
    const entries = [command(2, 3), noop(3, 5)];
    const { persist } = s3.receive(4, appendRequest(5, { prevIndex: 1, prevTerm: 1, entries, commitIndex: 1 }));
    expect(persist).toMatchObject({ truncateAfter: 1, entries });
    expect(termsOf(s3.entries)).toEqual([1, 3, 5]);
  });

  it("5.4.2, figure 8 (e): with an entry of term 4 on a majority both are committed, and S5 cannot win", () => {
    const s1 = s1InTermFour();
    for (const from of [1, 2]) s1.receive(from, appendReply(4, { round: 1, matchIndex: 3 }));
    expect(s1.view.commitIndex).toBe(3);
    const s3 = new Solo({ self: 2, voters: 5, hardState: hardStateOf(4, 0, 1), entries: logOf(1, 2, 4) });
    expect(only(s3.receive(4, voteRequest(5, 2, 3)), "voteReply").granted).toBe(false);
    const s5 = new Solo({ self: 4, voters: 5, hardState: hardStateOf(4, null, 1), entries: logOf(1, 3) });
    s5.campaign();
    s5.receive(3, voteReply(5, true));
    for (const from of [0, 1, 2]) s5.receive(from, voteReply(5, false));
    expect(s5.view.role).toBe("follower");
  });
});

describe("5.4.3 leader completeness and state machine safety", () => {
  it("figure 9: one server is in the majorities of a commit and of an election, and it decides the vote", () => {
    const stored = [
      { hardState: hardStateOf(2, 0, 1), entries: logOf(1, 2) },
      { hardState: hardStateOf(2, 0, 1), entries: logOf(1, 2) },
      { hardState: hardStateOf(2, 0, 1), entries: logOf(1, 2) },
      { hardState: hardStateOf(2, null, 1), entries: logOf(1) },
      { hardState: hardStateOf(2, null, 1), entries: logOf(1) },
    ];
    for (let seed = 1; seed <= 20; seed += 1) {
      const cluster = new Cluster({ size: 5, seed, stored });
      // S1 and S2 are gone: a majority needs S3, which alone has the committed entry.
      cluster.crash(0);
      cluster.crash(1);
      cluster.run(6_000);
      expect(cluster.leader()).toBe(2);
      expect(cluster.disk(2).entries.slice(0, 2)).toEqual(logOf(1, 2));
    }
  });

  it("5.4.3: an entry that is committed is in the logs of the leaders of all later terms", () => {
    for (let seed = 1; seed <= 15; seed += 1) {
      const cluster = new Cluster({ size: 5, seed });
      cluster.run(1_500);
      for (let turn = 0; turn < 4; turn += 1) {
        const committed = committedBy(cluster, cluster.leader());
        expect(committed.length).toBeGreaterThan(0);
        cluster.crash(cluster.leader());
        cluster.run(2_500);
        expect(cluster.disk(cluster.leader()).entries.slice(0, committed.length)).toEqual(committed);
        for (const position of cluster.members.keys()) if (!cluster.isRunning(position)) cluster.start(position);
        cluster.run(200);
      }
    }
  });

  it("5.4.3: no server applies another entry at an index that one has applied", () => {
    for (let seed = 1; seed <= 15; seed += 1) {
      const cluster = new Cluster({ size: 3, seed });
      const applied = new Map<number, string>();
      let compared = 0;
      cluster.onStep = (_, __, { apply }) => {
        for (const entry of apply) {
          const text = JSON.stringify(entry);
          compared += applied.has(entry.index) ? 1 : 0;
          expect(applied.get(entry.index) ?? text).toBe(text);
          applied.set(entry.index, text);
        }
      };
      for (let turn = 0; turn < 6; turn += 1) {
        cluster.isolate((seed + turn) % 3);
        cluster.run(1_300);
        cluster.heal();
      }
      cluster.run(2_000);
      expect(compared).toBeGreaterThan(2);
    }
  });

  it("5.4.3: a committed entry that a leader contradicts is an impossible state, and ends", () => {
    const node = new Solo({ hardState: hardStateOf(4, null, 1), entries: logOf(1, 2) });
    node.receive(1, appendRequest(4, { prevIndex: 2, prevTerm: 2, commitIndex: 2 }));
    const contradiction = appendRequest(5, { prevIndex: 1, prevTerm: 1, entries: [release(2, 5, 1)] });
    expect(() => node.receive(2, contradiction)).toThrow("a committed entry never conflicts");
  });
});

function committedBy(cluster: Cluster, position: number) {
  const { commitIndex } = cluster.core(position).view(cluster.now);
  return cluster.disk(position).entries.slice(0, commitIndex);
}
