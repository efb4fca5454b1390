/**
 * The transport: a listener, a dialler per peer, the certificates, and one timer for the pulse of all connections.
 *
 * Invariant: as in src/ports/transport.ts. A message goes out on the connection that this node dialled and comes in on
 * the one that the peer dialled, so neither end has to agree on which of two connections to keep.
 *
 * Deliberately absent: the protocol of the group, and any memory of where a peer was.
 */
import { assert, present } from "../base/assert.ts";
import { TenureError } from "../base/errors.ts";
import type { ErrorCode } from "../base/errors.ts";
import { PEER_PING_INTERVAL_MS } from "../base/limits.ts";
import type { MemberId } from "../base/types.ts";
import type { PeerAddress } from "../ports/discovery.ts";
import type { IntroductoryMessage, LocalPeer, PeerMessage, Transport, TransportHandlers } from "../ports/transport.ts";
import type { Member } from "../raft/entry.ts";
import type { Message } from "../raft/message.ts";
import { decodeHello, encode } from "./codec.ts";
import { Dialler } from "./dialler.ts";
import { helloOf } from "./handshake.ts";
import { Listener } from "./listener.ts";
import type { OutgoingPeer, TlsSide } from "./outgoing.ts";
import { TlsFiles } from "./tls-files.ts";

export interface PeerTransportOptions {
  /** "::" takes IPv4 and IPv6, or IPv4 alone where there is no IPv6. */
  readonly host: string;
  /** 0: any free one, for tests. */
  readonly port: number;
  /** The headless service; certificates are checked against it. */
  readonly service: string;
  /** Holds tls.crt, tls.key and ca.crt. Null: plain TCP, which anyone on the network can speak. */
  readonly tlsDir: string | null;
  /** Addresses of the peer of this name, best first. May reject with a `TenureError`. */
  readonly lookup: (name: string) => Promise<readonly PeerAddress[]>;
  /** From 0 up to, not including, 1: for the jitter of redials. */
  readonly random: () => number;
}

export interface PeerTransport extends Transport {
  /** The port listened on; after `start`. */
  readonly port: number;
  /** When this node's certificate in use runs out, in ms of the wall clock since 1970; null without TLS. */
  certificateNotAfterMs(): number | null;
}

/** `start` throws `tls_unusable` or `listen_failed`. */
export function createPeerTransport(options: PeerTransportOptions): PeerTransport {
  return new TcpPeerTransport(options);
}

class TcpPeerTransport implements PeerTransport {
  readonly #options: PeerTransportOptions;
  readonly #diallers = new Map<string, Dialler>();
  /** Diallers at work or on their way out, until their last connection is closed. */
  readonly #running = new Set<Promise<void>>();
  /** Faults of sending that were told; by connection, each of which has a peer of its own. */
  readonly #unsent = new WeakMap<OutgoingPeer, Set<ErrorCode>>();
  #names: ReadonlySet<string> = new Set();
  #local: LocalPeer | null = null;
  #handlers: TransportHandlers | null = null;
  #files: TlsFiles | null = null;
  #listener: Listener | null = null;
  #pulse: NodeJS.Timeout | null = null;
  #port: number;
  #isClosed = false;

  constructor(options: PeerTransportOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  get port(): number {
    return this.#port;
  }

  certificateNotAfterMs(): number | null {
    return this.#files?.material.notAfterMs ?? null;
  }

  async start(local: LocalPeer, handlers: TransportHandlers): Promise<void> {
    assert(this.#local === null, "a transport is started once");
    this.#useLocal(local);
    this.#handlers = handlers;
    const { tlsDir, host, port, service } = this.#options;
    const files = tlsDir === null ? null : await TlsFiles.open(tlsDir);
    const listener = new Listener({
      tls: files === null ? null : { material: files.material, service },
      local: () => this.#localNow(),
      events: {
        message: (from, message, groupId) => this.#tell()?.message(from, message, groupId),
        failed: (source, { code, message }) => this.#tell()?.fault(code, source, message),
        called: (caller) => this.#diallers.get(caller.member.name)?.hurry(caller),
      },
    });
    this.#port = await listener.listen(host, port);
    if (this.#isClosed) return listener.close();
    this.#listener = listener;
    this.#files = files;
    files?.watch(
      (material) => listener.useMaterial(material),
      (error) => this.#tell()?.fault(error.code, tlsDir ?? "", error.message),
    );
    this.#pulse = setInterval(() => this.#tick(), PEER_PING_INTERVAL_MS);
    this.#dialNew();
  }

  setLocal(local: LocalPeer): void {
    this.#useLocal(local);
    this.#listener?.endPeers();
    this.#hangUpAll(() => true);
    this.#dialNew();
  }

  setPeers(names: readonly string[]): void {
    this.#names = new Set(names);
    this.#hangUpAll((name) => !this.#names.has(name));
    this.#dialNew();
  }

  sendTo(name: string, message: IntroductoryMessage): boolean {
    const dialler = this.#diallers.get(name);
    const peer = dialler?.peer ?? null;
    return dialler !== undefined && peer !== null && this.#write(dialler, peer, message);
  }

  send(to: Member, message: Message): boolean {
    const dialler = this.#diallers.get(to.name);
    const peer = dialler?.peer ?? null;
    if (dialler === undefined || peer === null || peer.groupId === null) return false;
    if (peer.member.id === to.id) return this.#write(dialler, peer, message);
    const wrong = `is connected as incarnation ${peer.member.id}; messages for ${to.id} are dropped`;
    this.#tellOnce(peer, "peer_incarnation", wrong);
    return false;
  }

  connectedId(name: string): MemberId | null {
    return this.#diallers.get(name)?.peer?.member.id ?? null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#files?.stop();
    if (this.#pulse !== null) clearInterval(this.#pulse);
    this.#hangUpAll(() => true);
    await Promise.all([this.#listener?.close(), ...this.#running]);
  }

  /** Null once closed: whoever has closed a transport hears nothing more from it. */
  #tell(): TransportHandlers | null {
    return this.#isClosed ? null : this.#handlers;
  }

  #localNow(): LocalPeer {
    return present(this.#local, "a transport knows its own node once it is started");
  }

  #useLocal(local: LocalPeer): void {
    // A hello that the peers' decoder would refuse is a fault of this program, to be found here and not in their logs.
    decodeHello(encode(helloOf(local, local.self.name)).subarray(4));
    this.#local = local;
  }

  #dialNew(): void {
    if (this.#listener === null || this.#isClosed) return;
    const local = this.#localNow();
    assert(!this.#names.has(local.self.name), "a node is not its own peer");
    for (const name of this.#names) {
      if (!this.#diallers.has(name)) this.#dial(name, local);
    }
  }

  #dial(name: string, local: LocalPeer): void {
    const { lookup, random } = this.#options;
    const dialler = new Dialler({
      name,
      local,
      tls: this.#tlsSide(),
      lookup,
      defaultPort: this.#port,
      random,
      events: {
        connected: ({ member, groupId, version }) => this.#tell()?.connected(member, groupId, version),
        disconnected: () => this.#tell()?.disconnected(name),
        failed: ({ code, message }, where) =>
          this.#tell()?.fault(code, name, where === null ? message : `${where}: ${message}`),
        overflowed: () => this.#tell()?.fault("peer_overflow", name, "reads too slowly: messages to it are dropped"),
        roundTrip: (durationMs) => this.#tell()?.roundTrip(name, durationMs),
      },
    });
    this.#diallers.set(name, dialler);
    const running = dialler.run().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** All at once before any is told: what a handler does about it must meet a transport that is done. */
  #hangUpAll(isChosen: (name: string) => boolean): void {
    const chosen = [...this.#diallers].filter(([name]) => isChosen(name));
    for (const [name] of chosen) this.#diallers.delete(name);
    for (const [, dialler] of chosen) dialler.stop();
  }

  #tlsSide(): TlsSide | null {
    const files = this.#files;
    return files === null ? null : { context: () => files.material.context, service: this.#options.service };
  }

  #write(dialler: Dialler, peer: OutgoingPeer, message: PeerMessage): boolean {
    const frame = this.#encode(peer, message);
    return frame !== null && dialler.send(frame);
  }

  #encode(peer: OutgoingPeer, message: PeerMessage): Buffer | null {
    try {
      return encode(message);
    } catch (error) {
      if (!(error instanceof TenureError)) throw error;
      this.#tellOnce(peer, error.code, `${message.kind} was not sent: ${error.message}`);
      return null;
    }
  }

  /** What would come with every heartbeat: each code once per connection. */
  #tellOnce(peer: OutgoingPeer, code: ErrorCode, message: string): void {
    const codes = this.#unsent.get(peer) ?? new Set();
    if (codes.has(code)) return;
    this.#unsent.set(peer, codes.add(code));
    this.#tell()?.fault(code, peer.member.name, message);
  }

  #tick(): void {
    this.#listener?.tick();
    for (const dialler of this.#diallers.values()) dialler.tick();
  }
}
