/** A peer that dials in shows who and where it is now: what the dialler to it makes of that. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PeerTransport } from "../../../src/transport/peer-transport.ts";
import { deadPort } from "../../support/dead-port.ts";
import { at, DiallingBench, WELCOME } from "../../support/dialling-bench.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { GROUP_ID, idOf, Recorder } from "../../support/transport-recorder.ts";

const REBORN = { id: idOf(3), name: "app-1" };
const HELLO = { ...WELCOME, kind: "hello" } as const;

let bench: DiallingBench;
beforeEach(() => {
  bench = new DiallingBench();
  // What is not done at once is done very late.
  bench.random = 0.999;
});
afterEach(async () => {
  await bench.close();
});

/** app-1 dials in, and is welcome. */
async function call(transport: PeerTransport, changes: object = {}, from = "127.0.0.1"): Promise<RawPeer> {
  const peer = RawPeer.dial(transport.port, from).send({ ...HELLO, ...changes });
  expect(await peer.next()).toMatchObject({ kind: "welcome" });
  return peer;
}

const kinds = (): string[] => bench.seen.events.map(({ kind }) => kind);

describe("the call of a peer that this node is connected to", () => {
  it("changes nothing when it says nothing new", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    await call(transport);
    expect(transport.sendTo("app-1", { kind: "formQuery", nonce: "" })).toBe(true);
    expect(await peer.next()).toEqual({ kind: "formQuery", nonce: "" });
    expect(other.accepted()).toBe(1);
    expect(kinds()).toEqual(["connected"]);
  });

  it("as another incarnation ends the connection to the one before, which may be dead without a word", async () => {
    const [old, young] = [await bench.listener(), await bench.listener()];
    const transport = await bench.dial([at(old.port)]);
    const silent = await bench.welcome(old);
    await bench.seen.untilConnected("app-1");
    bench.world.addresses.set("app-1", [at(young.port)]);
    await call(transport, { from: REBORN, groupId: null });
    expect(transport.connectedId("app-1")).toBeNull();
    await bench.welcome(young, { ...WELCOME, from: REBORN, groupId: null });
    await bench.seen.until(() => transport.connectedId("app-1") === REBORN.id);
    await silent.closed;
    // No ping that went unanswered, and nothing else that a person has to look at.
    expect(kinds()).toEqual(["connected", "disconnected", "connected"]);
    expect([bench.lookups, bench.waits]).toEqual([2, 0]);
  });

  it("as a member of the group that it was not in before makes the connection anew", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    await bench.welcome(other, { ...WELCOME, groupId: null });
    await bench.seen.untilConnected("app-1");
    await call(transport);
    await bench.welcome(other);
    await bench.seen.until(() => bench.seen.of("connected").length === 2);
    expect(bench.seen.of("connected").map(({ groupId }) => groupId)).toEqual([null, GROUP_ID]);
    expect(bench.seen.faults()).toEqual([]);
  });

  it("tells that the connection is lost, also when the peer is given up at the same moment", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    bench.seen.message = (...told): void => {
      expect(transport.connectedId("app-1")).toBeNull();
      transport.setPeers([]);
      Recorder.prototype.message.apply(bench.seen, told);
    };
    // In one packet, so that nothing happens between the two.
    RawPeer.dial(transport.port).send({ ...HELLO, from: REBORN }, { kind: "formQuery", nonce: "" });
    await bench.seen.until(() => bench.seen.messages().length === 1);
    expect(kinds()).toEqual(["connected", "disconnected", "message"]);
  });
});

describe("the call of a peer that this node is dialling", () => {
  it("ends an attempt at an address that does not answer", async () => {
    const dead = await deadPort();
    const other = await bench.listener();
    const transport = await bench.dial([at(dead.port)]);
    bench.world.addresses.set("app-1", [at(other.port)]);
    await call(transport);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    await dead.close();
    expect(kinds()).toEqual(["connected"]);
    expect(bench.waits).toBe(0);
  });

  it("does not end a handshake under way: both ends could go on like that", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const peer = await other.next();
    await peer.next();
    await call(transport);
    peer.send(WELCOME);
    await bench.seen.untilConnected("app-1");
    expect(other.accepted()).toBe(1);
  });

  it("ends a handshake with another incarnation when it is done, and untold", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const old = await other.next();
    await old.next();
    await call(transport, { from: REBORN });
    old.send(WELCOME);
    await bench.welcome(other, { ...WELCOME, from: REBORN });
    await bench.seen.untilConnected("app-1");
    expect(transport.connectedId("app-1")).toBe(REBORN.id);
    expect(kinds()).toEqual(["connected"]);
  });

  it("is answered once: whoever is found then is taken, and no call is waited for", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    await call(transport, { from: REBORN });
    // A record that is still the old one's.
    await bench.welcome(other);
    await bench.seen.until(() => bench.seen.of("connected").length === 2);
    expect(transport.connectedId("app-1")).toBe(idOf(2));
    expect(other.accepted()).toBe(2);
  });

  it("ends the round after an attempt that failed, and there is no wait", async () => {
    const [wrong, right] = [await bench.listener(), await bench.listener()];
    const transport = await bench.dial([at(wrong.port)]);
    const peer = await wrong.next();
    await peer.next();
    bench.world.addresses.set("app-1", [at(right.port)]);
    await call(transport);
    peer.send({ kind: "refusal", code: "peer_name", message: "this is app-7, not app-1", from: null });
    await bench.welcome(right);
    await bench.seen.untilConnected("app-1");
    expect(kinds()).toEqual(["fault", "connected"]);
    expect([wrong.accepted(), bench.waits]).toEqual([1, 0]);
  });
});

describe("the address that a peer calls from", () => {
  const ELSEWHERE = "127.0.0.2";

  it("is dialled while there is no record, at the port that all pods have", async () => {
    const transport = await bench.dial([]);
    await bench.seen.untilFault("discovery_failed");
    const other = await bench.listener(transport.port, ELSEWHERE);
    await call(transport, {}, ELSEWHERE);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    expect(bench.seen.faults().every(({ code }) => code === "discovery_failed")).toBe(true);
  });

  it("goes before a record that is older than the pod, whose port it takes", async () => {
    const old = await bench.listener();
    const transport = await bench.dial([at(old.port)]);
    await bench.welcome(old);
    await bench.seen.untilConnected("app-1");
    const young = await bench.listener(old.port, ELSEWHERE);
    await call(transport, { from: REBORN }, ELSEWHERE);
    await bench.welcome(young, { ...WELCOME, from: REBORN });
    await bench.seen.until(() => transport.connectedId("app-1") === REBORN.id);
    expect(old.accepted()).toBe(1);
    expect(kinds()).toEqual(["connected", "disconnected", "connected"]);
  });

  it("is nobody's fault when nothing listens there, and the records are tried after it", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    await call(transport, { from: REBORN }, ELSEWHERE);
    await bench.welcome(other, { ...WELCOME, from: REBORN });
    await bench.seen.until(() => transport.connectedId("app-1") === REBORN.id);
    expect(bench.seen.faults()).toEqual([]);
  });

  it("is forgotten after one round", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    const guessed = await bench.listener(other.port, ELSEWHERE);
    await call(transport, { from: REBORN }, ELSEWHERE);
    const peer = await bench.welcome(guessed, { ...WELCOME, from: REBORN });
    await bench.seen.until(() => transport.connectedId("app-1") === REBORN.id);
    peer.socket.end();
    await bench.welcome(other, { ...WELCOME, from: REBORN });
    await bench.seen.until(() => bench.seen.of("connected").length === 3);
    expect(guessed.accepted()).toBe(1);
  });
});
