/**
 * What arrives from peers, and where it goes.
 *
 * Invariant: a raft message reaches the core only from a peer of the same group whose incarnation is not removed; to
 * one that is, its removal is told instead.
 *
 * Deliberately absent: bytes (src/transport) and answers (formation, admission, core).
 */
import type { Member } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Snapshot } from "../ports/storage.ts";
import type { PeerMessage, TransportHandlers } from "../ports/transport.ts";
import type { Contacts } from "./contacts.ts";
import type { Founding } from "./founding.ts";
import type { Life } from "./life.ts";

/** The node, as its mail needs it. */
export interface Addressee {
  readonly clock: Clock;
  readonly contacts: Contacts;
  self(): Member | null;
  founding(): Founding | null;
  /** Null before and after membership. */
  life(): Life | null;
  observe(event: NodeEvent): void;
  /** The name may not be among those that this node keeps connections to. */
  mayNeedAnswer(name: string): void;
  /** Whether a connection with that pod was refused because one of the two is in another group of this name. */
  otherGroup(name: string, isRefused: boolean): void;
  joined(snapshot: Snapshot): void;
  /** This incarnation is out of the group of that id. */
  removed(groupId: string): void;
}

export function handlersOf(node: Addressee): TransportHandlers {
  return {
    message: (from, message, groupId) => deliver(node, from, message, groupId),
    connected: (peer, groupId, version) => {
      node.contacts.connected(peer, groupId !== null, version);
      node.otherGroup(peer.name, false);
      node.observe({ kind: "peerConnected", peer: peer.name, incarnation: peer.id, version });
      // Whoever has no group yet shall know at once that there is one, also of names that it does not expect.
      if (groupId === null) node.founding()?.introduce(peer.name, node.life() !== null);
      // What it said first came before there was a connection to answer on, and its next word may be far off.
      const life = node.life();
      if (life?.group.core.isRemoved(peer.id) === true) life.admission.turnAway(peer);
    },
    disconnected: (peer) => node.observe({ kind: "peerDisconnected", peer }),
    fault: (code, where, message) => {
      node.observe({ kind: "fault", code, where, message });
      if (code === "peer_group") node.otherGroup(where, true);
    },
    roundTrip: (peer, durationMs) => node.observe({ kind: "peerRoundTrip", peer, durationMs }),
  };
}

function deliver(node: Addressee, from: Member, message: PeerMessage, groupId: string | null): void {
  const { clock } = node;
  const life = node.life();
  node.contacts.heard(from, clock.monotonic());
  switch (message.kind) {
    case "formQuery":
    case "formStatus":
    case "formPropose":
    case "formReply":
      node.mayNeedAnswer(from.name);
      return node.founding()?.receive(from, message);
    case "joinRequest":
      node.mayNeedAnswer(from.name);
      life?.admission.asked(from, clock.now());
      return life?.lookAtMembers(clock.now());
    case "joinAccepted":
      return node.joined(message.snapshot);
    case "removed":
      if (message.member === node.self()?.id) node.removed(message.groupId);
      return;
    default:
      if (life === null || groupId !== life.groupId) return;
      // Also one that is in no configuration of this node: those may be old, and an answer is how it learns newer ones.
      node.mayNeedAnswer(from.name);
      if (life.group.core.isRemoved(from.id)) {
        return life.admission.turnAway(from);
      }
      if (life.group.offer({ kind: "message", from, message })) return;
      node.observe({ kind: "fault", code: "peer_overflow", where: from.name, message: "the input queue is full" });
  }
}
