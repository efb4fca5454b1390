/**
 * One real node, app-0, that dials app-1 at ports that a test answers by hand.
 *
 * Invariant: everything that was opened is closed by `close`.
 *
 * Deliberately absent: expectations.
 */
import type { PeerAddress } from "../../src/ports/discovery.ts";
import type { PeerTransport } from "../../src/transport/peer-transport.ts";
import { rawListener } from "./raw-peer.ts";
import type { RawListener, RawPeer } from "./raw-peer.ts";
import { GROUP_ID, idOf, localPeer, Recorder } from "./transport-recorder.ts";
import { SocketWorld } from "./transport-world.ts";

export const APP_0 = localPeer("app-0", 1);
export const APP_1 = { id: idOf(2), name: "app-1" };

/** What app-1 answers to the hello of app-0. */
export const WELCOME = {
  kind: "welcome",
  magic: "tenure",
  protocol: 2,
  version: "0.1.0",
  group: "app",
  groupId: GROUP_ID,
  from: APP_1,
  to: "app-0",
} as const;

export const at = (port: number): PeerAddress => ({ host: "127.0.0.1", port });

export class DiallingBench {
  readonly world = new SocketWorld(null);
  readonly seen = new Recorder();
  /** How often addresses were asked for. */
  lookups = 0;
  /** What the dice of app-0 say. */
  random = 0.5;
  /** How often they were thrown: once for each wait. */
  waits = 0;
  readonly #listeners: RawListener[] = [];

  async listener(port = 0, host = "127.0.0.1"): Promise<RawListener> {
    const made = await rawListener(null, port, host);
    this.#listeners.push(made);
    return made;
  }

  /** Starts app-0, which looks for app-1 at these addresses. */
  async dial(addresses: readonly PeerAddress[]): Promise<PeerTransport> {
    this.world.addresses.set("app-1", addresses);
    const transport = await this.world.start(APP_0, this.seen, {
      random: () => {
        this.waits += 1;
        return this.random;
      },
      lookup: (name) => {
        this.lookups += 1;
        return Promise.resolve(this.world.addresses.get(name) ?? []);
      },
    });
    transport.setPeers(["app-1"]);
    return transport;
  }

  /** Answers the next connection to this port, once it has said its hello. */
  async welcome(listener: RawListener, welcome: object = WELCOME): Promise<RawPeer> {
    const peer = await listener.next();
    await peer.next();
    return peer.send(welcome);
  }

  async close(): Promise<void> {
    await this.world.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}
