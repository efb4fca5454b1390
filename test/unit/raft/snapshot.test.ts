/** Snapshots: when one is taken, who is sent one, and what it may replace (Raft paper, 7 and figure 13). */
import { describe, expect, it } from "vitest";
import { COMPACT_AFTER_ENTRIES } from "../../../src/base/limits.ts";
import { fencingToken, logIndex, term } from "../../../src/base/types.ts";
import type { LockState } from "../../../src/lease/register.ts";
import { memberAt, TOKEN_BASE } from "../../support/cluster.ts";
import { baseOf, claim, config, configurationOf, hardStateOf, logOf, noop, votersOf } from "../../support/entries.ts";
import { appendReply, appendRequest, installSnapshot, voteRequest } from "../../support/messages.ts";
import { commands, follower, leaderWith, snapshotAt } from "../../support/snapshots.ts";
import { eventsOf, only, sentTo, Solo } from "../../support/solo.ts";
import { D } from "../../support/timing.ts";

function tenureOf(position: number, index: number): LockState[number] {
  const token = fencingToken(TOKEN_BASE + index);
  return { claim: logIndex(index), term: term(1), holder: memberAt(position), token, released: false };
}

describe("a log is compacted", () => {
  it("once COMPACT_AFTER_ENTRIES are committed, and not one earlier", () => {
    const entries = commands(COMPACT_AFTER_ENTRIES);
    const early = follower(entries, COMPACT_AFTER_ENTRIES - 1);
    expect(early.snapshot).toBeNull();
    expect(early.entries).toHaveLength(COMPACT_AFTER_ENTRIES);
    const effects = early.receive(
      0,
      appendRequest(1, { prevIndex: COMPACT_AFTER_ENTRIES, prevTerm: 1, commitIndex: 999 }),
    );
    expect(effects.snapshot).toEqual(snapshotAt(COMPACT_AFTER_ENTRIES, 1));
    expect(eventsOf(effects, "snapshotTaken")).toEqual([
      { kind: "snapshotTaken", index: COMPACT_AFTER_ENTRIES, from: "self" },
    ]);
    expect(early.entries).toEqual([]);
    expect(early.view).toMatchObject({ commitIndex: COMPACT_AFTER_ENTRIES, lastIndex: COMPACT_AFTER_ENTRIES });
  });

  it("at the commit index: what is behind it stays", () => {
    const node = follower(commands(COMPACT_AFTER_ENTRIES + 3), COMPACT_AFTER_ENTRIES + 1);
    expect(node.snapshot?.index).toBe(COMPACT_AFTER_ENTRIES + 1);
    expect(node.entries.map(({ index }) => index)).toEqual([COMPACT_AFTER_ENTRIES + 2, COMPACT_AFTER_ENTRIES + 3]);
    expect(node.view.lastIndex).toBe(COMPACT_AFTER_ENTRIES + 3);
  });

  it("with tenures and removed ids, and without a configuration that could be lost (canonical/raft#250)", () => {
    const count = COMPACT_AFTER_ENTRIES;
    const entries = [
      config(1, 1, configurationOf([0, 1])),
      claim(2, 1, 0),
      ...commands(count - 2, 3),
      config(count + 1, 1, configurationOf([0, 1, 4])),
    ];
    const node = follower(entries, count);
    const { configuration, removed, lock } = node.snapshot ?? snapshotAt(0, 0);
    expect(configuration).toEqual(configurationOf([0, 1]));
    expect(removed).toEqual([memberAt(2).id]);
    expect(lock).toEqual([tenureOf(0, 2)]);
    expect(node.view.configuration).toEqual(configurationOf([0, 1, 4]));
  });

  it("and a start from it knows the same: tenures, removed ids, both configurations, log and commit index", () => {
    const count = COMPACT_AFTER_ENTRIES;
    const entries = [config(1, 1, configurationOf([0, 1])), claim(2, 1, 0), ...commands(count, 3), noop(count + 3, 1)];
    const before = follower(entries, count + 1);
    const after = before.restarted();
    expect(after.view).toMatchObject({ commitIndex: count + 1, lastIndex: count + 3, history: before.view.history });
    expect(after.view.configuration).toEqual(before.view.configuration);
    expect(after.core.removed).toEqual(before.core.removed);
    expect(after.core.committedConfiguration).toEqual(before.core.committedConfiguration);
    expect(after.core.snapshot()).toEqual(before.core.snapshot());
  });

  it("and an append that overlaps what it stands for is taken up behind it", () => {
    const node = follower(commands(COMPACT_AFTER_ENTRIES), COMPACT_AFTER_ENTRIES);
    const late = commands(6, COMPACT_AFTER_ENTRIES - 3);
    const prevIndex = COMPACT_AFTER_ENTRIES - 4;
    const reply = only(node.receive(0, appendRequest(1, { prevIndex, prevTerm: 1, entries: late })), "appendReply");
    expect(reply).toMatchObject({ accepted: true, matchIndex: COMPACT_AFTER_ENTRIES + 2 });
    expect(node.entries.map(({ index }) => index)).toEqual([COMPACT_AFTER_ENTRIES + 1, COMPACT_AFTER_ENTRIES + 2]);
  });

  it("and an old append that ends before it says what is known to match, no less", () => {
    const node = follower(commands(COMPACT_AFTER_ENTRIES), COMPACT_AFTER_ENTRIES);
    const reply = only(node.receive(0, appendRequest(1, { entries: commands(2) })), "appendReply");
    expect(reply).toMatchObject({ accepted: true, matchIndex: COMPACT_AFTER_ENTRIES });
  });
});

describe("a follower far behind", () => {
  const count = COMPACT_AFTER_ENTRIES + 10;

  it("is sent a snapshot where its next entry was compacted, once for each refusal and round", () => {
    const leader = leaderWith(count);
    expect(leader.snapshot?.index).toBe(count);
    const refusal = appendReply(leader.view.term, { accepted: false, matchIndex: 3 });
    const [message, ...more] = sentTo(leader.receive(2, refusal), 2);
    expect(more).toEqual([]);
    expect(message).toMatchObject({ kind: "installSnapshot", snapshot: leader.snapshot, leaseDurationMs: D });
    expect(leader.receive(2, refusal).send).toEqual([]);
    const [again] = sentTo(leader.after(100).tick(), 2);
    expect(again?.kind).toBe("installSnapshot");
  });

  it("gets entries again as soon as it has acknowledged it", () => {
    const leader = leaderWith(count);
    leader.receive(2, appendReply(leader.view.term, { accepted: false, matchIndex: 3 }));
    const [message] = sentTo(leader.receive(2, appendReply(leader.view.term, { matchIndex: count })), 2);
    expect(message).toMatchObject({ kind: "appendRequest", prevIndex: count, entries: [{ kind: "claim" }] });
  });

  it("is sent one that renews the lease like any append: it echoes the round, and promises", () => {
    const node = new Solo({ self: 2, hardState: hardStateOf(1) });
    const effects = node.receive(0, installSnapshot(3, snapshotAt(9, 2), 7));
    expect(only(effects, "appendReply")).toMatchObject({ term: 3, round: 7, accepted: true, matchIndex: 9 });
    expect(effects.persist?.hardState).toMatchObject({ term: 3, largestPromiseMs: D });
    expect(node.promise()).toEqual({ remainingMs: D, promiseTerm: 3 });
  });

  it("is a candidate's follower from then on, and not before: an old leader's snapshot changes nothing", () => {
    const node = new Solo({ self: 2, hardState: hardStateOf(4) });
    const effects = node.receive(0, installSnapshot(3, snapshotAt(9, 2)));
    expect(only(effects, "appendReply")).toMatchObject({ term: 4, accepted: false });
    expect(effects.snapshot).toBeNull();
    expect(node.view.commitIndex).toBe(0);
    expect(node.promise().remainingMs).toBe(0);
  });
});

describe("an installed snapshot", () => {
  const tenures = [tenureOf(0, 2)];

  it("takes the place of a log that is shorter", () => {
    const node = follower(logOf(1, 1), 1);
    const four = configurationOf([0, 1, 2, 4]);
    const snapshot = snapshotAt(9, 1, { configuration: four, removed: [memberAt(3).id], lock: tenures });
    const effects = node.receive(0, installSnapshot(1, snapshot));
    expect(effects.snapshot).toEqual(snapshot);
    expect(node.view).toMatchObject({ commitIndex: 9, lastIndex: 9, configuration: four, history: tenures });
    expect(node.core.removed).toEqual([memberAt(3).id]);
    expect(effects.events.map(({ kind }) => kind)).toEqual([
      "snapshotTaken",
      "configurationChanged",
      "configurationCommitted",
    ]);
    const next = appendRequest(1, { prevIndex: 9, prevTerm: 1, entries: [noop(10, 1)], commitIndex: 10 });
    expect(only(node.receive(0, next), "appendReply")).toMatchObject({ accepted: true, matchIndex: 10 });
  });

  it("takes the place of a conflicting log as a whole, also where that is longer", () => {
    const node = follower(logOf(1, 1, 1, 1, 1), 1);
    node.receive(2, installSnapshot(3, snapshotAt(3, 2)));
    expect(node.view).toMatchObject({ commitIndex: 3, lastIndex: 3 });
    expect(node.entries).toEqual([]);
    expect(node.restarted().view).toMatchObject({ commitIndex: 3, lastIndex: 3 });
  });

  it("leaves the entries behind it where the log has its own last one (figure 13, step 6)", () => {
    const node = follower(logOf(1, 1, 1, 1, 1), 1);
    node.receive(0, installSnapshot(1, snapshotAt(3, 1)));
    expect(node.view).toMatchObject({ commitIndex: 3, lastIndex: 5 });
    expect(node.entries.map(({ index }) => index)).toEqual([4, 5]);
    expect(node.restarted().view).toMatchObject({ commitIndex: 3, lastIndex: 5 });
  });

  it("undoes an uncommitted configuration that is not part of it, and keeps one that lies behind it", () => {
    const four = configurationOf([0, 1, 2, 4]);
    const lost = follower([noop(1, 1), config(2, 1, four)], 1);
    lost.receive(2, installSnapshot(3, snapshotAt(2, 2)));
    expect(lost.view.configuration).toEqual(votersOf(3));
    const kept = follower([noop(1, 1), noop(2, 1), config(3, 1, four)], 1);
    const effects = kept.receive(0, installSnapshot(1, snapshotAt(2, 1)));
    expect(kept.view.configuration).toEqual(four);
    expect(kept.core.committedConfiguration).toEqual(votersOf(3));
    expect(eventsOf(effects, "configurationChanged")).toEqual([]);
  });

  it("that is stale or a duplicate changes nothing, and is acknowledged", () => {
    const node = follower(logOf(1, 1), 1);
    const snapshot = snapshotAt(9, 1, { lock: tenures });
    node.receive(0, installSnapshot(1, snapshot));
    const entries = [claim(10, 1, 0)];
    node.receive(0, appendRequest(1, { prevIndex: 9, prevTerm: 1, entries, commitIndex: 10 }));
    const { history } = node.view;
    for (const late of [snapshot, snapshotAt(4, 1), snapshotAt(10, 1)]) {
      const effects = node.receive(0, installSnapshot(1, late));
      expect(effects).toMatchObject({ snapshot: null, persist: null, events: [] });
      expect(only(effects, "appendReply")).toMatchObject({ accepted: true, matchIndex: late.index });
      expect(node.view).toMatchObject({ commitIndex: 10, lastIndex: 10, history });
    }
  });

  it("tells a member that it leaves out that it was removed", () => {
    const node = follower(logOf(1, 1), 1);
    const without = snapshotAt(9, 1, { configuration: configurationOf([0, 2]), removed: [memberAt(1).id] });
    expect(eventsOf(node.receive(0, installSnapshot(1, without)), "removed")).toHaveLength(1);
    expect(node.core.isMember).toBe(false);
    const stranger = new Solo({ self: 5, hardState: hardStateOf(1) });
    expect(eventsOf(stranger.receive(0, installSnapshot(1, without)), "removed"), "it was never in").toEqual([]);
    expect(eventsOf(follower([], 0).receive(0, installSnapshot(1, snapshotAt(9, 1))), "removed")).toEqual([]);
  });

  it("is what a member starts from that has never voted: it takes the snapshot's term, and its vote is free", () => {
    const base = baseOf(configurationOf([0, 2], [1]), 9, 4);
    const joiner = new Solo({ self: 1, base, lock: tenures });
    expect(joiner.view).toMatchObject({ term: 4, commitIndex: 9, lastIndex: 9 });
    const vote = joiner.receive(0, { kind: "voteRequest", term: term(4), lastIndex: logIndex(9), lastTerm: term(4) });
    expect(only(vote, "voteReply")).toMatchObject({ granted: true, remainingMs: 0 });
  });
});

describe("a member whose snapshot is of a later term than its disk knows", () => {
  it("has not voted in that term: the vote of an earlier one is over", () => {
    const node = new Solo({ self: 1, base: baseOf(votersOf(3), 5, 3), hardState: hardStateOf(1, 2) });
    const effects = node.receive(0, voteRequest(3, 5, 3));
    expect(only(effects, "voteReply").granted).toBe(true);
  });
});
