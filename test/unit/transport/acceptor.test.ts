/** The peer port against a dialler that is played by hand: what it takes, what it refuses, and how it says so. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  MAX_FRAME_BYTES,
  MAX_HANDSHAKE_FRAME_BYTES,
  MAX_PEER_CONNECTIONS,
  MAX_PEER_PENDING,
  PEER_HANDSHAKE_TIMEOUT_MS,
  PEER_SILENCE_MS,
} from "../../../src/base/limits.ts";
import type { PeerTransport } from "../../../src/transport/peer-transport.ts";
import { rawFrame, RawPeer } from "../../support/raw-peer.ts";
import { GROUP_ID, idOf, localPeer, OTHER_GROUP_ID, Recorder } from "../../support/transport-recorder.ts";
import { SocketWorld } from "../../support/transport-world.ts";

const HELLO = {
  kind: "hello",
  magic: "tenure",
  protocol: 2,
  version: "0.1.0",
  group: "app",
  groupId: GROUP_ID,
  from: { id: idOf(2), name: "app-1" },
  to: "app-0",
} as const;
const QUERY = { kind: "formQuery", nonce: "" } as const;
const JOIN = { kind: "joinRequest" } as const;
const ALONE = { voters: [HELLO.from], learners: [] };
const STATE = { index: 0, term: 0, configuration: ALONE, removed: [], lock: [] };
const INSTALL = { kind: "installSnapshot", term: 1, round: 0, snapshot: STATE, leaseDurationMs: 300, holding: null };
const VOTE = { kind: "voteRequest", term: 1, lastIndex: 0, lastTerm: 0 } as const;

let world: SocketWorld;
let acceptor: PeerTransport;
let seen: Recorder;

beforeEach(async () => {
  world = new SocketWorld(null);
  seen = new Recorder();
  acceptor = await world.start(localPeer("app-0", 1), seen);
});
afterEach(async () => {
  await world.close();
});

async function welcomed(hello: object = HELLO): Promise<RawPeer> {
  const peer = RawPeer.dial(acceptor.port).send(hello);
  expect(await peer.next()).toMatchObject({ kind: "welcome" });
  return peer;
}

describe("the handshake", () => {
  it("is answered with the same fields", async () => {
    const peer = RawPeer.dial(acceptor.port).send(HELLO);
    expect(await peer.next()).toEqual({
      kind: "welcome",
      magic: "tenure",
      protocol: 2,
      version: "0.1.0",
      group: "app",
      groupId: GROUP_ID,
      from: { id: idOf(1), name: "app-0" },
      to: "app-1",
    });
  });

  it.each([
    ["another magic", { magic: "raft" }, "peer_protocol"],
    ["another protocol", { protocol: 3 }, "peer_protocol"],
    ["another group", { group: "other" }, "peer_group"],
    ["another group id", { groupId: OTHER_GROUP_ID }, "peer_group"],
    ["another name", { to: "app-2" }, "peer_name"],
    ["no incarnation", { from: { name: "app-1" } }, "frame_malformed"],
    ["an incarnation that is none", { from: { id: "x", name: "app-1" } }, "frame_malformed"],
    ["a field too many", { more: true }, "frame_malformed"],
  ])("is refused for %s: told to both ends, and closed", async (_what, changes, code) => {
    const peer = RawPeer.dial(acceptor.port).send({ ...HELLO, ...changes }, QUERY);
    expect(await peer.next()).toMatchObject({ kind: "refusal", code, from: { id: idOf(1), name: "app-0" } });
    expect(await peer.closed).toBeNull();
    await seen.untilFault(code as "peer_group");
    expect(seen.faults()).toHaveLength(1);
    expect(seen.messages()).toEqual([]);
  });

  it("names what does not fit", async () => {
    const group = RawPeer.dial(acceptor.port).send({ ...HELLO, group: "other" });
    expect((await group.next())?.["message"]).toBe('this is a peer of group "app", not "other"');
    const name = RawPeer.dial(acceptor.port).send({ ...HELLO, to: "app-2" });
    expect((await name.next())?.["message"]).toBe("this is app-0, not app-2");
  });

  it("that is refused ten times is ten faults, whatever works in between", async () => {
    for (let nth = 1; nth <= 10; nth += 1) {
      const peer = RawPeer.dial(acceptor.port).send({ ...HELLO, group: "other" });
      await peer.next();
      await peer.closed;
      await seen.until(() => seen.faults().length === nth);
      if (nth === 5) await welcomed();
    }
    expect(new Set(seen.faults().map(({ code, peer, message }) => `${code} ${peer} ${message}`)).size).toBe(1);
    expect(seen.faults()[0]).toMatchObject({ code: "peer_group", peer: "app-1" });
  });

  it("of this very process is refused without a fault", async () => {
    const peer = RawPeer.dial(acceptor.port).send({ ...HELLO, from: { id: idOf(1), name: "app-0" } });
    expect(await peer.next()).toMatchObject({ kind: "refusal", code: "peer_name", from: { id: idOf(1) } });
    await peer.closed;
    expect(seen.events).toEqual([]);
  });

  it("may be followed by messages in the same packet", async () => {
    RawPeer.dial(acceptor.port).send(HELLO, QUERY, VOTE);
    await seen.until(() => seen.messages().length === 2);
    expect(seen.messages()).toEqual([QUERY, VOTE]);
  });

  it("comes before everything else", async () => {
    const peer = RawPeer.dial(acceptor.port).send(QUERY);
    expect(await peer.next()).toMatchObject({ kind: "refusal", code: "peer_protocol" });
    await peer.closed;
    expect(seen.messages()).toEqual([]);
  });

  it("must be finished in time", async () => {
    const startMs = performance.now();
    const peer = RawPeer.dial(acceptor.port).bytes(rawFrame(HELLO).subarray(0, 20));
    await peer.closed;
    expect(performance.now() - startMs).toBeGreaterThan(PEER_HANDSHAKE_TIMEOUT_MS - 50);
    await seen.untilFault("peer_timeout");
    expect(seen.faults()).toMatchObject([{ peer: "127.0.0.1" }]);
  });

  it("is no fault when a probe opens and closes the port", async () => {
    const probe = RawPeer.dial(acceptor.port);
    probe.socket.end();
    await probe.closed;
    await welcomed();
    expect(seen.events).toEqual([]);
  });

  it("that the dialler takes back is a fault with its code", async () => {
    const peer = await welcomed();
    peer.send({ kind: "refusal", code: "peer_certificate", message: "no peer", from: null });
    await seen.untilFault("peer_certificate");
    expect(seen.faults()[0]?.peer).toBe("app-1");
    expect(seen.faults()[0]?.message).toContain("no peer");
    await peer.closed;
  });
});

describe("frames", () => {
  it.each([
    ["corrupt: no JSON", rawFrame("{"), "frame_malformed"],
    ["corrupt: one flipped bit of UTF-8", rawFrame(JSON.stringify(QUERY)).fill(0xff, 8, 9), "frame_malformed"],
    ["of length 0", Buffer.alloc(4), "frame_malformed"],
    ["of an unknown kind", rawFrame({ kind: "installLog" }), "frame_malformed"],
    ["of the handshake once more", rawFrame(HELLO), "frame_malformed"],
    ["announced too large", Buffer.from([0x00, 0x10, 0x00, 0x01]), "frame_too_large"],
    ["announced absurdly large", Buffer.from("GET / HTTP/1.1\r\n"), "frame_too_large"],
  ])("%s: closes the connection, after what came before it", async (_what, bytes, code) => {
    const peer = await welcomed();
    peer.bytes(Buffer.concat([rawFrame(QUERY), bytes, rawFrame(QUERY)]));
    expect(await peer.next()).toMatchObject({ kind: "refusal", code });
    await peer.closed;
    await seen.untilFault(code as "frame_malformed");
    expect(seen.messages()).toEqual([QUERY]);
    expect(seen.faults()).toHaveLength(1);
    expect(seen.faults()[0]?.peer).toBe("app-1");
  });

  it("are small before the handshake, and large after it", async () => {
    const stranger = RawPeer.dial(acceptor.port).bytes(rawFrame("x".repeat(MAX_HANDSHAKE_FRAME_BYTES + 1)));
    expect(await stranger.next()).toMatchObject({ kind: "refusal", code: "frame_too_large" });
    const peer = await welcomed();
    const padded = JSON.stringify(QUERY).padEnd(MAX_FRAME_BYTES, " ");
    peer.bytes(rawFrame(padded));
    await seen.until(() => seen.messages().length === 1);
  });

  it("that are cut off by the end of the stream are no message", async () => {
    const peer = await welcomed();
    peer.socket.end(Buffer.concat([rawFrame(QUERY), rawFrame(QUERY).subarray(0, 9)]));
    await seen.untilFault("peer_unreachable");
    expect(seen.messages()).toEqual([QUERY]);
  });
});

describe("messages", () => {
  it("of raft need an agreed group id, those of forming and joining do not", async () => {
    const peer = await welcomed({ ...HELLO, groupId: null });
    peer.send(VOTE, INSTALL, JOIN, VOTE, INSTALL, QUERY);
    await seen.until(() => seen.messages().length > 1);
    const common = { kind: "message", from: HELLO.from, groupId: null };
    expect(seen.of("message")).toEqual([JOIN, QUERY].map((message) => ({ ...common, message })));
  });

  it("of a connection that was made before the node's group are not delivered after", async () => {
    const early = await welcomed();
    acceptor.setLocal(localPeer("app-0", 1, { groupId: OTHER_GROUP_ID }));
    early.send(VOTE, QUERY);
    expect(await early.closed).toBeNull();
    const late = await welcomed({ ...HELLO, groupId: OTHER_GROUP_ID });
    late.send(QUERY);
    await seen.until(() => seen.messages().length > 0);
    expect(seen.of("message").map(({ groupId }) => groupId)).toEqual([OTHER_GROUP_ID]);
  });

  it("are not heard any more once one of them has changed the node", async () => {
    const peer = await welcomed();
    seen.message = (from, message, groupId): void => {
      Recorder.prototype.message.call(seen, from, message, groupId);
      acceptor.setLocal(localPeer("app-0", 1));
    };
    peer.send(QUERY, QUERY, VOTE);
    await peer.closed;
    expect(seen.messages()).toEqual([QUERY]);
  });

  it("of two incarnations of one name bear their own", async () => {
    const old = await welcomed();
    const reborn = await welcomed({ ...HELLO, from: { id: idOf(3), name: "app-1" } });
    old.send(QUERY);
    reborn.send(VOTE);
    await seen.until(() => seen.messages().length === 2);
    expect(new Set(seen.of("message").map(({ from }) => from.id))).toEqual(new Set([idOf(2), idOf(3)]));
  });

  it("come from the newest connection of an incarnation; the older one is closed", async () => {
    const older = await welcomed();
    const newer = await welcomed();
    await older.closed;
    newer.send(QUERY);
    await seen.until(() => seen.messages().length === 1);
    expect(seen.faults()).toEqual([]);
  });
});

describe("liveness", () => {
  it("answers pings", async () => {
    const peer = await welcomed();
    peer.send({ kind: "ping" });
    expect(await peer.next()).toEqual({ kind: "pong" });
  });

  it("closes a connection that says nothing, not even a ping", async () => {
    const peer = await welcomed();
    const startMs = performance.now();
    await peer.closed;
    expect(performance.now() - startMs).toBeGreaterThan(PEER_SILENCE_MS - 50);
    await seen.untilFault("peer_timeout");
    expect(seen.faults()).toMatchObject([{ peer: "app-1" }]);
  });
});

describe("bounds", () => {
  it("lets a peer in while a thousand strangers hold connections", async () => {
    const strangers = Array.from({ length: 1_000 }, () => RawPeer.dial(acceptor.port));
    await Promise.race(strangers.map(({ closed }) => closed));
    const peer = await welcomed();
    peer.send(QUERY);
    await seen.until(() => seen.messages().length === 1);
    // They come again and again; the peer stays.
    const more = Array.from({ length: 1_000 }, () => RawPeer.dial(acceptor.port));
    await Promise.race(more.map(({ closed }) => closed));
    peer.send(QUERY, { kind: "ping" });
    expect(await peer.next()).toEqual({ kind: "pong" });
    expect(seen.messages()).toHaveLength(2);
    // One for each that was closed to make room.
    const tooMany = seen.faults("peer_too_many").length;
    expect(tooMany).toBeGreaterThan(2 * MAX_PEER_PENDING);
    expect(tooMany).toBeLessThanOrEqual(2_000 - MAX_PEER_PENDING);
    for (const { socket } of [...strangers, ...more]) socket.destroy();
  });

  it("keeps no more unfinished connections than it may", async () => {
    const strangers = Array.from({ length: MAX_PEER_PENDING + 10 }, () => RawPeer.dial(acceptor.port));
    let open = strangers.length;
    for (const { closed } of strangers) void closed.then(() => (open -= 1));
    await seen.untilFault("peer_too_many");
    await Promise.all(strangers.slice(0, 10).map(({ closed }) => closed));
    expect(open).toBe(MAX_PEER_PENDING);
    expect(seen.faults("peer_too_many")).toHaveLength(10);
  });

  it("refuses the newest peer above the limit, but not one that comes back", async () => {
    const from = (number: number): object => ({ id: idOf(number), name: `app-${number}` });
    const numbers = Array.from({ length: MAX_PEER_CONNECTIONS }, (_, at) => at + 10);
    const peers: RawPeer[] = [];
    for (const number of numbers) peers.push(await welcomed({ ...HELLO, from: from(number) }));
    const newest = RawPeer.dial(acceptor.port).send({ ...HELLO, from: from(9) });
    expect(await newest.next()).toMatchObject({ kind: "refusal", code: "peer_too_many" });
    await newest.closed;
    const again = await welcomed({ ...HELLO, from: from(10) });
    await peers[0]?.closed;
    again.socket.end();
    await again.closed;
    await welcomed({ ...HELLO, from: from(9) });
  });
});
