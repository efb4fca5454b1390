/** A connection that was dialled: pings, losses, slow readers, and its end. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  MAX_FRAME_BYTES,
  MAX_PEER_QUEUE_BYTES,
  PEER_CLOSE_TIMEOUT_MS,
  PEER_SILENCE_MS,
} from "../../../src/base/limits.ts";
import { logIndex, term } from "../../../src/base/types.ts";
import type { AppendRequest } from "../../../src/raft/message.ts";
import { APP_0, APP_1, at, DiallingBench } from "../../support/dialling-bench.ts";
import { idOf } from "../../support/transport-recorder.ts";

/** As large as a message may be, so that a queue fills soon. */
const LARGE: AppendRequest = {
  kind: "appendRequest",
  term: term(1),
  round: 0,
  prevIndex: logIndex(0),
  prevTerm: term(0),
  entries: Array.from({ length: 128 }, (_, index) => ({
    kind: "command" as const,
    index: logIndex(index + 1),
    term: term(1),
    command: "x".repeat(1_024),
  })),
  commitIndex: logIndex(0),
  leaseDurationMs: 2_000,
  holding: null,
};

let bench: DiallingBench;
beforeEach(() => {
  bench = new DiallingBench();
});
afterEach(async () => {
  await bench.close();
});

describe("a connection", () => {
  it("that the other end closes is made anew at once, without a fault", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const first = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    const startMs = performance.now();
    first.socket.end();
    await bench.welcome(other);
    expect(performance.now() - startMs).toBeLessThan(500);
    await bench.seen.until(() => bench.seen.of("connected").length === 2);
    expect(bench.seen.events.map(({ kind }) => kind)).toEqual(["connected", "disconnected", "connected"]);
  });

  it("that breaks is told and made anew", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const first = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    first.socket.resetAndDestroy();
    await bench.welcome(other);
    await bench.seen.until(() => bench.seen.of("connected").length === 2);
    expect(bench.seen.events.map(({ kind }) => kind)).toEqual(["connected", "fault", "disconnected", "connected"]);
    expect(bench.seen.faults("peer_unreachable")).toHaveLength(1);
  });

  it("is pinged, one ping at a time, and the round trip told", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other);
    expect(await peer.next()).toEqual({ kind: "ping" });
    peer.send({ kind: "pong" });
    await bench.seen.until(() => bench.seen.of("roundTrip").length === 1);
    const [trip] = bench.seen.of("roundTrip");
    expect(trip?.name).toBe("app-1");
    expect(trip?.durationMs).toBeGreaterThan(0);
    expect(trip?.durationMs).toBeLessThan(500);
    expect(await peer.next()).toEqual({ kind: "ping" });
    peer.send({ kind: "pong" }, { kind: "pong" });
    await bench.seen.untilFault("frame_malformed");
  });

  it("whose pings are not answered is destroyed", async () => {
    const other = await bench.listener();
    await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other);
    await peer.next();
    const startMs = performance.now();
    await peer.closed;
    expect(performance.now() - startMs).toBeGreaterThan(PEER_SILENCE_MS - 100);
    expect(peer.frames.filter(({ kind }) => kind === "ping")).toHaveLength(1);
    await bench.seen.untilFault("peer_timeout");
    await bench.welcome(other);
  });

  it("to one who reads slowly drops messages and says so once, until it is drained", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    peer.socket.pause();
    const fill = async (): Promise<number> => {
      let accepted = 0;
      // The kernel takes some megabytes, a part at a time; then the queue grows to its bound, and stays there.
      for (let refused = 0; refused < 5 && accepted < 400;) {
        const isAccepted = transport.send(APP_1, LARGE);
        accepted += isAccepted ? 1 : 0;
        refused = isAccepted ? 0 : refused + 1;
        if (!isAccepted || accepted % 20 === 0) await new Promise(setImmediate);
      }
      return accepted;
    };
    const accepted = await fill();
    expect(accepted).toBeGreaterThan(MAX_PEER_QUEUE_BYTES / 140_000);
    expect(accepted).toBeLessThan(400);
    expect(transport.send(APP_1, LARGE)).toBe(false);
    expect(bench.seen.faults("peer_overflow")).toHaveLength(1);
    peer.socket.resume();
    const isAppend = ({ kind }: { readonly kind?: string }): boolean => kind === "appendRequest";
    while (peer.frames.filter(isAppend).length < accepted) expect(await peer.next()).not.toBeNull();
    expect(await fill()).toBeGreaterThan(0);
    expect(peer.frames.filter(isAppend).length).toBeGreaterThanOrEqual(accepted);
  });

  it("is told about when it is to another incarnation than the one meant, once however much is sent", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const first = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    const stale = { name: "app-1", id: idOf(9) };
    const vote = { kind: "voteRequest", term: term(1), lastIndex: logIndex(0), lastTerm: term(0) } as const;
    const fault = { code: "peer_incarnation", peer: "app-1" };
    for (let nth = 0; nth < 10; nth += 1) expect(transport.send(stale, vote)).toBe(false);
    expect(bench.seen.faults()).toMatchObject([fault]);
    first.socket.end();
    await bench.welcome(other);
    await bench.seen.until(() => bench.seen.of("connected").length === 2);
    for (let nth = 0; nth < 10; nth += 1) expect(transport.send(stale, vote)).toBe(false);
    expect(bench.seen.faults()).toMatchObject([fault, fault]);
  });

  it("is told about when a message is larger than a frame may be, once however often it is sent", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    const entries = LARGE.entries.map((entry) => ({ ...entry, command: "x".repeat(MAX_FRAME_BYTES / 128) }));
    for (let nth = 0; nth < 10; nth += 1) expect(transport.send(APP_1, { ...LARGE, entries })).toBe(false);
    expect(bench.seen.faults()).toMatchObject([{ code: "frame_too_large", peer: "app-1" }]);
  });

  it("carries what was sent right before it is closed", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    // More than the kernel takes at once: the rest waits in the process.
    let sent = 0;
    while (transport.send(APP_1, LARGE)) sent += 1;
    expect(transport.sendTo("app-1", { kind: "formQuery", nonce: "" })).toBe(true);
    transport.setLocal(APP_0);
    expect(await peer.closed).toBeNull();
    expect(peer.frames.map(({ kind }) => kind).slice(-2)).toEqual(["appendRequest", "formQuery"]);
    expect(peer.frames.filter(({ kind }) => kind === "appendRequest")).toHaveLength(sent);
  });

  it("ends when its peer is none any more", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    transport.setPeers([]);
    expect(bench.seen.of("disconnected")).toHaveLength(1);
    expect(await peer.closed).toBeNull();
  });

  it("does not hold up the end of the node", async () => {
    const other = await bench.listener();
    const transport = await bench.dial([at(other.port)]);
    const peer = await bench.welcome(other);
    await bench.seen.untilConnected("app-1");
    peer.socket.pause();
    while (transport.send(APP_1, LARGE)) await new Promise(setImmediate);
    const startMs = performance.now();
    await transport.close();
    expect(performance.now() - startMs).toBeLessThan(PEER_CLOSE_TIMEOUT_MS + 500);
  });
});
