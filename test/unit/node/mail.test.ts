/** Where mail goes: to the core, to the door, to formation, or nowhere (src/node/mail.ts). */
import { describe, expect, it, vi } from "vitest";
import type { MemberId } from "../../../src/base/types.ts";
import type { PeerMessage } from "../../../src/ports/transport.ts";
import { baseOf, configurationOf } from "../../support/entries.ts";
import {
  GROUP_ID,
  type LifeBench,
  lifeBench,
  lifeOf,
  type MailBench,
  mailBench,
  OTHER_GROUP_ID,
} from "../../support/life-bench.ts";
import { voteRequest } from "../../support/messages.ts";

type Bench = LifeBench & MailBench;

/** m0 of m0, m1 and m2; m3 is out. */
function member(): Bench {
  const bench = lifeBench({ snapshot: { removed: [lifeOf(3).id] } });
  return { ...bench, ...mailBench(bench.clock, bench.life) };
}

/** The same pod before and after its membership. */
function outsider(): Bench {
  const bench = lifeBench();
  return { ...bench, ...mailBench(bench.clock, null) };
}

const termOf = ({ life, clock }: Bench): number => life.group.core.view(clock.now()).term;
const kindsSaid = ({ said }: Bench): readonly string[] => said.map(({ to, message }) => `${to} ${message.kind}`);
const removedFrom = (who: MemberId): PeerMessage => ({ kind: "removed", groupId: GROUP_ID, member: who });

describe("a raft message", () => {
  it.each([
    { of: "a peer of this group", from: lifeOf(1), groupId: GROUP_ID, term: 5, calls: ["may need an answer: m1"] },
    {
      of: "one of this group that is in no configuration here",
      from: lifeOf(9),
      groupId: GROUP_ID,
      term: 5,
      calls: ["may need an answer: m9"],
    },
    {
      of: "another life of a member",
      from: lifeOf(1, "f"),
      groupId: GROUP_ID,
      term: 5,
      calls: ["may need an answer: m1"],
    },
    { of: "a peer of another group", from: lifeOf(1), groupId: OTHER_GROUP_ID, term: 0, calls: [] },
    { of: "a peer without a group", from: lifeOf(1), groupId: null, term: 0, calls: [] },
    {
      of: "an incarnation that is out",
      from: lifeOf(3),
      groupId: GROUP_ID,
      term: 0,
      calls: ["may need an answer: m3"],
    },
  ])("of $of leads to term $term", async ({ from, groupId, term, calls }) => {
    const bench = member();
    bench.handlers.message(from, voteRequest(5), groupId);
    expect(bench.calls).toEqual(calls);
    // What is behind it in the queue has been answered: it has been seen by then, or never will be.
    bench.handlers.message(lifeOf(2), voteRequest(1), GROUP_ID);
    await vi.waitFor(() => expect(kindsSaid(bench)).toContain("m2 voteReply"));
    expect(termOf(bench)).toBe(Math.max(term, 1));
    expect(kindsSaid(bench).includes(`${from.name} voteReply`)).toBe(term > 0);
  });

  it("of an incarnation that is out is answered with its removal", () => {
    const bench = member();
    bench.handlers.message(lifeOf(3), voteRequest(5), GROUP_ID);
    expect(bench.said).toEqual([{ to: "m3", message: removedFrom(lifeOf(3).id) }]);
  });

  it("goes nowhere before and after membership", () => {
    const bench = outsider();
    bench.handlers.message(lifeOf(1), voteRequest(5), GROUP_ID);
    expect([bench.calls, bench.said, bench.events]).toEqual([[], [], []]);
  });

  it("that the full queue does not take is dropped, and that is told", () => {
    const bench = member();
    vi.spyOn(bench.life.group, "offer").mockReturnValue(false);
    bench.handlers.message(lifeOf(1), voteRequest(5), GROUP_ID);
    expect(bench.events).toMatchObject([{ kind: "fault", code: "peer_overflow", where: "m1" }]);
  });
});

describe("an introductory message", () => {
  it.each([
    { message: { kind: "formQuery", nonce: "" }, calls: ["may need an answer: m1"] },
    { message: { kind: "joinRequest" }, calls: ["may need an answer: m1"] },
    { message: removedFrom(lifeOf(0).id), calls: [`removed: ${GROUP_ID}`] },
    { message: removedFrom(lifeOf(0, "f").id), calls: [] },
    { message: removedFrom(lifeOf(1).id), calls: [] },
  ] as const)("$message.kind means for the node: $calls", ({ message, calls }) => {
    for (const bench of [member(), outsider()]) {
      bench.handlers.message(lifeOf(1), message, null);
      expect(bench.calls).toEqual(calls);
    }
  });

  it("joinAccepted is the node's to take", () => {
    const bench = outsider();
    const snapshot = { ...bench.life.group.core.snapshot(), groupId: GROUP_ID, tokenBase: 1 };
    bench.handlers.message(lifeOf(1), { kind: "joinAccepted", snapshot }, null);
    expect(bench.calls).toEqual([`joined: ${GROUP_ID}`]);
  });

  it("joinRequest opens the door at once, without waiting for the next step", async () => {
    const lone = lifeBench({ snapshot: baseOf(configurationOf([0])) });
    const bench = { ...lone, ...mailBench(lone.clock, lone.life) };
    bench.clock.nowMs += 5_000;
    bench.life.group.offer({ kind: "tick" });
    const { core } = bench.life.group;
    await vi.waitFor(() => expect(core.mayChange(bench.clock.now())).toBe(true));
    bench.handlers.message(lifeOf(5), { kind: "joinRequest" }, null);
    await vi.waitFor(() => expect(core.committedConfiguration).toEqual(configurationOf([0], [5])));
  });

  it("of anybody is a sign of life of a name that is kept, and of no other", () => {
    const bench = member();
    bench.handlers.message(lifeOf(1), { kind: "formQuery", nonce: "" }, null);
    bench.handlers.message(lifeOf(7), { kind: "formQuery", nonce: "" }, null);
    expect([bench.contacts.heardAt(lifeOf(1)), bench.contacts.heardAt(lifeOf(7))]).toEqual([1_000, null]);
  });
});

describe("a connection", () => {
  it.each([
    { groupId: GROUP_ID, members: [lifeOf(1)] },
    { groupId: null, members: [] },
  ])("of group $groupId is a contact, no other group, and an event", ({ groupId, members }) => {
    const bench = member();
    bench.handlers.connected(lifeOf(1), groupId, "1.2");
    expect(bench.contacts.members).toEqual(members);
    expect(bench.contacts.version(lifeOf(1))).toBe("1.2");
    expect(bench.calls).toEqual(["other group: m1 false"]);
    expect(bench.events).toEqual([{ kind: "peerConnected", peer: "m1", incarnation: lifeOf(1).id, version: "1.2" }]);
    expect(bench.said).toEqual([]);
  });

  it("of an incarnation that is out is told so: its next word may be far off", () => {
    const bench = member();
    bench.handlers.connected(lifeOf(3), GROUP_ID, "1.2");
    bench.handlers.connected(lifeOf(3, "f"), null, "1.2");
    expect(bench.said).toEqual([{ to: "m3", message: removedFrom(lifeOf(3).id) }]);
  });

  it("that ends, and each round trip, is an event", () => {
    const bench = member();
    bench.handlers.disconnected("m1");
    bench.handlers.roundTrip("m1", 3);
    expect(bench.events).toEqual([
      { kind: "peerDisconnected", peer: "m1" },
      { kind: "peerRoundTrip", peer: "m1", durationMs: 3 },
    ]);
  });

  it.each([
    { code: "peer_group", calls: ["other group: m1 true"] },
    { code: "peer_timeout", calls: [] },
  ] as const)("refused with $code is a fault, and of another group: $calls", ({ code, calls }) => {
    const bench = member();
    bench.handlers.fault(code, "m1", "no");
    expect(bench.events).toEqual([{ kind: "fault", code, where: "m1", message: "no" }]);
    expect(bench.calls).toEqual(calls);
  });
});
