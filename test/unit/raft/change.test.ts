/** Changes of members: when a leader may append one, what it leads to, and who learns of it (ADR 8). */
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import { MAX_MEMBERS, MAX_REMOVED } from "../../../src/base/limits.ts";
import { memberId } from "../../../src/base/types.ts";
import type { MemberChange } from "../../../src/raft/effect.ts";
import type { ConfigEntry } from "../../../src/raft/entry.ts";
import { memberAt } from "../../support/cluster.ts";
import { baseOf, config, configurationOf, hardStateOf, noop, nowOf, votersOf } from "../../support/entries.ts";
import { appendReply, appendRequest, voteRequest } from "../../support/messages.ts";
import { eventsOf, only, sent, sentTo, Solo } from "../../support/solo.ts";
import { D, U } from "../../support/timing.ts";

const add = (position: number): MemberChange => ({ kind: "addLearner", member: memberAt(position) });
const promote = (position: number): MemberChange => ({ kind: "promote", id: memberAt(position).id });
const remove = (position: number): MemberChange => ({ kind: "remove", id: memberAt(position).id });

/** m0, holder of a group of m0, m1, m2 and the learner m3; everything in its log is committed. */
function holder(): Solo {
  return new Solo({ base: baseOf(configurationOf([0, 1, 2], [3])) }).hold();
}

/** The entry that was appended, if one was. */
function appended(node: Solo, change: MemberChange): ConfigEntry["configuration"] | null {
  const entry = node.change(change).persist?.entries[0];
  return entry?.kind === "config" ? entry.configuration : null;
}

function commit(node: Solo): void {
  node.persisted();
  node.ackAll();
}

describe("a change", () => {
  it.each([
    { change: add(4), voters: [0, 1, 2], learners: [3, 4] },
    { change: promote(3), voters: [0, 1, 2, 3], learners: [] },
    { change: remove(1), voters: [0, 2], learners: [3] },
    { change: remove(3), voters: [0, 1, 2], learners: [] },
  ])("is one entry, effective at once: $change.kind", ({ change, voters, learners }) => {
    const node = holder();
    const effects = node.change(change);
    const configuration = configurationOf(voters, learners);
    expect(effects.persist?.entries).toEqual([config(3, 1, configuration)]);
    expect(node.view.configuration).toEqual(configuration);
    expect(node.core.committedConfiguration).toEqual(configurationOf([0, 1, 2], [3]));
    expect(eventsOf(effects, "configurationChanged")).toEqual([{ kind: "configurationChanged", configuration }]);
    const asked = [...voters, ...learners].filter((position) => position !== 0);
    expect(effects.send.map(({ to }) => to)).toEqual(asked.map(memberAt));
  });

  it.each([
    ["adds no member twice", add(1)],
    ["adds no learner twice", add(3)],
    ["does not add itself", add(0)],
    ["promotes no voter", promote(1)],
    ["promotes no stranger", promote(9)],
    ["removes no stranger", remove(9)],
    ["does not remove itself", remove(0)],
  ])("that is none leads to nothing: it %s", (_, change) => {
    const node = holder();
    expect(node.change(change)).toMatchObject({ persist: null, send: [], events: [] });
  });

  it("adds nobody to a full group", () => {
    const positions = [...Array(MAX_MEMBERS).keys()];
    const full = new Solo({ base: baseOf(configurationOf([0, 1, 2], positions.slice(3))) }).hold();
    expect(appended(full, add(MAX_MEMBERS))).toBeNull();
    const room = new Solo({ base: baseOf(configurationOf([0, 1, 2], positions.slice(3, -1))) }).hold();
    expect(appended(room, add(MAX_MEMBERS))).not.toBeNull();
  });

  it("in one entry cannot swap two members: there is no such change, and the second waits for the first", () => {
    const node = holder();
    expect(appended(node, remove(1))).toEqual(configurationOf([0, 2], [3]));
    expect(appended(node, promote(3))).toBeNull();
    commit(node);
    node.ack(2);
    expect(appended(node, promote(3))).toEqual(configurationOf([0, 2, 3]));
  });
});

describe("a leader may change the members only", () => {
  it("if it is one", () => {
    const node = new Solo({ hardState: hardStateOf(1) });
    node.receive(1, appendRequest(1));
    expect(node.core.mayChange(nowOf(node.nowMs))).toBe(false);
    expect(node.change(add(4))).toMatchObject({ persist: null, send: [], events: [] });
  });

  it("once an entry of its own term is committed (copycat#23)", () => {
    const node = new Solo();
    node.elect();
    expect(appended(node, add(4))).toBeNull();
    node.persisted();
    expect(appended(node, add(4))).toBeNull();
    node.ackAll();
    expect(appended(node, add(4))).toEqual(configurationOf([0, 1, 2], [4]));
  });

  it("once the change before is committed, by a majority of its own voters", () => {
    const node = holder();
    expect(appended(node, promote(3))).not.toBeNull();
    node.persisted();
    node.ack(1);
    expect(appended(node, remove(2)), "two of four are no majority").toBeNull();
    node.ack(3);
    expect(appended(node, remove(2))).toEqual(configurationOf([0, 1, 3]));
  });

  it("once its own wait is over: promises to earlier leaders lie with the majorities of their time", () => {
    const node = new Solo();
    node.elect(500, 0);
    const electedAt = node.nowMs;
    commit(node);
    node.at(electedAt + 499);
    node.ackAll();
    expect(node.core.mayChange(nowOf(node.nowMs))).toBe(false);
    expect(appended(node, add(4))).toBeNull();
    node.at(electedAt + 500);
    node.ackAll();
    expect(appended(node, add(4))).not.toBeNull();
  });

  it("while it has not resigned", () => {
    const node = holder();
    node.resign(1);
    expect(appended(node, add(4))).toBeNull();
  });
});

describe("the lease", () => {
  it("rests on the voters of the entry from the moment it is appended", () => {
    const node = holder();
    node.after(300).tick();
    node.ack(1);
    const before = node.view.held?.end ?? 0;
    node.change(promote(3));
    expect(node.view.held, "m3 has acknowledged nothing yet").toBeNull();
    node.ack(3);
    expect(node.view.held, "what was seen to lapse is over").toBeNull();
    expect(before).toBeGreaterThan(node.nowMs);
  });

  it("goes on over the step from one voter to two, where the second has kept up", () => {
    const node = new Solo({ base: baseOf(configurationOf([0], [1])) });
    node.elect();
    for (let entries = 0; entries < 2; entries += 1) node.persisted();
    node.ack(1);
    const { tenure } = node.view.held ?? {};
    node.after(100).tick();
    node.ack(1);
    node.change(promote(1));
    expect(node.view.held).toMatchObject({ tenure, end: node.nowMs + U });
    node.after(50).persisted();
    expect(node.view.held?.end, "alone it renews nothing any more").toBe(node.nowMs - 50 + U);
    node.ack(1);
    expect(node.view.commitIndex).toBe(node.view.lastIndex);
    node.change(remove(1));
    expect(node.view).toMatchObject({ configuration: votersOf(1), held: { tenure } });
    node.persisted();
    expect(node.view.commitIndex).toBe(node.view.lastIndex);
  });

  /** Told an end, which a change then moved back: m3 has acknowledged nothing. */
  function movedBack(): { readonly node: Solo; readonly told: number } {
    const node = holder();
    node.after(100).tick();
    node.ack(1);
    const told = node.view.held?.end ?? 0;
    node.change(promote(3));
    expect(node.view.held).toBeNull();
    // Heard lately, so that there is somebody to hand over to; it acknowledges no round.
    node.at(told - 10).receive(1, appendReply(1, { round: 0, matchIndex: 2 }));
    return { node, told };
  }

  const certificateOf = (node: Solo, stopped: boolean): number | null =>
    only(node.step({ kind: "resign", to: "m1", stopped }), "timeoutNow").certificate;

  it("gives no certificate while an end that was told before a change is still ahead", () => {
    const { node, told } = movedBack();
    expect(certificateOf(node.at(told - 1), false)).toBeNull();
  });

  it("gives one once the furthest end has passed, or when the application has stopped", () => {
    const passed = movedBack();
    expect(certificateOf(passed.node.at(passed.told), false)).toBe(1);
    const stopped = movedBack();
    expect(certificateOf(stopped.node.at(stopped.told - 1), true)).toBe(1);
  });
});

describe("a removed member", () => {
  it("is told of the commit once, and then nothing any more", () => {
    const node = holder();
    const effects = node.change(remove(2));
    expect(sentTo(effects, 2)).toEqual([]);
    node.persisted();
    const committed = node.ack(1);
    const [farewell] = sentTo(committed, 2);
    expect(eventsOf(committed, "removed"), "not the leader is out").toEqual([]);
    expect(farewell).toMatchObject({ kind: "appendRequest", commitIndex: 3 });
    expect(sentTo(node.after(100).tick(), 2)).toEqual([]);
    expect(node.view.peers.map(({ member }) => member)).toEqual([memberAt(1), memberAt(3)]);
  });

  it("learns of it by the commit, not by the entry", () => {
    const node = new Solo({ self: 2, hardState: hardStateOf(1) });
    const entries = [noop(1, 1), config(2, 1, configurationOf([0, 1]))];
    const heard = node.receive(0, appendRequest(1, { entries, commitIndex: 1 }));
    expect(node.core.isMember).toBe(false);
    expect(eventsOf(heard, "removed")).toEqual([]);
    const committed = node.receive(0, appendRequest(1, { prevIndex: 2, prevTerm: 1, commitIndex: 2 }));
    expect(eventsOf(committed, "removed")).toHaveLength(1);
    expect(node.core.isRemoved(memberAt(2).id)).toBe(true);
  });

  it("is never taken in again, however the others learnt of it", () => {
    const node = holder();
    node.change(remove(2));
    commit(node);
    expect(node.core.removed).toEqual([memberAt(2).id]);
    expect(appended(node, add(2))).toBeNull();
    const heir = new Solo({ base: baseOf(configurationOf([0, 1])), removed: [memberAt(2).id] }).hold();
    expect(appended(heir, add(2))).toBeNull();
  });

  it("answers late, and nothing comes of it", () => {
    const node = holder();
    node.change(remove(2));
    commit(node);
    const before = node.view;
    expect(node.receive(2, appendReply(1, { round: 3, matchIndex: 99 }))).toMatchObject({ persist: null, send: [] });
    expect(node.view).toEqual(before);
  });

  it("is forgotten after MAX_REMOVED others", () => {
    const ids = Array.from({ length: MAX_REMOVED }, (_, at) => memberId(String(1_000 + at).padStart(32, "0")));
    const node = new Solo({ base: baseOf(configurationOf([0, 1, 2])), removed: ids }).hold();
    node.change(remove(2));
    commit(node);
    expect(node.core.removed).toEqual([memberAt(2).id, ...ids.slice(0, -1)]);
  });
});

describe("a member that leaves", () => {
  it("tells its leader at once and with each reply, and acknowledges nothing by it", () => {
    const node = new Solo({ self: 1, hardState: hardStateOf(1) });
    node.receive(0, appendRequest(1));
    const told = only(node.step({ kind: "leave" }), "appendReply");
    expect(told).toMatchObject({ leaving: true, round: 0, matchIndex: 0 });
    expect(only(node.receive(0, appendRequest(1, { round: 2 })), "appendReply").leaving).toBe(true);
    const leader = holder();
    const before = leader.view.held;
    leader.receive(1, told);
    expect(leader.view.held).toEqual(before);
    expect(leader.view.peers[0]).toMatchObject({ member: memberAt(1), leaving: true, matchIndex: 2 });
  });

  it("tells nobody where it knows no leader, or leads itself", () => {
    expect(sent(new Solo().step({ kind: "leave" }), "appendReply")).toEqual([]);
    expect(holder().step({ kind: "leave" }).send).toEqual([]);
  });
});

describe("a leader of term 1 that comes back", () => {
  it("with a change that was never committed, gives it up for the one that was", () => {
    const node = holder();
    node.change(remove(1));
    node.persisted();
    const mine = node.view.configuration;
    const theirs = config(3, 2, configurationOf([0, 1, 2], [3, 4]));
    node.receive(1, appendRequest(2, { prevIndex: 2, prevTerm: 1, entries: [theirs] }));
    expect(mine).toEqual(configurationOf([0, 2], [3]));
    expect(node.view.configuration).toEqual(theirs.configuration);
    expect(node.core.removed).toEqual([]);
  });

  it("does not assert on votes, appends and acks of members that it does not know", () => {
    const node = holder();
    expect(() => {
      node.receive(7, appendReply(1, { matchIndex: 2 }));
      node.receive(7, voteRequest(1));
      node.receive(7, appendRequest(0));
    }).not.toThrow(AssertionError);
    expect(node.at(node.nowMs + D).view.held).toBeNull();
  });
});
