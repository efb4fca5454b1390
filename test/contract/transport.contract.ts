/**
 * What every transport does: the cases of src/ports/transport.ts, for the real one and for the one in memory.
 *
 * Invariant: each case waits for what it expects; none waits for time to pass.
 *
 * Deliberately absent: what only sockets can do (test/unit/transport).
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logIndex, term } from "../../src/base/types.ts";
import type { IntroductoryMessage, LocalPeer, Transport } from "../../src/ports/transport.ts";
import type { AppendReply, AppendRequest, InstallSnapshot } from "../../src/raft/message.ts";
import { appendReply } from "../support/messages.ts";
import { GROUP_ID, idOf, localPeer, OTHER_GROUP_ID, Recorder } from "../support/transport-recorder.ts";

export interface TransportWorld {
  /** A transport that finds the others of this world by name. Started under `local`, which others can then look up. */
  start(local: LocalPeer, handlers: Recorder): Promise<Transport>;
  close(): Promise<void>;
}

interface Node {
  readonly local: LocalPeer;
  readonly transport: Transport;
  readonly seen: Recorder;
}

const heartbeat = (round: number): AppendRequest => ({
  kind: "appendRequest",
  term: term(3),
  round,
  prevIndex: logIndex(1),
  prevTerm: term(1),
  entries: [{ kind: "noop", index: logIndex(2), term: term(3) }],
  commitIndex: logIndex(1),
  leaseDurationMs: 2_000,
  holding: null,
});

const reply = (round: number): AppendReply => appendReply(3, { round, matchIndex: 2 });

const STATE = {
  index: logIndex(9),
  term: term(2),
  configuration: { voters: [{ id: idOf(1), name: "app-0" }], learners: [{ id: idOf(2), name: "app-1" }] },
  removed: [idOf(7)],
  lock: [],
};

const INSTALL: InstallSnapshot = {
  kind: "installSnapshot",
  term: term(3),
  round: 1,
  snapshot: STATE,
  leaseDurationMs: 2_000,
  holding: null,
};

const INTRODUCTIONS: readonly IntroductoryMessage[] = [
  { kind: "formQuery", nonce: "" },
  { kind: "joinRequest" },
  { kind: "joinAccepted", snapshot: { ...STATE, groupId: GROUP_ID, tokenBase: 1 } },
  { kind: "removed", groupId: GROUP_ID, member: idOf(2) },
];

const isAgreed = (seen: Recorder): boolean => seen.of("connected").at(-1)?.groupId === GROUP_ID;

export function transportContract(name: string, makeWorld: () => Promise<TransportWorld>): void {
  describe(`transport: ${name}`, () => {
    let world: TransportWorld;

    async function node(local: LocalPeer, peers: readonly string[]): Promise<Node> {
      const seen = new Recorder();
      const transport = await world.start(local, seen);
      transport.setPeers(peers);
      return { local, transport, seen };
    }

    async function pair(left: Partial<LocalPeer> = {}, right: Partial<LocalPeer> = {}): Promise<[Node, Node]> {
      const one = await node(localPeer("app-0", 1, left), ["app-1"]);
      const two = await node(localPeer("app-1", 2, right), ["app-0"]);
      return [one, two];
    }

    async function connectedPair(left: Partial<LocalPeer> = {}, right: Partial<LocalPeer> = {}): Promise<[Node, Node]> {
      const [one, two] = await pair(left, right);
      await one.seen.untilConnected("app-1");
      await two.seen.untilConnected("app-0");
      return [one, two];
    }

    beforeEach(async () => {
      world = await makeWorld();
    });
    afterEach(async () => {
      await world.close();
    });

    it("connects both ways and tells who is there", async () => {
      const [one, two] = await connectedPair({}, { version: "0.2.0" });
      expect(one.seen.of("connected")).toEqual([
        { kind: "connected", peer: two.local.self, groupId: GROUP_ID, version: "0.2.0" },
      ]);
      expect(one.transport.connectedId("app-1")).toBe(idOf(2));
      expect(two.transport.connectedId("app-0")).toBe(idOf(1));
      expect(one.transport.connectedId("app-7")).toBeNull();
    });

    it("carries raft messages both ways, equal by value, with sender and group id", async () => {
      const [one, two] = await connectedPair();
      const sent = heartbeat(7);
      expect(one.transport.send(two.local.self, sent)).toBe(true);
      await two.seen.until(() => two.seen.messages().length === 1);
      expect(two.transport.send(one.local.self, reply(7))).toBe(true);
      await one.seen.until(() => one.seen.messages().length === 1);
      expect(two.seen.of("message")).toEqual([
        { kind: "message", from: one.local.self, message: sent, groupId: GROUP_ID },
      ]);
      expect(two.seen.messages()[0]).not.toBe(sent);
      expect(one.seen.messages()).toEqual([reply(7)]);
    });

    it("does not deliver during the call that sends", async () => {
      const [one, two] = await connectedPair();
      one.transport.send(two.local.self, heartbeat(1));
      expect(two.seen.messages()).toEqual([]);
      await two.seen.until(() => two.seen.messages().length === 1);
    });

    it("keeps the order of one sender", async () => {
      const [one, two] = await connectedPair();
      const rounds = Array.from({ length: 500 }, (_, at) => at);
      for (const round of rounds) expect(one.transport.send(two.local.self, heartbeat(round))).toBe(true);
      await two.seen.until(() => two.seen.messages().length === rounds.length, "all messages");
      expect(two.seen.messages()).toEqual(rounds.map(heartbeat));
    });

    it.each<[string, string | null, string | null, string | null]>([
      ["where there is no group id", null, null, null],
      ["to a member from a node that is none", null, GROUP_ID, null],
      ["from a member to a node that is none", GROUP_ID, null, null],
      ["in a group too", GROUP_ID, GROUP_ID, GROUP_ID],
    ])(
      "carries talk about forming and joining %s, and raft messages in a group alone",
      async (_where, left, right, agreed) => {
        const [one, two] = await connectedPair({ groupId: left }, { groupId: right });
        expect(one.seen.of("connected")[0]?.groupId).toBe(agreed);
        const raft = [heartbeat(1), INSTALL];
        for (const message of raft) expect(one.transport.send(two.local.self, message)).toBe(agreed !== null);
        for (const message of INTRODUCTIONS) expect(one.transport.sendTo("app-1", message)).toBe(true);
        const expected = [...(agreed === null ? [] : raft), ...INTRODUCTIONS];
        await two.seen.until(() => two.seen.messages().length >= expected.length);
        expect(two.seen.of("message")).toEqual(
          expected.map((message) => ({ kind: "message", from: one.local.self, message, groupId: agreed })),
        );
      },
    );

    it("agrees on no group id while one end has none", async () => {
      const [one, two] = await connectedPair({ groupId: null }, {});
      expect(one.seen.of("connected")[0]?.groupId).toBeNull();
      expect(two.seen.of("connected")[0]?.groupId).toBeNull();
      expect(two.transport.send(one.local.self, heartbeat(1))).toBe(false);
      expect(two.transport.sendTo("app-0", { kind: "formQuery", nonce: "" })).toBe(true);
      await one.seen.until(() => one.seen.messages().length === 1);
    });

    it("makes every connection anew when its own node changes", async () => {
      const [one, two] = await connectedPair({ groupId: null }, { groupId: null });
      for (const { seen } of [one, two]) seen.clear();
      one.transport.setLocal({ ...one.local, groupId: GROUP_ID });
      two.transport.setLocal({ ...two.local, groupId: GROUP_ID });
      for (const { seen } of [one, two]) await seen.until(() => isAgreed(seen));
      expect(one.seen.events[0]).toEqual({ kind: "disconnected", name: "app-1" });
      expect(two.seen.events[0]).toEqual({ kind: "disconnected", name: "app-0" });
      expect(one.transport.send(two.local.self, heartbeat(1))).toBe(true);
      await two.seen.until(() => two.seen.messages().length === 1);
    });

    it("agrees on the group in both directions when one end gets into it", async () => {
      const [one, two] = await connectedPair({ groupId: null }, {});
      for (const { seen } of [one, two]) seen.clear();
      one.transport.setLocal({ ...one.local, groupId: GROUP_ID });
      for (const { seen } of [one, two]) await seen.until(() => isAgreed(seen));
      expect(one.transport.send(two.local.self, reply(1))).toBe(true);
      expect(two.transport.send(one.local.self, INSTALL)).toBe(true);
      await one.seen.until(() => one.seen.messages().length === 1);
      await two.seen.until(() => two.seen.messages().length === 1);
      for (const { seen } of [one, two]) expect(seen.faults()).toEqual([]);
    });

    it("does not connect to another group", async () => {
      const [one, two] = await pair({}, { group: "other" });
      await one.seen.untilFault("peer_group");
      await two.seen.untilFault("peer_group");
      expect(one.transport.connectedId("app-1")).toBeNull();
      expect(one.transport.sendTo("app-1", { kind: "formQuery", nonce: "" })).toBe(false);
      expect(one.seen.of("connected")).toEqual([]);
    });

    it("tells a fault as often as it happens: whoever is refused ten times is ten faults", async () => {
      await node(localPeer("app-1", 2, { group: "other" }), []);
      const one = await node(localPeer("app-0", 1), []);
      for (let nth = 1; nth <= 10; nth += 1) {
        one.transport.setPeers(["app-1"]);
        await one.seen.until(() => one.seen.faults("peer_group").length === nth, `fault ${nth}`);
        one.transport.setPeers([]);
      }
      expect(one.seen.events).toHaveLength(10);
    });

    it("does not connect to a group of the same name with another id", async () => {
      const [one, two] = await pair({}, { groupId: OTHER_GROUP_ID });
      await one.seen.untilFault("peer_group");
      await two.seen.untilFault("peer_group");
      expect(one.transport.send(two.local.self, heartbeat(1))).toBe(false);
      expect(one.seen.of("connected")).toEqual([]);
    });

    it("sends to nobody but the incarnation that is meant", async () => {
      const [one, two] = await connectedPair();
      expect(one.transport.send({ name: "app-1", id: idOf(9) }, heartbeat(1))).toBe(false);
      expect(one.transport.send({ name: "app-9", id: idOf(2) }, heartbeat(1))).toBe(false);
      expect(one.transport.sendTo("app-9", { kind: "formQuery", nonce: "" })).toBe(false);
      expect(one.transport.send(two.local.self, heartbeat(2))).toBe(true);
      await two.seen.until(() => two.seen.messages().length > 0);
      expect(two.seen.messages()).toEqual([heartbeat(2)]);
    });

    it("finds a peer that comes back as another incarnation", async () => {
      const [one, two] = await connectedPair();
      await two.transport.close();
      await one.seen.until(() => one.seen.of("disconnected").length === 1);
      expect(one.transport.connectedId("app-1")).toBeNull();
      expect(one.transport.send(two.local.self, heartbeat(1))).toBe(false);
      const again = await node(localPeer("app-1", 3), ["app-0"]);
      await one.seen.until(() => one.transport.connectedId("app-1") === idOf(3));
      expect(one.transport.send(two.local.self, heartbeat(2))).toBe(false);
      expect(one.transport.send(again.local.self, heartbeat(3))).toBe(true);
      await again.seen.until(() => again.seen.messages().length > 0);
      expect(again.seen.messages()).toEqual([heartbeat(3)]);
    });

    it("turns to an incarnation that calls, though the one before it never said goodbye", async () => {
      const [one, two] = await connectedPair();
      one.seen.clear();
      const reborn = await node(localPeer("app-1", 3, { groupId: null }), ["app-0"]);
      await one.seen.until(() => one.transport.connectedId("app-1") === idOf(3));
      expect(one.seen.events.map(({ kind }) => kind)).toEqual(["disconnected", "connected"]);
      expect(one.transport.send(two.local.self, heartbeat(1))).toBe(false);
      expect(one.transport.sendTo("app-1", { kind: "formQuery", nonce: "" })).toBe(true);
      await reborn.seen.until(() => reborn.seen.messages().length === 1);
      expect(two.seen.messages()).toEqual([]);
    });

    it("connects to the names it was given, and no others", async () => {
      const [one, two] = await connectedPair();
      const three = await node(localPeer("app-2", 3), []);
      one.transport.setPeers(["app-2"]);
      await one.seen.until(() => one.transport.connectedId("app-2") === idOf(3));
      expect(one.seen.of("disconnected")).toEqual([{ kind: "disconnected", name: "app-1" }]);
      expect(one.transport.send(two.local.self, heartbeat(1))).toBe(false);
      // The other direction is the others' own.
      expect(two.transport.send(one.local.self, heartbeat(2))).toBe(true);
      await one.seen.until(() => one.seen.messages().length === 1);
      expect(three.transport.connectedId("app-0")).toBeNull();
    });

    it("tells nothing any more once it is closed", async () => {
      const [one, two] = await connectedPair();
      const told = one.seen.events.length;
      const closed = one.transport.close();
      two.transport.send(one.local.self, heartbeat(1));
      await closed;
      await two.seen.until(() => two.seen.of("disconnected").length > 0);
      expect(one.seen.events.length).toBe(told);
      expect(one.transport.connectedId("app-1")).toBeNull();
      expect(one.transport.send(two.local.self, heartbeat(1))).toBe(false);
    });

    it("lets handlers call back into it", async () => {
      const [one, two] = await connectedPair();
      const seen = one.seen;
      two.seen.message = (from): void => {
        two.transport.setLocal({ ...two.local, groupId: GROUP_ID });
        expect(two.transport.send(from, reply(1))).toBe(false);
        two.transport.setPeers([]);
      };
      one.transport.send(two.local.self, heartbeat(1));
      await seen.until(() => seen.of("connected").length === 2, "a second connection");
      expect(two.transport.connectedId("app-0")).toBeNull();
    });
  });
}
