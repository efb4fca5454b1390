/** A connection over TLS that is given up while it is made: no fault of anybody, least of all of a certificate. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { at } from "../../support/dialling-bench.ts";
import { localPeer, Recorder } from "../../support/transport-recorder.ts";
import { type SocketWorld, tlsWorld } from "../../support/transport-world.ts";

let world: SocketWorld;
let relay: Server;
beforeEach(async () => {
  world = await tlsWorld();
});
afterEach(async () => {
  relay.close();
  await world.close();
});

/** Passes everything on to `port`, in both directions; `begun` is told before the first byte is. */
async function relayTo(port: () => number, begun: () => void): Promise<number> {
  relay = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: "127.0.0.1", port: port(), allowHalfOpen: true });
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.once("data", begun);
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  return (relay.address() as AddressInfo).port;
}

describe("TLS that has begun", () => {
  it("is finished by a node that changes meanwhile, and both ends connect as if nothing had been", async () => {
    const [one, two] = [new Recorder(), new Recorder()];
    const local = localPeer("app-0", 1, { groupId: null });
    const acceptor = await world.start(localPeer("app-1", 2), two);
    const dialler = await world.start(local, one);
    let begun = 0;
    const port = await relayTo(
      () => acceptor.port,
      () => {
        begun += 1;
        if (begun === 1) dialler.setLocal(localPeer("app-0", 1));
      },
    );
    world.addresses.set("app-1", [at(port)]);
    dialler.setPeers(["app-1"]);
    await one.untilConnected("app-1");
    expect(begun).toBe(2);
    await dialler.close();
    // Whatever the acceptor has to say of the first connection it has said when both are closed.
    await acceptor.close();
    expect(two.events).toEqual([]);
    expect(one.events.map(({ kind }) => kind)).toEqual(["connected"]);
  });

  it("with one who never goes on does not hold up the end of the node", async () => {
    const one = new Recorder();
    const dialler = await world.start(localPeer("app-0", 1), one);
    const heard = new Promise<void>((resolve) => {
      relay = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => resolve());
      });
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    world.addresses.set("app-1", [at((relay.address() as AddressInfo).port)]);
    dialler.setPeers(["app-1"]);
    await heard;
    await dialler.close();
    expect(one.events).toEqual([]);
  });
});
