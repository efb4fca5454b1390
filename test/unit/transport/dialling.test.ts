/** The dialler and addresses: whom it takes for the peer, and how it goes on when it was not. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { PEER_BACKOFF_MIN_MS, PEER_CONNECT_TIMEOUT_MS, PEER_HANDSHAKE_TIMEOUT_MS } from "../../../src/base/limits.ts";
import { deadPort } from "../../support/dead-port.ts";
import { APP_0, at, DiallingBench, WELCOME } from "../../support/dialling-bench.ts";
import { type RawListener, RawPeer } from "../../support/raw-peer.ts";
import { GROUP_ID, idOf, localPeer, OTHER_GROUP_ID, Recorder } from "../../support/transport-recorder.ts";

let bench: DiallingBench;
beforeEach(() => {
  bench = new DiallingBench();
});
afterEach(async () => {
  await bench.close();
});

describe("the handshake of a dialler", () => {
  it("begins with who it is and whom it means", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const peer = await other.next();
    expect(await peer.next()).toEqual({
      kind: "hello",
      magic: "tenure",
      protocol: 2,
      version: "0.1.0",
      group: "app",
      groupId: GROUP_ID,
      from: { id: idOf(1), name: "app-0" },
      to: "app-1",
    });
    expect(bench.seen.of("connected")).toEqual([]);
    peer.send(WELCOME);
    await bench.seen.untilConnected("app-1");
  });

  it.each([
    ["another name: a reused address", { from: { id: idOf(2), name: "app-7" } }, "peer_name"],
    ["a welcome to somebody else", { to: "app-7" }, "peer_name"],
    ["another group", { group: "other" }, "peer_group"],
    ["another group id", { groupId: OTHER_GROUP_ID }, "peer_group"],
    ["another protocol", { protocol: 3 }, "peer_protocol"],
    ["no tenure", { magic: "raft" }, "peer_protocol"],
    ["a field too many", { more: 1 }, "frame_malformed"],
    ["a message instead", { kind: "ping" }, "frame_malformed"],
  ])("does not take %s, and dials again", async (_what, changes, code) => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other, { ...WELCOME, ...changes });
    await peer.closed;
    await bench.seen.untilFault(code as "peer_name");
    expect(transport.connectedId("app-1")).toBeNull();
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    expect(bench.seen.faults()).toHaveLength(1);
    expect(bench.seen.faults()[0]?.message).toContain(`127.0.0.1:${other.port}: `);
  });

  it("tells the acceptor why it does not like it", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other, { ...WELCOME, group: "other" });
    expect(await peer.next()).toMatchObject({ kind: "refusal", code: "peer_group", from: { name: "app-0" } });
  });

  it("reports a refusal with its code and words, as often as it is refused: ten times are ten faults", async () => {
    const other = await bench.listener();
    bench.random = 0;
    await bench.dial([at(other.port)]);
    const refuse = async (message: string): Promise<void> => {
      const peer = await other.next();
      await peer.next();
      peer.send({ kind: "refusal", code: "peer_group", message, from: null });
      await peer.closed;
    };
    const messages = ["no time", ...Array.from({ length: 8 }, () => "no room"), "no time"];
    for (const message of messages) await refuse(message);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    const texts = bench.seen.faults("peer_group").map(({ message }) => message.replace(/^.*other end: /, ""));
    expect(texts).toEqual(messages);
  });

  it("is given up when it takes too long", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const startMs = performance.now();
    const peer = await other.next();
    await peer.closed;
    expect(performance.now() - startMs).toBeGreaterThan(PEER_HANDSHAKE_TIMEOUT_MS - 50);
    await bench.seen.untilFault("peer_timeout");
  });

  it("takes no large frame", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const peer = await other.next();
    peer.bytes(Buffer.from("HTTP/1.1 400 Bad Request\r\n"));
    await bench.seen.untilFault("frame_too_large");
    expect(bench.seen.faults()[0]?.message).toContain('"HTTP"');
  });
});

describe("the wait before a new attempt", () => {
  /** Refuses so many connections, and tells how long after the one before each came. */
  async function gapsOf(listener: RawListener, count: number): Promise<number[]> {
    const gapsMs: number[] = [];
    let lastMs = performance.now();
    for (let nth = 0; nth < count; nth += 1) {
      const peer = await listener.next();
      gapsMs.push(performance.now() - lastMs);
      peer.socket.destroy();
      await peer.closed;
      lastMs = performance.now();
    }
    return gapsMs.slice(1);
  }

  it("doubles while it fails, and is short again after a connection that was good", async () => {
    const other = await bench.listener();
    bench.random = 0.999;
    await bench.dial([at(other.port)]);
    const gapsMs = await gapsOf(other, 5);
    for (const [nth, gapMs] of gapsMs.entries()) expect(gapMs).toBeGreaterThan(0.9 * 40 * 2 ** nth);
    const peer = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    peer.socket.end();
    const startMs = performance.now();
    await other.next();
    // It would be 0.6 s and more.
    expect(performance.now() - startMs).toBeLessThan(400);
  });

  it("ends as soon as the peer itself has dialled in", async () => {
    const other = await bench.listener();
    bench.random = 0.999;
    const transport = await bench.dial([at(other.port)]);
    // After five failed rounds the next wait is 0.6 s and more.
    await gapsOf(other, 5);
    const startMs = performance.now();
    const peer = RawPeer.dial(transport.port);
    peer.send({ ...WELCOME, kind: "hello" });
    await other.next();
    expect(performance.now() - startMs).toBeLessThan(400);
    peer.socket.destroy();
  });

  it("has a least length, whatever the dice say", async () => {
    const other = await bench.listener();
    bench.random = 0;
    await bench.dial([at(other.port)]);
    for (const gapMs of await gapsOf(other, 5)) expect(gapMs).toBeGreaterThan(PEER_BACKOFF_MIN_MS - 3);
  });
});

describe("addresses", () => {
  it("are tried in order, and the one whose peer is right is kept", async () => {
    const [wrong, right, later] = [await bench.listener(), await bench.listener(), await bench.listener()];
    await bench.dial([at(wrong.port), at(right.port), at(later.port)]);
    await bench.welcome(wrong, { ...WELCOME, from: { id: idOf(7), name: "app-7" } });
    await bench.welcome(right);
    await bench.seen.untilConnected("app-1");
    expect(bench.seen.faults().map(({ code }) => code)).toEqual(["peer_name"]);
    expect(later.accepted()).toBe(0);
  });

  it("are looked up again after every connection, and a peer is found at another port", async () => {
    const transport = await bench.dial([]);
    await bench.seen.untilFault("discovery_failed");
    const other = new Recorder();
    const peer = await bench.world.start(localPeer("app-1", 2), other);
    await bench.seen.untilConnected("app-1");
    await peer.close();
    await bench.seen.until(() => bench.seen.of("disconnected").length === 1);
    const countThen = bench.lookups;
    await bench.world.start(localPeer("app-1", 3), new Recorder());
    const startMs = performance.now();
    await bench.seen.until(() => transport.connectedId("app-1") === idOf(3));
    expect(performance.now() - startMs).toBeLessThan(2_000);
    expect(bench.lookups).toBeGreaterThan(countThen);
  });

  it.each([
    ["has not", () => Promise.resolve([]), "there is no DNS record of it"],
    ["cannot tell", () => Promise.reject(new TenureError("discovery_failed", "silence")), "silence"],
  ])("that a look-up %s are a fault, as often as it is made", async (_what, lookup, message) => {
    let count = 0;
    const { seen, world } = bench;
    const transport = await world.start(APP_0, seen, {
      lookup: () => {
        count += 1;
        return lookup();
      },
    });
    transport.setPeers(["app-1"]);
    await seen.until(() => seen.faults().length >= 3);
    const fault = { kind: "fault", code: "discovery_failed", peer: "app-1", message };
    expect(seen.events).toEqual(Array.from({ length: count }, () => fault));
  });

  it("of this very node are dropped without a word", async () => {
    const other = await bench.listener();
    const transport = await bench.world.start(APP_0, bench.seen);
    bench.world.addresses.set("app-1", [at(transport.port), at(other.port)]);
    transport.setPeers(["app-1"]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    expect(bench.seen.faults()).toEqual([]);
  });

  it("that are another pod's now lead to nobody", async () => {
    const transport = await bench.world.start(APP_0, bench.seen);
    const reused = await bench.world.start(localPeer("app-7", 7), new Recorder());
    bench.world.addresses.set("app-1", [at(reused.port)]);
    transport.setPeers(["app-1"]);
    await bench.seen.untilFault("peer_name");
    expect(bench.seen.faults()[0]?.message).toContain("this is app-7, not app-1");
    expect(transport.connectedId("app-1")).toBeNull();
    await bench.world.start(localPeer("app-1", 2), new Recorder());
    await bench.seen.untilConnected("app-1");
    expect(transport.connectedId("app-1")).toBe(idOf(2));
  });

  it("of a dead host are left soon", async () => {
    const dead = await deadPort();
    const other = await bench.listener();
    const startMs = performance.now();
    await bench.dial([at(dead.port), at(other.port)]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    const tookMs = performance.now() - startMs;
    await dead.close();
    expect(tookMs).toBeGreaterThan(PEER_CONNECT_TIMEOUT_MS - 50);
    expect(tookMs).toBeLessThan(PEER_HANDSHAKE_TIMEOUT_MS);
    await bench.seen.untilFault("peer_timeout");
  });

  it("that took all the time of a round are last in the next one", async () => {
    const [silent, other] = [await bench.listener(), await bench.listener()];
    await bench.dial([at(silent.port), at(other.port)]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    expect(bench.lookups).toBe(2);
    expect(silent.accepted()).toBe(1);
  });
});
