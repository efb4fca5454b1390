/**
 * Raft paper (extended version, 2014), section 7 and figure 13: log compaction. One test per claim.
 *
 * Two rules of figure 13 are not used: `offset`, `data` and `done` (2 to 4), because the state travels in one message;
 * and a snapshot older than what the receiver has committed replaces nothing, it is only acknowledged.
 */
import { describe, expect, it } from "vitest";
import { COMPACT_AFTER_ENTRIES as FULL } from "../../src/base/limits.ts";
import { fencingToken, logIndex, term } from "../../src/base/types.ts";
import type { Entry } from "../../src/raft/entry.ts";
import { Cluster, memberAt, TOKEN_BASE } from "../support/cluster.ts";
import { claim, config, configurationOf, hardStateOf, logOf, noop } from "../support/entries.ts";
import { appendReply, appendRequest, installSnapshot, preVoteRequest } from "../support/messages.ts";
import { only, sentTo, Solo } from "../support/solo.ts";
import { commands, follower, leaderWith, snapshotAt } from "../support/snapshots.ts";
import { U } from "../support/timing.ts";

/** m0, leader in term 2, which has compacted all but its claim; m1 has everything up to that, m2 is not known. */
const compacted = (): Solo => leaderWith(FULL);
const indexes = (entries: readonly Entry[]): readonly number[] => entries.map(({ index }) => index);
const lost = (matchIndex: number) => appendReply(2, { accepted: false, matchIndex });

describe("7 a snapshot", () => {
  it("7: has the last included index and term: the position of the last entry that it replaces", () => {
    const entries = [...commands(FULL - 1), noop(FULL, 1), noop(FULL + 1, 1)];
    expect(follower(entries, FULL).snapshot).toMatchObject({ index: FULL, term: 1 });
    expect(compacted().snapshot).toMatchObject({ index: FULL, term: 2 });
  });

  it("7: keeps these two for the consistency check of the first append behind it", () => {
    const node = follower(commands(FULL), FULL);
    const behind = { prevIndex: FULL, entries: [noop(FULL + 1, 1)] };
    expect(only(node.receive(0, appendRequest(1, { ...behind, prevTerm: 1 })), "appendReply").accepted).toBe(true);
    const leader = compacted();
    expect(leader.ack(1).send).toEqual([]);
    expect(leader.asked(1)).toMatchObject({ prevIndex: FULL, prevTerm: 2 });
  });

  it("7: has the latest configuration as of the last included index, not one that comes after it", () => {
    const [three, four] = [configurationOf([0, 1, 3]), configurationOf([0, 1, 3, 4])];
    const node = follower([config(1, 1, three), ...commands(FULL - 1, 2), config(FULL + 1, 1, four)], FULL);
    expect(node.snapshot?.configuration).toEqual(three);
    expect(node.view.configuration).toEqual(four);
  });

  it("7: has the state of the state machine: tenures, and who is out for good", () => {
    const entries = [claim(1, 1, 0), config(2, 1, configurationOf([0, 1])), ...commands(FULL - 2, 3)];
    const { snapshot } = follower(entries, FULL);
    expect(snapshot?.lock).toMatchObject([{ claim: 1, holder: memberAt(0), token: TOKEN_BASE + 1 }]);
    expect(snapshot?.removed).toEqual([memberAt(2).id]);
  });

  it("7: covers committed entries only, and lets the log up to it be deleted", () => {
    const node = follower(commands(FULL + 5), FULL + 2);
    expect(node.snapshot?.index).toBe(FULL + 2);
    expect(indexes(node.entries)).toEqual([FULL + 3, FULL + 4, FULL + 5]);
    expect(node.view).toMatchObject({ commitIndex: FULL + 2, lastIndex: FULL + 5 });
  });

  it("7: is taken when the log has reached a fixed size, and takes the place of the one before", () => {
    const node = follower(commands(FULL - 1), FULL - 1);
    expect(node.snapshot).toBeNull();
    const more = { prevIndex: FULL - 1, prevTerm: 1, entries: commands(FULL + 1, FULL), commitIndex: FULL };
    node.receive(0, appendRequest(1, more));
    expect(node.snapshot?.index).toBe(FULL);
    node.receive(0, appendRequest(1, { prevIndex: 2 * FULL, prevTerm: 1, commitIndex: 2 * FULL }));
    expect(node.snapshot?.index).toBe(2 * FULL);
    expect(node.entries).toEqual([]);
  });

  it("7: is taken by each server by itself, whoever leads", () => {
    const stored = { hardState: hardStateOf(1), entries: commands(FULL) };
    const cluster = new Cluster({ size: 3, stored: [stored, stored, stored] });
    cluster.run(2_000);
    for (const position of [0, 1, 2]) {
      const { snapshot, entries } = cluster.disk(position);
      expect(snapshot?.index).toBeGreaterThanOrEqual(FULL);
      expect(indexes(entries)[0] ?? FULL + 1).toBeGreaterThan(FULL);
    }
    const own = cluster.events.filter(({ event }) => event.kind === "snapshotTaken" && event.from === "self");
    expect(own).toHaveLength(3);
  });

  it("7: is what a server starts from: it applies nothing of it again, and knows all of it", () => {
    const before = follower([claim(1, 1, 0), ...commands(FULL, 2)], FULL);
    const after = before.restarted();
    expect(after.view).toMatchObject({ commitIndex: FULL, lastIndex: FULL + 1, history: before.view.history });
    const next = appendRequest(1, { prevIndex: FULL + 1, prevTerm: 1, commitIndex: FULL + 1 });
    expect(indexes(after.receive(0, next).apply)).toEqual([FULL + 1]);
  });
});

describe("7 InstallSnapshot, by the leader", () => {
  it("7: is sent to a follower whose next entry has been discarded, and to no other", () => {
    const leader = compacted();
    const [far] = sentTo(leader.receive(2, lost(3)), 2);
    expect(far).toMatchObject({ kind: "installSnapshot", term: 2, snapshot: leader.snapshot });
    const [near] = sentTo(leader.receive(2, appendReply(2, { matchIndex: FULL })), 2);
    expect(near).toMatchObject({ kind: "appendRequest", prevIndex: FULL, entries: [claim(FULL + 1, 2, 0)] });
    expect(sentTo(leader.after(100).tick(), 1).map(({ kind }) => kind)).toEqual(["appendRequest"]);
  });

  it("7: brings a slow or new server up to date, which then follows by appends", () => {
    const stored = { hardState: hardStateOf(1), entries: commands(FULL) };
    const cluster = new Cluster({ size: 3, stored: [stored, stored, undefined] });
    cluster.crash(2);
    cluster.run(2_000);
    cluster.start(2);
    cluster.run(2_000);
    const leader = cluster.leader();
    expect(cluster.disk(2).snapshot?.index).toBeGreaterThanOrEqual(FULL);
    const { commitIndex, history } = cluster.core(leader).view(cluster.now);
    expect(cluster.core(2).view(cluster.now)).toMatchObject({ commitIndex, history });
    cluster.crash(leader);
    cluster.crash(2);
    cluster.start(2);
    cluster.run(5_000);
    expect(cluster.holders()).toHaveLength(1);
    expect(cluster.core(2).view(cluster.now).history).toHaveLength(2);
  });
});

describe("figure 13 InstallSnapshot, by the receiver", () => {
  const tenure = { claim: logIndex(2), term: term(1), holder: memberAt(0), token: fencingToken(TOKEN_BASE + 2) };
  const lock = [{ ...tenure, released: false }];

  it("rule 1: one of a stale term is refused at once, with the newer term, and changes nothing", () => {
    const node = new Solo({ self: 1, hardState: hardStateOf(4) });
    const effects = node.receive(0, installSnapshot(3, snapshotAt(9, 2)));
    expect(only(effects, "appendReply")).toMatchObject({ term: 4, accepted: false });
    expect(effects).toMatchObject({ persist: null, snapshot: null });
    expect(node.view).toMatchObject({ commitIndex: 0, leader: null });
  });

  it("all servers: one of a newer term makes the receiver a follower of its sender in that term", () => {
    const node = new Solo({ self: 1, hardState: hardStateOf(1) });
    node.campaign();
    node.receive(0, installSnapshot(5, snapshotAt(9, 2)));
    expect(node.view).toMatchObject({ role: "follower", term: 5, leader: memberAt(0).id });
  });

  it("7 and 5.2: it is a sign of life like every append: the receiver keeps from campaigning", () => {
    const node = new Solo({ self: 1, hardState: hardStateOf(1) });
    node.at(50).receive(0, installSnapshot(1, snapshotAt(9, 1)));
    node.at(50 + U - 0.001);
    expect(only(node.receive(2, preVoteRequest(2, 99, 1)), "preVoteReply").granted).toBe(false);
    expect(node.tick().send).toEqual([]);
    expect(node.view.role).toBe("follower");
  });

  it("rule 5: it is saved before it is acknowledged, in the place of an earlier one", () => {
    const node = follower(commands(FULL), FULL);
    const effects = node.receive(0, installSnapshot(1, snapshotAt(FULL + 9, 1)));
    expect(effects.snapshot?.index).toBe(FULL + 9);
    expect(only(effects, "appendReply")).toMatchObject({ accepted: true, matchIndex: FULL + 9 });
    expect(node.snapshot?.index).toBe(FULL + 9);
  });

  it("rule 6: the entries that follow its last one stay, where the log has that one", () => {
    const node = follower(logOf(1, 1, 1, 1, 1), 1);
    node.receive(0, installSnapshot(1, snapshotAt(3, 1)));
    expect(indexes(node.entries)).toEqual([4, 5]);
    expect(node.view).toMatchObject({ commitIndex: 3, lastIndex: 5 });
  });

  it("rule 7: else the whole log is discarded, also where it is longer", () => {
    const node = follower(logOf(1, 1, 1, 1, 1), 1);
    node.receive(2, installSnapshot(3, snapshotAt(3, 2)));
    expect(node.entries).toEqual([]);
    expect(node.view).toMatchObject({ commitIndex: 3, lastIndex: 3 });
    const shorter = follower(logOf(1, 1), 1);
    shorter.receive(0, installSnapshot(1, snapshotAt(9, 1)));
    expect(shorter.view).toMatchObject({ commitIndex: 9, lastIndex: 9 });
  });

  it("rule 8: state machine and configuration are the snapshot's from then on", () => {
    const node = follower(logOf(1, 1), 1);
    const four = configurationOf([0, 1, 4], [5]);
    node.receive(0, installSnapshot(1, snapshotAt(9, 1, { configuration: four, removed: [memberAt(2).id], lock })));
    expect(node.view).toMatchObject({ configuration: four, history: lock });
    expect(node.core.committedConfiguration).toEqual(four);
    expect(node.core.removed).toEqual([memberAt(2).id]);
    expect(node.wake().send.map(({ to }) => to.name)).toEqual(["m0", "m4"]);
  });

  it("7: one that describes a prefix of what is committed already is acknowledged and takes nothing back", () => {
    const node = follower([...logOf(1), claim(2, 1, 0), ...commands(4, 3)], 5);
    const before = node.view;
    const effects = node.receive(0, installSnapshot(1, snapshotAt(1, 1)));
    expect(only(effects, "appendReply")).toMatchObject({ accepted: true, matchIndex: 1 });
    expect(effects).toMatchObject({ persist: null, snapshot: null });
    expect(node.view).toEqual(before);
    expect(node.entries).toHaveLength(6);
  });

  it("7: a repeated one is acknowledged again and changes nothing: requests may be repeated", () => {
    const node = follower(logOf(1, 1), 1);
    const message = installSnapshot(1, snapshotAt(9, 1, { lock }));
    node.receive(0, message);
    const before = node.view;
    const again = node.receive(0, message);
    expect(only(again, "appendReply")).toMatchObject({ accepted: true, matchIndex: 9 });
    expect(again).toMatchObject({ persist: null, snapshot: null, events: [] });
    expect(node.view).toEqual(before);
  });

  it("7: a late one, of before what was appended since, is no reason to send or to commit less", () => {
    const leader = compacted();
    leader.receive(2, lost(3));
    leader.receive(2, appendReply(2, { matchIndex: FULL + 1 }));
    leader.receive(2, appendReply(2, { matchIndex: FULL }));
    expect(leader.view.peers.find(({ member }) => member.name === "m2")?.matchIndex).toBe(FULL + 1);
  });
});
