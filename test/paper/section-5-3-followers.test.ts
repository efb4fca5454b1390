/**
 * Raft paper (extended version, 2014), section 5.3: log replication, the follower's side, with figures 6 and 7; and
 * 5.5, crashes and repeated requests. One test per claim, as init, act, check.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Effects } from "../../src/raft/effect.ts";
import { Cluster } from "../support/cluster.ts";
import { command, hardStateOf, logOf, noop, termsOf } from "../support/entries.ts";
import { appendRequest, voteRequest } from "../support/messages.ts";
import { only, Solo } from "../support/solo.ts";

function followerWith(terms: readonly number[], atTerm = terms.at(-1) ?? 0): Solo {
  return new Solo({ hardState: hardStateOf(atTerm, null, 1), entries: logOf(...terms) });
}

function replyTo(effects: Effects) {
  return only(effects, "appendReply");
}

describe("5.3 the consistency check", () => {
  it("5.3: a follower refuses entries if its log has no entry at prevIndex", () => {
    const node = followerWith([1, 1], 4);
    const effects = node.receive(1, appendRequest(4, { prevIndex: 3, prevTerm: 1, entries: [command(4, 4)] }));
    expect(replyTo(effects)).toMatchObject({ accepted: false, matchIndex: 2 });
    expect(effects.persist).toBeNull();
  });

  it("5.3: a follower refuses entries if its entry at prevIndex has another term", () => {
    const node = followerWith([1, 1, 2], 4);
    const effects = node.receive(1, appendRequest(4, { prevIndex: 3, prevTerm: 3, entries: [command(4, 4)] }));
    expect(replyTo(effects)).toMatchObject({ accepted: false });
    expect(node.view.lastIndex).toBe(3);
  });

  it("5.3: a refusal may name the first index of the conflicting term, so that a whole term is skipped at once", () => {
    const node = followerWith([1, 1, 2, 2, 2], 4);
    const effects = node.receive(1, appendRequest(4, { prevIndex: 5, prevTerm: 3 }));
    expect(replyTo(effects).matchIndex).toBe(2);
  });

  it("5.3: the empty beginning of a log satisfies the check", () => {
    const node = followerWith([], 4);
    const effects = node.receive(1, appendRequest(4, { entries: [command(1, 4)] }));
    expect(replyTo(effects)).toMatchObject({ accepted: true, matchIndex: 1 });
  });

  it("5.3: an accepted append, a heartbeat too, tells that the logs are the same up to the entries it carried", () => {
    const node = followerWith([1, 1, 2], 4);
    expect(replyTo(node.receive(1, appendRequest(4, { prevIndex: 2, prevTerm: 1 }))).matchIndex).toBe(2);
    const more = appendRequest(4, { prevIndex: 3, prevTerm: 2, entries: [command(4, 4), command(5, 4)] });
    expect(replyTo(node.receive(1, more)).matchIndex).toBe(5);
  });
});

describe("5.3 conflicts", () => {
  it("5.3: an entry that conflicts is deleted, with all that follow, and replaced by the leader's", () => {
    const node = followerWith([1, 2, 2, 3], 4);
    const { persist } = node.receive(1, appendRequest(4, { prevIndex: 1, prevTerm: 1, entries: [command(2, 4)] }));
    expect(persist).toMatchObject({ truncateAfter: 1, entries: [command(2, 4)] });
    expect(termsOf(node.entries)).toEqual([1, 4]);
  });

  it("5.3: entries that match already are neither deleted nor written again", () => {
    const node = followerWith([1, 1, 2], 4);
    const stale = appendRequest(4, { prevIndex: 0, entries: logOf(1, 1) });
    const effects = node.receive(1, stale);
    expect(effects.persist?.truncateAfter).toBeUndefined();
    expect(effects.persist?.entries ?? []).toEqual([]);
    expect(replyTo(effects)).toMatchObject({ accepted: true, matchIndex: 2 });
    expect(node.view.lastIndex).toBe(3);
  });

  it("5.3: of entries that overlap, only the unknown ones are appended", () => {
    const node = followerWith([1, 1], 4);
    const { persist } = node.receive(1, appendRequest(4, { prevIndex: 0, entries: logOf(1, 1, 3, 4) }));
    expect(persist?.truncateAfter).toBeUndefined();
    expect(persist?.entries).toEqual(logOf(1, 1, 3, 4).slice(2));
  });

  it("5.3: matching entries before the conflict stay", () => {
    const node = followerWith([1, 1, 2, 2], 4);
    const entries = logOf(1, 1, 3, 4).slice(1);
    const { persist } = node.receive(1, appendRequest(4, { prevIndex: 1, prevTerm: 1, entries }));
    expect(persist).toMatchObject({ truncateAfter: 2 });
    expect(termsOf(node.entries)).toEqual([1, 1, 3, 4]);
  });

  it("5.3: entries are durable before the acceptance is sent", () => {
    const node = followerWith([], 4);
    const effects = node.receive(1, appendRequest(4, { entries: [noop(1, 4)] }));
    expect(effects.persist?.entries).toEqual([noop(1, 4)]);
    expect(replyTo(effects).accepted).toBe(true);
  });
});

describe("5.3 commitment, as followers learn it", () => {
  it("5.3: a follower applies, in log order, what its leader says is committed", () => {
    const node = followerWith([], 4);
    node.receive(1, appendRequest(4, { entries: logOf(1, 1, 4) }));
    expect(node.view.commitIndex).toBe(0);
    const { apply } = node.receive(1, appendRequest(4, { prevIndex: 3, prevTerm: 4, commitIndex: 2 }));
    expect(apply.map(({ index }) => index)).toEqual([1, 2]);
  });

  it("figure 2, AppendEntries 5: never beyond the last entry that this append checked", () => {
    const node = followerWith([1, 1, 2, 2], 4);
    node.receive(1, appendRequest(4, { prevIndex: 2, prevTerm: 1, commitIndex: 9 }));
    expect(node.view.commitIndex).toBe(2);
  });

  it("5.3: a refused append commits nothing", () => {
    const node = followerWith([1, 1, 2, 2], 4);
    node.receive(1, appendRequest(4, { prevIndex: 4, prevTerm: 3, commitIndex: 4 }));
    expect(node.view.commitIndex).toBe(0);
  });

  it("5.3: a smaller commit index of an overtaken append takes nothing back", () => {
    const node = followerWith([1, 1, 2], 4);
    node.receive(1, appendRequest(4, { prevIndex: 3, prevTerm: 2, commitIndex: 3 }));
    const { apply } = node.receive(1, appendRequest(4, { prevIndex: 2, prevTerm: 1, commitIndex: 1 }));
    expect(apply).toEqual([]);
    expect(node.view.commitIndex).toBe(3);
  });
});

/** Figure 7: the leader of term 8 over [1 1 1 4 4 5 5 6 6 6], and six followers that may have come to be. */
const FIGURE_7_LEADER = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
const FIGURE_7 = {
  a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
  b: [1, 1, 1, 4],
  c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
  d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
  e: [1, 1, 1, 4, 4, 4, 4],
  f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
} as const;

describe("figure 7", () => {
  it.each(Object.entries(FIGURE_7))("5.3, figure 7 (%s): the leader makes the follower's log its own", (_, terms) => {
    const stored = [FIGURE_7_LEADER, terms, FIGURE_7_LEADER].map((log) => ({
      hardState: hardStateOf(7, null, 1),
      entries: logOf(...log),
    }));
    const cluster = new Cluster({ size: 3, stored });
    // m2 has the leader's log and gives the vote; the follower of the figure gets its appends.
    cluster.cut(1, 2);
    cluster.cut(1, 0);
    cluster.runUntil(1_500);
    cluster.heal();
    cluster.run(3_000);
    const leader = cluster.leader();
    expect(leader).not.toBe(1);
    const wanted = termsOf(cluster.disk(leader).entries);
    expect(wanted.slice(0, 10)).toEqual(FIGURE_7_LEADER);
    expect(termsOf(cluster.disk(1).entries)).toEqual(wanted);
    expect(cluster.core(1).view(cluster.now).commitIndex).toBe(wanted.length);
  });
});

describe("5.3 back-up", () => {
  it("5.3: a leader finds the point where two logs agree in at most one refusal per term of the follower's log", () => {
    const terms = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 });
    const rising = terms.map((all) => all.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(rising, rising, (ours, theirs) => {
        // Two logs that may be: entries of the same index and term are alike, and so is all before them.
        const shared = ours.findIndex((entryTerm, at) => entryTerm !== theirs[at]);
        const from = shared === -1 ? ours.length : shared;
        const conflicting = theirs.map((entryTerm, at) => (at < from ? entryTerm : entryTerm + 6));
        const leader = new Solo({ hardState: hardStateOf(20), entries: logOf(...ours) });
        const follower = new Solo({ self: 1, hardState: hardStateOf(20), entries: logOf(...conflicting) });
        leader.elect();
        let refusals = 0;
        for (;;) {
          const reply = replyTo(follower.receive(0, leader.asked(1)));
          leader.receive(1, reply);
          if (reply.accepted) break;
          refusals += 1;
          expect(refusals).toBeLessThanOrEqual(new Set(conflicting).size + 1);
        }
        expect(follower.entries).toEqual(leader.entries.slice(0, follower.entries.length));
        expect(follower.view.lastIndex).toBe(ours.length + 1);
      }),
      { numRuns: 200 },
    );
  });
});

describe("5.3 log matching (figure 3)", () => {
  it("figure 3: two entries of the same index and term are the same, and so is all before them", () => {
    let conflicts = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const cluster = new Cluster({ size: 5, seed });
      cluster.run(1_500);
      for (let turn = 0; turn < 4; turn += 1) {
        const old = cluster.leader();
        cluster.isolate(old);
        // The old leader writes what nobody else gets, while the others elect and write too.
        cluster.step(old, { kind: "resign", to: "nobody", stopped: true });
        cluster.run(1_400);
        conflicts += checkLogMatching(cluster);
        cluster.heal();
        cluster.run(150 * turn);
        checkLogMatching(cluster);
      }
    }
    expect(conflicts).toBeGreaterThan(20);
  });
});

/** Compares all logs, pair by pair; returns how many positions differ in their terms. */
function checkLogMatching(cluster: Cluster): number {
  const logs = cluster.members.map((_, position) => cluster.disk(position).entries);
  let differing = 0;
  for (const [at, a] of logs.entries()) {
    for (const b of logs.slice(at + 1)) {
      const last = a.findLastIndex((entry, position) => entry.term === b[position]?.term);
      expect(a.slice(0, last + 1)).toEqual(b.slice(0, last + 1));
      const shared = Math.min(a.length, b.length);
      differing += a.slice(0, shared).filter((entry, position) => entry.term !== b[position]?.term).length;
    }
  }
  return differing;
}

describe("5.5 crashes and repetition", () => {
  it("5.5: requests may be repeated: a second append or vote request does nothing new and is answered alike", () => {
    const node = followerWith([1], 4);
    const append = appendRequest(4, { prevIndex: 1, prevTerm: 1, entries: [command(2, 4)], commitIndex: 2 });
    const first = node.receive(1, append);
    const again = node.receive(1, append);
    expect(again).toMatchObject({ persist: null, apply: [] });
    expect(replyTo(again)).toEqual(replyTo(first));
    const vote = node.receive(2, voteRequest(5, 9, 9));
    const voteAgain = node.receive(2, voteRequest(5, 9, 9));
    expect(voteAgain.persist).toBeNull();
    expect(only(voteAgain, "voteReply")).toEqual(only(vote, "voteReply"));
  });

  it("5.5: a follower that comes back is caught up", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.run(1_500);
    const down = (cluster.leader() + 1) % 3;
    cluster.crash(down);
    cluster.step(cluster.leader(), { kind: "resign", to: null, stopped: true });
    cluster.run(2_500);
    expect(cluster.disk(down).entries.length).toBeLessThan(cluster.disk(cluster.leader()).entries.length);
    cluster.start(down);
    cluster.run(1_000);
    expect(cluster.disk(down).entries).toEqual(cluster.disk(cluster.leader()).entries);
    expect(cluster.core(down).view(cluster.now).commitIndex).toBe(cluster.disk(down).entries.length);
  });

  it("3.8: the commit index is volatile: a restarted server learns it again and applies the log anew", () => {
    const node = followerWith([], 4);
    node.receive(1, appendRequest(4, { entries: logOf(1, 4), commitIndex: 2 }));
    const again = new Solo({ hardState: node.hardState, entries: node.entries });
    expect(again.view.commitIndex).toBe(0);
    const { apply } = again.receive(1, appendRequest(4, { prevIndex: 2, prevTerm: 4, commitIndex: 2 }));
    expect(apply.map(({ index }) => index)).toEqual([1, 2]);
  });
});
