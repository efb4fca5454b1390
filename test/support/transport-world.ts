/**
 * Real transports on loopback that find each other by name.
 *
 * Invariant: an address is known to the others as soon as its transport listens; every transport is closed at the end.
 *
 * Deliberately absent: DNS. The look-up is a map, which a test may also set wrong.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerAddress } from "../../src/ports/discovery.ts";
import type { LocalPeer, TransportHandlers } from "../../src/ports/transport.ts";
import { createPeerTransport } from "../../src/transport/peer-transport.ts";
import type { PeerTransport, PeerTransportOptions } from "../../src/transport/peer-transport.ts";
import { issue, makeCa, writeTlsDir } from "./ca.ts";
import type { IssueOptions, TestCa } from "./ca.ts";

export const SERVICE = "app-peers.default.svc.cluster.local";

export class SocketWorld {
  /** What look-ups answer. */
  readonly addresses = new Map<string, readonly PeerAddress[]>();
  readonly #transports: PeerTransport[] = [];
  readonly #directories: string[] = [];
  readonly #tlsDir: string | null;

  /** `tlsDir`: for transports that do not bring their own; null: plain TCP. */
  constructor(tlsDir: string | null) {
    this.#tlsDir = tlsDir;
  }

  /** Not started, and known to nobody. */
  make(changes: Partial<PeerTransportOptions> = {}): PeerTransport {
    const transport = createPeerTransport({
      host: "127.0.0.1",
      port: 0,
      service: SERVICE,
      tlsDir: this.#tlsDir,
      lookup: (name) => Promise.resolve(this.addresses.get(name) ?? []),
      random: () => 0.5,
      ...changes,
    });
    this.#transports.push(transport);
    return transport;
  }

  async start(
    local: LocalPeer,
    handlers: TransportHandlers,
    changes: Partial<PeerTransportOptions> = {},
  ): Promise<PeerTransport> {
    const transport = this.make(changes);
    await transport.start(local, handlers);
    this.addresses.set(local.self.name, [{ host: "127.0.0.1", port: transport.port }]);
    return transport;
  }

  /** A directory with a certificate of this CA. */
  async tlsDir(ca: TestCa, options: Partial<IssueOptions> = {}, trusted: TestCa = ca): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), "tenure-tls-"));
    this.#directories.push(directory);
    await writeTlsDir(directory, trusted, await issue(ca, { dnsNames: [`*.${SERVICE}`], ...options }));
    return directory;
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
    await Promise.all(this.#directories.map((directory) => rm(directory, { recursive: true, force: true })));
  }
}

/** A world whose transports share one good certificate. */
export async function tlsWorld(): Promise<SocketWorld> {
  const directory = await mkdtemp(join(tmpdir(), "tenure-tls-"));
  const ca = await makeCa();
  await writeTlsDir(directory, ca, await issue(ca, { dnsNames: [`*.${SERVICE}`] }));
  const world = new SocketWorld(directory);
  const close = world.close.bind(world);
  world.close = async (): Promise<void> => {
    await close();
    await rm(directory, { recursive: true, force: true });
  };
  return world;
}
