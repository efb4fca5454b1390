/** One incoming connection on a socket that a test holds in its hand. */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { MAX_HANDSHAKE_FRAME_BYTES } from "../../../src/base/limits.ts";
import { Incoming } from "../../../src/transport/incoming.ts";
import { rawFrame } from "../../support/raw-peer.ts";
import { GROUP_ID, idOf, localPeer } from "../../support/transport-recorder.ts";

const HELLO = {
  kind: "hello",
  magic: "tenure",
  protocol: 2,
  version: "0.1.0",
  group: "app",
  groupId: GROUP_ID,
  from: { id: idOf(2), name: "app-1" },
  to: "app-0",
};

/** A socket whose other end never reads. */
class StuckSocket extends Duplex {
  override _read(): void {
    // What comes is pushed by the test.
  }

  override _write(): void {
    // Never done, so everything written stays queued.
  }

  setNoDelay(): this {
    return this;
  }
}

function incomingOn(socket: StuckSocket, deliver: (kind: string) => void): Incoming {
  return new Incoming({
    socket: socket as unknown as Socket,
    tls: null,
    local: () => localPeer("app-0", 1),
    events: { admit: () => null, message: (_from, message) => deliver(message.kind), closed: () => undefined },
  });
}

describe("an incoming connection", () => {
  it("stops answering pings of one who does not read, and still hears", async () => {
    const socket = new StuckSocket();
    const pings = Buffer.concat(Array.from({ length: 5_000 }, () => rawFrame({ kind: "ping" })));
    const heard = new Promise<string>((resolve) => {
      incomingOn(socket, resolve);
    });
    socket.push(Buffer.concat([rawFrame(HELLO), pings, rawFrame({ kind: "formQuery", nonce: "" })]));
    expect(await heard).toBe("formQuery");
    expect(socket.writableLength).toBeGreaterThan(MAX_HANDSHAKE_FRAME_BYTES);
    expect(socket.writableLength).toBeLessThan(2 * MAX_HANDSHAKE_FRAME_BYTES);
  });

  it("hears nothing after a violation, in this chunk or a later one", async () => {
    const socket = new StuckSocket();
    const heard: string[] = [];
    incomingOn(socket, (kind) => heard.push(kind));
    const query = rawFrame({ kind: "formQuery", nonce: "" });
    for (const chunk of [Buffer.concat([rawFrame(HELLO), query, rawFrame("{"), query]), query, query]) {
      socket.push(chunk);
      await new Promise(setImmediate);
    }
    expect(heard).toEqual(["formQuery"]);
  });

  it("counts ticks and not time, so that its own pause is nobody's silence", async () => {
    const socket = new StuckSocket();
    const heard: string[] = [];
    const incoming = incomingOn(socket, (kind) => heard.push(kind));
    // A process that wakes from a pause runs its timer once, and reads after that.
    for (const frame of [HELLO, { kind: "formQuery", nonce: "" }, { kind: "formQuery", nonce: "" }]) {
      for (let tick = 0; tick < 3; tick += 1) incoming.tick();
      socket.push(rawFrame(frame));
      await new Promise(setImmediate);
    }
    expect(heard).toHaveLength(2);
    expect(socket.destroyed).toBe(false);
  });

  it("is closed after its ticks of silence", () => {
    const socket = new StuckSocket();
    const incoming = incomingOn(socket, () => undefined);
    for (let tick = 0; tick < 3; tick += 1) incoming.tick();
    expect(socket.destroyed).toBe(false);
    incoming.tick();
    expect(socket.destroyed).toBe(true);
  });
});
