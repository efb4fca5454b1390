/** The door of a group: who is told what when it asks, and whom a leader proposes next (src/node/admission.ts). */
import { describe, expect, it } from "vitest";
import { MAX_MEMBERS } from "../../../src/base/limits.ts";
import type { Member } from "../../../src/base/types.ts";
import { Admission } from "../../../src/node/admission.ts";
import { SILENT_LEARNER_MS } from "../../../src/node/membership.ts";
import type { IntroductoryMessage } from "../../../src/ports/transport.ts";
import type { MemberChange } from "../../../src/raft/effect.ts";
import { memberAt } from "../../support/cluster.ts";
import { baseOf, configurationOf, nowOf } from "../../support/entries.ts";
import { appendReply, appendRequest } from "../../support/messages.ts";
import { Solo, type SoloOptions } from "../../support/solo.ts";
import { H, TIMING } from "../../support/timing.ts";

const GROUP_ID = "b".repeat(32);
/** Requests older than this count no more, in ms. */
const FRESH_MS = 1_500;

interface Door {
  readonly node: Solo;
  readonly admission: Admission;
  readonly said: { readonly to: string; readonly message: IntroductoryMessage }[];
  ask(from: Member, atMs?: number): void;
  next(atMs?: number): MemberChange | null;
}

function door(node: Solo): Door {
  const said: Door["said"] = [];
  const admission = new Admission({
    core: node.core,
    self: memberAt(node.self),
    timing: TIMING,
    groupId: GROUP_ID,
    welcome: (snapshot) => ({ kind: "joinAccepted", snapshot: { ...snapshot, groupId: GROUP_ID, tokenBase: 7 } }),
    sendTo: (to, message) => void said.push({ to, message }),
  });
  return {
    node,
    admission,
    said,
    ask: (from, atMs = node.nowMs) => admission.asked(from, nowOf(atMs)),
    next: (atMs = node.nowMs) => admission.next(nowOf(atMs)),
  };
}

/** m0 leads m0 and m1; m2 is out. */
const GROUP: SoloOptions = { base: baseOf(configurationOf([0, 1])), removed: [memberAt(2).id] };

function leading(options = GROUP): Door {
  return door(new Solo(options).hold());
}

function following(): Door {
  const node = new Solo({ ...GROUP, self: 1 });
  node.receive(0, appendRequest(1));
  return door(node);
}

function commit({ node }: Door, change: MemberChange): void {
  node.change(change);
  node.persisted();
  node.ackAll();
}

const addM3: MemberChange = { kind: "addLearner", member: memberAt(3) };

describe("an asker", () => {
  it.each([
    { asks: "a leader", who: "a member", at: leading, from: 1, told: ["joinAccepted"], proposed: null },
    { asks: "a leader", who: "a stranger", at: leading, from: 3, told: [], proposed: addM3 },
    { asks: "a leader", who: "one that is out", at: leading, from: 2, told: ["removed"], proposed: null },
    { asks: "a follower", who: "a member", at: following, from: 0, told: [], proposed: null },
    { asks: "a follower", who: "a stranger", at: following, from: 3, told: [], proposed: null },
    { asks: "a follower", who: "one that is out", at: following, from: 2, told: ["removed"], proposed: null },
  ])("that is $who is told $told by $asks", ({ at, from, told, proposed }) => {
    const front = at();
    front.ask(memberAt(from));
    expect(front.said.map(({ to, message }) => [to, message.kind])).toEqual(told.map((kind) => [`m${from}`, kind]));
    expect(front.next()).toEqual(proposed);
  });

  it("hears for which incarnation it is out, and of which group", () => {
    const front = leading();
    front.admission.turnAway(memberAt(2));
    expect(front.said).toEqual([{ to: "m2", message: { kind: "removed", groupId: GROUP_ID, member: memberAt(2).id } }]);
  });

  it("is told that it is in once that is committed, once, with the state that says so", () => {
    const front = leading();
    front.ask(memberAt(3));
    front.node.change(addM3);
    front.ask(memberAt(3));
    expect([front.next(), front.said], "appended is not committed").toEqual([null, []]);
    front.node.persisted();
    front.node.ackAll();
    front.next();
    front.next();
    const snapshot = { configuration: configurationOf([0, 1], [3]), groupId: GROUP_ID, tokenBase: 7 };
    expect(front.said).toMatchObject([{ to: "m3", message: { kind: "joinAccepted", snapshot } }]);
  });

  it.each([
    { silentMs: FRESH_MS, proposed: addM3 },
    { silentMs: FRESH_MS + 0.1, proposed: null },
  ])("that was not heard for $silentMs ms is proposed: $proposed", ({ silentMs, proposed }) => {
    const front = leading();
    front.ask(memberAt(3));
    expect(front.next(front.node.nowMs + silentMs)).toEqual(proposed);
  });

  it("takes the place of an earlier one of its name: of two pods only the last is in the running", () => {
    const front = leading();
    const [older, newer] = [4, 5].map((position) => ({ ...memberAt(position), name: "m3" }));
    for (const pod of [older, newer]) if (pod !== undefined) front.ask(pod);
    expect(front.next()).toEqual({ kind: "addLearner", member: newer });
  });

  it("is not kept beside MAX_MEMBERS others, and one of theirs can still ask again", () => {
    const front = leading();
    const start = front.node.nowMs;
    for (let position = 10; position < 10 + MAX_MEMBERS; position += 1) front.ask(memberAt(position), start);
    front.ask(memberAt(3), start + 1_000);
    expect(front.next(start + FRESH_MS + 1), "those before it are forgotten by now").toBeNull();
    for (let position = 10; position < 10 + MAX_MEMBERS; position += 1) front.ask(memberAt(position), start + 2_000);
    front.ask(memberAt(20), start + 3_000);
    expect(front.next(start + 2_000 + FRESH_MS + 1)).toEqual({ kind: "addLearner", member: memberAt(20) });
  });
});

describe("the next change", () => {
  it("is proposed once for each state of the log: one that led to no entry would lead to none again", () => {
    const front = leading();
    front.ask(memberAt(3));
    expect([front.next(), front.next(), front.next()]).toEqual([addM3, null, null]);
    commit(front, { kind: "addLearner", member: memberAt(4) });
    expect(front.next()).toEqual(addM3);
  });

  it("waits for the one before, and for a leader that may change", () => {
    const front = leading();
    front.node.change({ kind: "addLearner", member: memberAt(4) });
    front.ask(memberAt(3));
    expect(front.next()).toBeNull();
    front.node.persisted();
    front.node.ackAll();
    expect(front.next()).toEqual(addM3);
    front.node.resign(1);
    front.ask(memberAt(5));
    expect(front.next()).toBeNull();
  });

  it.each([
    { members: 10, afterMs: 0 },
    { members: 11, afterMs: H / 8 },
  ])("is looked for in a group of $members again after $afterMs ms", ({ members, afterMs }) => {
    const learners = Array.from({ length: members - 5 }, (_, at) => 5 + at);
    const front = leading({ base: baseOf(configurationOf([0, 1, 2, 3, 4], learners)) });
    expect(front.next()).toBeNull();
    front.node.receive(5, appendReply(1, { round: 0, leaving: true }));
    const gone = { kind: "remove", id: memberAt(5).id };
    if (afterMs > 0) expect(front.next(front.node.nowMs + afterMs - 0.1)).toBeNull();
    expect(front.next(front.node.nowMs + afterMs)).toEqual(gone);
  });

  it("is looked for at once when somebody asks, however large the group is", () => {
    const front = leading({ base: baseOf(configurationOf([0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10])) });
    expect(front.next()).toBeNull();
    front.ask(memberAt(20));
    expect(front.next()).toEqual({ kind: "addLearner", member: memberAt(20) });
  });

  it("does not remove for its silence whom this leader has only just added", () => {
    const front = leading();
    for (let ms = 0; ms < SILENT_LEARNER_MS + 1_000; ms += 500) {
      front.node.after(500).tick();
      front.node.ackAll();
    }
    front.ask(memberAt(3));
    const change = front.next();
    expect(change).toEqual(addM3);
    commit(front, addM3);
    expect(front.next()).toBeNull();
    expect(front.next(front.node.nowMs + SILENT_LEARNER_MS + 1)).toEqual({ kind: "remove", id: memberAt(3).id });
  });
});
