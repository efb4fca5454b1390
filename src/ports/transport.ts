/**
 * Messages between members.
 *
 * Invariant: a message that arrives came, whole and once per send, from the member named with it: the handshake has
 * checked version, group, name and incarnation of both ends. Messages of one sender on one connection keep their
 * order. Messages may be lost: nothing is queued for a peer that is not connected.
 *
 * Deliberately absent: replies, retries and delivery reports. The protocol has its own.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { MemberId } from "../base/types.ts";
import type { Member } from "../raft/entry.ts";
import type { Message } from "../raft/message.ts";
import type { Form, Snapshot } from "./storage.ts";

/** What a founder-to-be says of itself. */
export type FormationStatus =
  | { readonly kind: "empty"; readonly wallSeconds: number }
  | { readonly kind: "accepted"; readonly form: Form }
  | { readonly kind: "member"; readonly groupId: string };

/** Talk before there is a group: allowed on every handshaken connection. */
export type FormationMessage =
  /** The nonce comes back with the answer, which is then known to be younger than the question. */
  | { readonly kind: "formQuery"; readonly nonce: string }
  /** Of the question that it answers; empty where nobody asked. */
  | { readonly kind: "formStatus"; readonly nonce: string; readonly status: FormationStatus }
  | { readonly kind: "formPropose"; readonly form: Form }
  | {
      readonly kind: "formReply";
      readonly groupId: string;
      readonly accepted: boolean;
      readonly status: FormationStatus;
    };

/** How an incarnation gets into a group that exists, and how it learns that it is out of one (DESIGN, Membership). */
export type MembershipMessage =
  /** "Take me in": from a node that has no group, or is in no configuration of it. */
  | { readonly kind: "joinRequest" }
  /** From the leader: a committed configuration names the receiver, and this is the state of the group. */
  | { readonly kind: "joinAccepted"; readonly snapshot: Snapshot }
  /** From a member: a committed configuration of this group has left this incarnation out. */
  | { readonly kind: "removed"; readonly groupId: string; readonly member: MemberId };

/** What may be said before both ends are members of the same group. */
export type IntroductoryMessage = FormationMessage | MembershipMessage;

export type PeerMessage = Message | IntroductoryMessage;

/** Who this node is, in every handshake from now on. */
export interface LocalPeer {
  readonly group: string;
  /** Null until this node is a member of a formed group. */
  readonly groupId: string | null;
  readonly self: Member;
  readonly version: string;
}

export interface TransportHandlers {
  /**
   * `groupId` is the one both ends agreed on in the handshake, null while either has none; raft messages arrive only
   * with a group id that is the node's own.
   */
  message(from: Member, message: PeerMessage, groupId: string | null): void;
  /** A connection *to* this peer became usable. */
  connected(peer: Member, groupId: string | null, version: string): void;
  disconnected(name: string): void;
  /** A fault that a person should be able to see: counted and logged. `peer` is a name or an address. */
  fault(code: ErrorCode, peer: string, message: string): void;
  roundTrip(name: string, durationMs: number): void;
}

export interface Transport {
  /** Listens and starts dialling. Throws when the port cannot be had. */
  start(local: LocalPeer, handlers: TransportHandlers): Promise<void>;
  /** Changes what is said in handshakes; every connection is closed and made anew. */
  setLocal(local: LocalPeer): void;
  /** The names to keep a connection to; this node's own name must not be among them. */
  setPeers(names: readonly string[]): void;
  /** Sends to whoever is connected under that name. Returns false when it was dropped. */
  sendTo(name: string, message: IntroductoryMessage): boolean;
  /** Sends only if the connected peer is that very incarnation. Returns false when it was dropped. */
  send(to: Member, message: Message): boolean;
  /** The incarnation connected under that name, or null. */
  connectedId(name: string): MemberId | null;
  close(): Promise<void>;
}
