/**
 * The peer port: accepts, and bounds, what peers and strangers open.
 *
 * Invariant: connections that have not finished the handshake are at most MAX_PEER_PENDING and live at most
 * PEER_HANDSHAKE_TIMEOUT_MS; those that have are at most MAX_PEER_CONNECTIONS, one per incarnation. When too many are
 * unfinished, the one that goes is of the address that has most of them: one stranger cannot crowd out the peers.
 *
 * Deliberately absent: writing to peers. Each direction has its own connection (dialler.ts).
 */
import { createServer as createTcpServer } from "node:net";
import type { Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Server as TlsServer, TLSSocket } from "node:tls";
import { systemCodeOf, TenureError } from "../base/errors.ts";
import { MAX_PEER_CONNECTIONS, MAX_PEER_PENDING, PEER_HANDSHAKE_TIMEOUT_MS } from "../base/limits.ts";
import type { LocalPeer, PeerMessage } from "../ports/transport.ts";
import type { Member } from "../raft/entry.ts";
import { objectionToChain } from "./certificate.ts";
import { explain } from "./explain.ts";
import type { Cause } from "./explain.ts";
import type { Caller, Objection } from "./handshake.ts";
import { Incoming } from "./incoming.ts";
import type { IncomingTls } from "./incoming.ts";
import { listen } from "./listen.ts";
import type { TlsMaterial } from "./tls-files.ts";

export interface ListenerEvents {
  message(from: Member, message: PeerMessage, groupId: string | null): void;
  /** `source`: an address, or a name that was introduced. */
  failed(source: string, cause: Cause): void;
  /** A peer has dialled in, and nothing stands against it. */
  called(caller: Caller): void;
}

export interface ListenerOptions {
  /** Null: plain TCP. */
  readonly tls: { readonly material: TlsMaterial; readonly service: string } | null;
  readonly local: () => LocalPeer;
  readonly events: ListenerEvents;
}

/** A connection that has not finished the handshake. */
interface Pending {
  readonly address: string;
  readonly timer: NodeJS.Timeout;
  /** Closes it; the fault is told, unless the connection was closed before. */
  fail(error: TenureError | null): void;
  /** Set once TLS is done, at once without TLS: it then tells its faults itself. */
  incoming: Incoming | null;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #tlsServer: TlsServer | null;
  /** By remote address and port, which are unique among open connections; oldest first. */
  readonly #pending = new Map<string, Pending>();
  /** By name and incarnation. */
  readonly #peers = new Map<string, Incoming>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#tlsServer = options.tls === null ? null : this.#makeTlsServer(options.tls.material);
    this.#server = this.#tlsServer ?? createTcpServer();
    this.#server.on("connection", (socket: Socket) => this.#accepted(socket));
  }

  /** The port that was had. Throws `listen_failed`. */
  async listen(host: string, port: number): Promise<number> {
    const had = await listen(this.#server, host, port);
    // A failed accept, such as for want of file descriptors. The port stays open.
    this.#server.on("error", (error) => this.#options.events.failed("the peer port", explain(error)));
    return had;
  }

  /** For connections from now on. */
  useMaterial(material: TlsMaterial): void {
    this.#tlsServer?.setSecureContext(material.options);
  }

  tick(): void {
    for (const incoming of this.#peers.values()) incoming.tick();
  }

  /** Closes every handshaken connection in good order. Those that have not introduced themselves go on. */
  endPeers(): void {
    for (const incoming of this.#peers.values()) incoming.end();
    this.#peers.clear();
  }

  /** Resolves within PEER_CLOSE_TIMEOUT_MS, when the port and every connection is closed. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const pending of this.#pending.values()) pending.fail(null);
    this.endPeers();
    await closed;
  }

  /**
   * `rejectUnauthorized` is false only so that a refused peer can be told why: `Incoming` refuses a connection without
   * an accepted chain before it reads a byte from it.
   */
  #makeTlsServer(material: TlsMaterial): TlsServer {
    const server = createTlsServer({
      ...material.options,
      requestCert: true,
      rejectUnauthorized: false,
      // Longer than the bound of a pending connection, which covers TLS and hello together.
      handshakeTimeout: 2 * PEER_HANDSHAKE_TIMEOUT_MS,
    });
    server.on("secureConnection", (socket) => this.#secured(socket));
    server.on("tlsClientError", (error, socket) => this.#tlsFailed(error, socket));
    return server;
  }

  #accepted(socket: Socket): void {
    socket.on("error", () => undefined);
    const key = keyOf(socket);
    if (key === null) {
      socket.destroy();
      return;
    }
    const pending: Pending = {
      address: addressOf(socket),
      timer: setTimeout(() => {
        pending.fail(new TenureError("peer_timeout", `no hello within ${PEER_HANDSHAKE_TIMEOUT_MS} ms`));
      }, PEER_HANDSHAKE_TIMEOUT_MS),
      fail: (error) => this.#failPending(key, socket, error),
      incoming: null,
    };
    this.#pending.set(key, pending);
    socket.on("close", () => this.#gone(key, socket));
    if (this.#tlsServer === null) this.#introduce(key, pending, socket, null);
    if (this.#pending.size > MAX_PEER_PENDING) this.#evict();
  }

  #secured(socket: TLSSocket): void {
    const key = keyOf(socket);
    const pending = key === null ? undefined : this.#pending.get(key);
    if (key === null || pending === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.#introduce(key, pending, socket, socket);
  }

  #introduce(key: string, pending: Pending, socket: Socket, secured: TLSSocket | null): void {
    const { tls, local, events } = this.#options;
    const incoming: Incoming = new Incoming({
      socket,
      tls: tls === null || secured === null ? null : incomingTls(secured, tls.service),
      local,
      events: {
        admit: (member, groupId) => this.#admit(key, incoming, { member, groupId, host: pending.address }),
        message: events.message,
        closed: (error, name) => {
          this.#forget(incoming);
          if (error !== null) events.failed(name ?? pending.address, error);
        },
      },
    });
    pending.incoming = incoming;
  }

  /** Moves a connection from the unfinished ones to the peers, in place of an older one of the same incarnation. */
  #admit(key: string, incoming: Incoming, caller: Caller): Objection | null {
    const { member } = caller;
    const peer = `${member.name} ${member.id}`;
    const older = this.#peers.get(peer);
    if (older === undefined && this.#peers.size >= MAX_PEER_CONNECTIONS) {
      return { code: "peer_too_many", message: `${MAX_PEER_CONNECTIONS} peers are connected already` };
    }
    this.#peers.set(peer, incoming);
    older?.fail(null);
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      clearTimeout(pending.timer);
      this.#pending.delete(key);
    }
    this.#options.events.called(caller);
    return null;
  }

  #forget(incoming: Incoming): void {
    const { member } = incoming;
    if (member === null) return;
    const peer = `${member.name} ${member.id}`;
    if (this.#peers.get(peer) === incoming) this.#peers.delete(peer);
  }

  #failPending(key: string, socket: Socket, error: TenureError | null): void {
    const pending = this.#settle(key);
    if (pending === null) return;
    if (pending.incoming !== null) return pending.incoming.fail(error);
    if (error !== null) this.#options.events.failed(pending.address, error);
    socket.destroy();
  }

  /** The socket below is closed: with TLS that may be before there was anything to introduce. */
  #gone(key: string, socket: Socket): void {
    const pending = this.#settle(key);
    if (pending === null || pending.incoming !== null) return;
    // A probe that opens and closes the port is no fault.
    if (socket.bytesRead === 0) return;
    const message = "the other end broke off TLS: it may not accept this node's certificate; its log says why";
    this.#options.events.failed(pending.address, { code: "peer_unreachable", message });
  }

  #tlsFailed(error: Error, socket: TLSSocket): void {
    const key = keyOf(socket);
    const isTlsError = systemCodeOf(error)?.startsWith("ERR_SSL_") ?? false;
    const pending = key !== null && isTlsError ? this.#settle(key) : null;
    if (pending !== null) this.#options.events.failed(pending.address, explain(error));
    socket.destroy();
  }

  #settle(key: string): Pending | null {
    const pending = this.#pending.get(key);
    if (pending === undefined) return null;
    clearTimeout(pending.timer);
    this.#pending.delete(key);
    return pending;
  }

  #evict(): void {
    const counts = new Map<string, number>();
    for (const { address } of this.#pending.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const pending of this.#pending.values()) {
      if (counts.get(pending.address) !== most) continue;
      const message = `more than ${MAX_PEER_PENDING} connections without a finished handshake; the oldest is closed`;
      return pending.fail(new TenureError("peer_too_many", message));
    }
  }
}

/** A resumed session would carry the verdict of an earlier handshake; resumption is off (tls-files.ts), and refused. */
function incomingTls(socket: TLSSocket, service: string): IncomingTls {
  const certificate = socket.getPeerX509Certificate();
  const isAccepted = socket.authorized && !socket.isSessionReused();
  const code = certificate === undefined ? "UNSPECIFIED" : String(socket.authorizationError);
  return { chainObjection: isAccepted ? null : objectionToChain(code), certificate, service };
}

function keyOf(socket: Socket): string | null {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined || remotePort === undefined ? null : `${remoteAddress} ${remotePort}`;
}

function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? "an unknown address").replace(/^::ffff:/, "");
}
