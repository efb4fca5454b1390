/**
 * One connection that a peer dialled: check its introduction, then read.
 *
 * Invariant: no message is handed on before the peer's certificate, name and group were found right, and no raft
 * message unless the agreed group id is this node's own at that moment. This end writes an answer, pongs, or a refusal.
 *
 * Deliberately absent: how many there may be (listener.ts).
 */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { unreachable } from "../base/assert.ts";
import { TenureError } from "../base/errors.ts";
import { MAX_FRAME_BYTES, MAX_HANDSHAKE_FRAME_BYTES, PEER_PING_INTERVAL_MS, PEER_SILENCE_MS } from "../base/limits.ts";
import type { LocalPeer, PeerMessage } from "../ports/transport.ts";
import type { Member } from "../raft/entry.ts";
import { objectionToCertificate } from "./certificate.ts";
import { decodeDiallerFrame, decodeHello, encode } from "./codec.ts";
import { Connection } from "./connection.ts";
import { agreedGroupId, isSelf, objectionToHello, refusalOf, welcomeOf } from "./handshake.ts";
import type { Objection } from "./handshake.ts";
import { REFUSAL_CODES } from "./wire.ts";
import type { DiallerFrame, Hello, Refusal } from "./wire.ts";

export interface IncomingEvents {
  /** The peer is who it should be; `groupId`: its own. An objection (`peer_too_many`) refuses it all the same. */
  admit(member: Member, groupId: string | null): Objection | null;
  message(from: Member, message: PeerMessage, groupId: string | null): void;
  /** `error` null: nothing that a person needs to know. `name`: as introduced, null before. */
  closed(error: TenureError | null, name: string | null): void;
}

export interface IncomingTls {
  /** Why TLS did not accept the chain; null: it did. */
  readonly chainObjection: Objection | null;
  /** What to check the introduction against. */
  readonly certificate: X509Certificate | undefined;
  readonly service: string;
}

export interface IncomingOptions {
  readonly socket: Socket;
  /** Null: plain TCP. */
  readonly tls: IncomingTls | null;
  /** Who this node is now. */
  readonly local: () => LocalPeer;
  readonly events: IncomingEvents;
}

const PONG = encode({ kind: "pong" });
/** In ticks of PEER_PING_INTERVAL_MS, and one more because the first may come right after the last byte. */
const SILENT_TICKS = Math.ceil(PEER_SILENCE_MS / PEER_PING_INTERVAL_MS) + 1;

export class Incoming {
  readonly #options: IncomingOptions;
  readonly #connection: Connection<Hello | DiallerFrame>;
  /** The name introduced, right or wrong, for faults. */
  #name: string | null = null;
  #member: Member | null = null;
  #groupId: string | null = null;

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#connection = new Connection<Hello | DiallerFrame>(options.socket, MAX_HANDSHAKE_FRAME_BYTES, {
      decode: (body) => (this.#member === null ? decodeHello(body) : decodeDiallerFrame(body)),
      frame: (frame) => this.#received(frame),
      violation: (error) => this.#refuse(error),
      closed: (error) => options.events.closed(error instanceof TenureError ? error : null, this.#name),
      drained: () => undefined,
    });
    const chain = options.tls?.chainObjection ?? null;
    // Before the first byte is read: after this the connection hears nothing.
    if (chain !== null) this.#refuse(new TenureError(chain.code, chain.message));
  }

  /** Null before the handshake is done. */
  get member(): Member | null {
    return this.#member;
  }

  /** Every PEER_PING_INTERVAL_MS: the dialler pings, so a connection without a byte is dead. */
  tick(): void {
    if (this.#connection.tick() < SILENT_TICKS) return;
    this.fail(new TenureError("peer_timeout", `nothing came for ${PEER_SILENCE_MS} ms, not even a ping`));
  }

  end(): void {
    this.#connection.end();
  }

  /** Null: closed without a fault. */
  fail(error: TenureError | null): void {
    this.#connection.fail(error);
  }

  #received(frame: Hello | DiallerFrame): void {
    if (frame.kind === "hello") return this.#introduced(frame);
    if (frame.kind === "refusal") return this.#refused(frame);
    if (frame.kind !== "ping") return this.#deliver(frame);
    // A dialler has one ping open at a time; one that sends more and does not read gets no more pongs.
    if (this.#connection.queuedBytes <= MAX_HANDSHAKE_FRAME_BYTES) this.#connection.write(PONG);
  }

  #refused({ code, message }: Refusal): void {
    this.#connection.endWith(new TenureError(code, `the other end does not accept this node: ${message}`), null);
  }

  #introduced(hello: Hello): void {
    const local = this.#options.local();
    this.#name = hello.from.name;
    if (isSelf(local, hello.from)) {
      // Told to the dialler, which is this process and drops the address: no fault on either side.
      this.#connection.write(encode(refusalOf(local, { code: "peer_name", message: "this is yourself" })));
      return this.#connection.end();
    }
    const objection =
      this.#objectionToCertificate(hello) ??
      objectionToHello(local, hello) ??
      this.#options.events.admit(hello.from, hello.groupId);
    if (objection !== null) return this.#refuse(new TenureError(objection.code, objection.message));
    this.#member = hello.from;
    this.#groupId = agreedGroupId(local, hello);
    this.#connection.setLimit(MAX_FRAME_BYTES);
    this.#connection.write(encode(welcomeOf(local, hello.from.name)));
  }

  #objectionToCertificate(hello: Hello): Objection | null {
    const { tls } = this.#options;
    return tls === null ? null : objectionToCertificate(tls.certificate, hello.from.name, tls.service);
  }

  #deliver(message: PeerMessage): void {
    if (this.#member === null) return;
    if (isRaftMessage(message)) {
      if (this.#groupId === null || this.#groupId !== this.#options.local().groupId) return;
    }
    this.#options.events.message(this.#member, message, this.#groupId);
  }

  #refuse(error: TenureError): void {
    const code = REFUSAL_CODES.find((each) => each === error.code) ?? "frame_malformed";
    const refusal = refusalOf(this.#options.local(), { code, message: error.message });
    this.#connection.endWith(error, encode(refusal));
  }
}

function isRaftMessage(message: PeerMessage): boolean {
  switch (message.kind) {
    case "formQuery":
    case "formStatus":
    case "formPropose":
    case "formReply":
    case "joinRequest":
    case "joinAccepted":
    case "removed":
      return false;
    case "preVoteRequest":
    case "preVoteReply":
    case "voteRequest":
    case "voteReply":
    case "appendRequest":
    case "appendReply":
    case "installSnapshot":
    case "timeoutNow":
      return true;
    default:
      return unreachable(message);
  }
}
