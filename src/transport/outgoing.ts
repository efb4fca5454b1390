/**
 * One connection that this node dials: open it, introduce, then send.
 *
 * Invariant: `ready` is called at most once, after the acceptor's certificate, name and group were found right, and
 * `closed` exactly once, last. Nothing but a refusal or a pong is read after the handshake.
 *
 * Deliberately absent: which address is next, and when (dialler.ts).
 */
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SecureContext, TLSSocket } from "node:tls";
import { unreachable } from "../base/assert.ts";
import { TenureError } from "../base/errors.ts";
import {
  MAX_HANDSHAKE_FRAME_BYTES,
  MAX_PEER_QUEUE_BYTES,
  PEER_CLOSE_TIMEOUT_MS,
  PEER_CONNECT_TIMEOUT_MS,
  PEER_HANDSHAKE_TIMEOUT_MS,
  PEER_PING_INTERVAL_MS,
  PEER_SILENCE_MS,
} from "../base/limits.ts";
import type { PeerAddress } from "../ports/discovery.ts";
import type { LocalPeer } from "../ports/transport.ts";
import type { Member } from "../raft/entry.ts";
import { objectionToCertificate } from "./certificate.ts";
import { decodeAcceptorFrame, decodeAnswer, encode } from "./codec.ts";
import { Connection } from "./connection.ts";
import { agreedGroupId, helloOf, isSelf, objectionToWelcome, refusalOf } from "./handshake.ts";
import type { Objection } from "./handshake.ts";
import type { AcceptorFrame, Refusal, Welcome } from "./wire.ts";

/** What mutual TLS needs to know of this node; null in its place: plain TCP. */
export interface TlsSide {
  /** The context for a new connection: the newest certificate. */
  context(): SecureContext;
  readonly service: string;
}

export interface OutgoingPeer {
  readonly member: Member;
  /** The agreed one. */
  readonly groupId: string | null;
  /** The peer's own. */
  readonly ownGroupId: string | null;
  readonly version: string;
}

export interface OutgoingEvents {
  ready(peer: OutgoingPeer): void;
  /** `error` null: closed in good order. `wasSelf`: the address leads back to this process. */
  closed(error: Error | null, wasSelf: boolean): void;
  /** Messages are dropped from now on; not called again before the queue was written. */
  overflowed(): void;
  roundTrip(durationMs: number): void;
}

export interface OutgoingOptions {
  readonly address: PeerAddress;
  /** The pod looked for. */
  readonly name: string;
  readonly local: LocalPeer;
  readonly tls: TlsSide | null;
  readonly events: OutgoingEvents;
}

const PING = encode({ kind: "ping" });
/** Counted in ticks of PEER_PING_INTERVAL_MS: a pause of this process must not look like a silence of the other. */
const MISSED_TICKS = Math.ceil(PEER_SILENCE_MS / PEER_PING_INTERVAL_MS);

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #connection: Connection<AcceptorFrame>;
  /** Set with TLS only: whose certificate is checked. */
  readonly #secured: TLSSocket | null;
  #timer: NodeJS.Timeout;
  #peer: OutgoingPeer | null = null;
  #wasSelf = false;
  #isOpen = false;
  /** Whether TLS is done, if there is any. */
  #isSecure = false;
  #isEnding = false;
  #isDropped = false;
  #isOverflowing = false;
  #pingSentMs: number | null = null;
  #missedTicks = 0;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    const { address, tls } = options;
    this.#secured = tls === null ? null : dialTls(address, tls.context());
    const socket: Socket = this.#secured ?? connectTcp({ host: address.host, port: address.port });
    this.#timer = this.#timeoutIn(PEER_CONNECT_TIMEOUT_MS, "no answer");
    socket.once("connect", () => {
      this.#isOpen = true;
      clearTimeout(this.#timer);
      this.#timer = this.#timeoutIn(PEER_HANDSHAKE_TIMEOUT_MS, "the handshake was not finished");
    });
    this.#connection = new Connection<AcceptorFrame>(socket, MAX_HANDSHAKE_FRAME_BYTES, {
      decode: (body) => (this.#peer === null ? decodeAnswer(body) : decodeAcceptorFrame(body)),
      frame: (frame) => this.#received(frame),
      violation: (error) => this.#connection.endWith(error, null),
      closed: (error) => this.#closed(error),
      drained: () => {
        this.#isOverflowing = false;
      },
    });
    socket.once(tls === null ? "connect" : "secureConnect", () => {
      this.#isSecure = true;
      if (this.#isEnding) return this.#connection.end();
      this.#connection.write(encode(helloOf(options.local, options.name)));
    });
  }

  /** Who is there; null before the handshake is done, and once it is dropped. */
  get peer(): OutgoingPeer | null {
    return this.#isDropped ? null : this.#peer;
  }

  /** Whether there was an answer from the address. Until then nobody has heard of this connection. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** False when it was dropped: not ready, closing, or the peer reads too slowly. */
  send(frame: Buffer): boolean {
    if (this.#peer === null) return false;
    if (this.#connection.queuedBytes + frame.length <= MAX_PEER_QUEUE_BYTES) return this.#connection.write(frame);
    if (!this.#isOverflowing) {
      this.#isOverflowing = true;
      this.#options.events.overflowed();
    }
    return false;
  }

  /** Every PEER_PING_INTERVAL_MS: one ping at a time, and the end when its pong does not come. */
  tick(): void {
    if (this.#peer === null) return;
    if (this.#pingSentMs === null) {
      this.#missedTicks = 0;
      if (this.#connection.write(PING)) this.#pingSentMs = performance.now();
      return;
    }
    this.#missedTicks += 1;
    if (this.#missedTicks < MISSED_TICKS) return;
    this.#connection.fail(new TenureError("peer_timeout", `a ping was not answered within ${PEER_SILENCE_MS} ms`));
  }

  /**
   * Closes in good order once it is ready, at once before, and within PEER_CLOSE_TIMEOUT_MS in any case. TLS that has
   * begun is finished first: to the other end a break looks as if this node had not accepted its certificate.
   */
  end(): void {
    if (this.#peer !== null) return this.#connection.end();
    if (this.#secured === null || !this.#isOpen || this.#isSecure) return this.#connection.fail(null);
    this.#isEnding = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connection.fail(null), PEER_CLOSE_TIMEOUT_MS);
  }

  /** Closes at once; what is queued is lost. Neither a fault of this end nor of the other. */
  drop(): void {
    this.#isDropped = true;
    this.#connection.fail(null);
  }

  #received(frame: AcceptorFrame): void {
    switch (frame.kind) {
      case "welcome":
        return this.#welcomed(frame);
      case "refusal":
        return this.#refused(frame);
      case "pong":
        return this.#ponged();
      default:
        return unreachable(frame);
    }
  }

  #welcomed(welcome: Welcome): void {
    const { local, events } = this.#options;
    if (isSelf(local, welcome.from)) {
      this.#wasSelf = true;
      return this.#connection.end();
    }
    const objection = this.#objectionTo(welcome);
    if (objection !== null) {
      const error = new TenureError(objection.code, objection.message);
      return this.#connection.endWith(error, encode(refusalOf(local, objection)));
    }
    clearTimeout(this.#timer);
    const { from: member, groupId: ownGroupId, version } = welcome;
    this.#peer = { member, groupId: agreedGroupId(local, welcome), ownGroupId, version };
    events.ready(this.#peer);
  }

  #objectionTo(welcome: Welcome): Objection | null {
    const { name, local, tls } = this.#options;
    const rules = objectionToWelcome(local, name, welcome);
    if (rules !== null || tls === null) return rules;
    return objectionToCertificate(this.#secured?.getPeerX509Certificate(), welcome.from.name, tls.service);
  }

  #refused({ code, message, from }: Refusal): void {
    this.#wasSelf = isSelf(this.#options.local, from);
    this.#connection.endWith(new TenureError(code, `refused by the other end: ${message}`), null);
  }

  #ponged(): void {
    if (this.#pingSentMs === null) {
      return this.#connection.endWith(new TenureError("frame_malformed", "a pong without a ping"), null);
    }
    const durationMs = performance.now() - this.#pingSentMs;
    this.#pingSentMs = null;
    this.#options.events.roundTrip(durationMs);
  }

  #closed(error: Error | null): void {
    clearTimeout(this.#timer);
    const isUnanswered = this.#peer === null && !this.#isDropped;
    this.#options.events.closed(error ?? (isUnanswered ? this.#silence() : null), this.#wasSelf);
  }

  #silence(): TenureError {
    const hint = this.#secured === null ? "; does it want TLS?" : "";
    return new TenureError("peer_unreachable", `the other end closed the connection without an answer${hint}`);
  }

  #timeoutIn(timeoutMs: number, what: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.#connection.fail(new TenureError("peer_timeout", `${what} within ${timeoutMs} ms`));
    }, timeoutMs);
  }
}

/**
 * The chain is verified by TLS before a byte is sent. Whom the certificate names is checked when the other end has said
 * who it is (certificate.ts): the address says nothing about it.
 */
function dialTls(address: PeerAddress, context: SecureContext): TLSSocket {
  return connectTls({
    host: address.host,
    port: address.port,
    secureContext: context,
    minVersion: "TLSv1.3",
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined,
  });
}
