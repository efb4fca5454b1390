/**
 * The frames that only the transport sees: handshake and liveness. Written down for people in
 * docs/reference/peer-protocol.md.
 *
 * Invariant: the fields `magic` and `protocol` of the first frame, and `kind`, `code` and `message` of a refusal, keep
 * their names and types in every later version, so that two versions can always tell each other why they part.
 *
 * Deliberately absent: addresses. Who is there is said by name and incarnation.
 */
import type { Member } from "../raft/entry.ts";
import type { PeerMessage } from "../ports/transport.ts";

export const MAGIC = "tenure";
/**
 * 2: members come and go (installSnapshot, joinRequest, joinAccepted, removed, appendReply.leaving), and questions of a
 * formation have a nonce.
 */
export const PROTOCOL = 2;

interface Introduction {
  readonly magic: typeof MAGIC;
  readonly protocol: typeof PROTOCOL;
  readonly version: string;
  readonly group: string;
  /** 32 hexadecimal digits; null before the sender is a member of a formed group. */
  readonly groupId: string | null;
  readonly from: Member;
  /** The pod that the sender means to talk to. */
  readonly to: string;
}

/** The dialler's first frame. */
export interface Hello extends Introduction {
  readonly kind: "hello";
}

/** The acceptor's answer; from here on the dialler may send messages. */
export interface Welcome extends Introduction {
  readonly kind: "welcome";
}

/** Why an end gives up during the handshake. */
export const REFUSAL_CODES = [
  "frame_malformed",
  "frame_too_large",
  "peer_protocol",
  "peer_group",
  "peer_name",
  "peer_certificate",
  "peer_too_many",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** The last frame of an end that gives up; the connection is closed after it. */
export interface Refusal {
  readonly kind: "refusal";
  readonly code: RefusalCode;
  readonly message: string;
  /** Who refuses. Its own dialler is told by it: an address that leads back to the same process. */
  readonly from: Member | null;
}

/** "Are you there?", by the dialler, one at a time. */
export interface Ping {
  readonly kind: "ping";
}

export interface Pong {
  readonly kind: "pong";
}

/** What an acceptor reads after the handshake. A refusal: the dialler did not like the welcome. */
export type DiallerFrame = PeerMessage | Ping | Refusal;
/** What a dialler reads, before and after its handshake is done. */
export type AcceptorFrame = Welcome | Refusal | Pong;

export type WireFrame = Hello | DiallerFrame | AcceptorFrame;
