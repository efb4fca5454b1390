/**
 * The rules of the handshake: who may talk to whom (DESIGN, Identity).
 *
 * Invariant: both ends apply the same rules to the same fields, so what one accepts the other accepts, and both
 * compute the same agreed group id.
 *
 * Deliberately absent: sockets and certificates (incoming.ts, outgoing.ts, certificate.ts).
 */
import type { LocalPeer } from "../ports/transport.ts";
import type { Member } from "../raft/entry.ts";
import { MAGIC, PROTOCOL } from "./wire.ts";
import type { Hello, Refusal, RefusalCode, Welcome } from "./wire.ts";

/** Why the other end is not accepted, as it will be told. */
export interface Objection {
  readonly code: RefusalCode;
  readonly message: string;
}

/** What a peer that dials in shows of itself. */
export interface Caller {
  readonly member: Member;
  /** Its own, agreed or not. */
  readonly groupId: string | null;
  /** The address that it called from. */
  readonly host: string;
}

export function helloOf(local: LocalPeer, to: string): Hello {
  return { kind: "hello", ...introductionOf(local, to) };
}

export function welcomeOf(local: LocalPeer, to: string): Welcome {
  return { kind: "welcome", ...introductionOf(local, to) };
}

export function refusalOf(local: LocalPeer, { code, message }: Objection): Refusal {
  return { kind: "refusal", code, message, from: local.self };
}

/** The acceptor's side. Null: nothing against it. */
export function objectionToHello(local: LocalPeer, hello: Hello): Objection | null {
  if (hello.to !== local.self.name) {
    return { code: "peer_name", message: `this is ${local.self.name}, not ${hello.to}` };
  }
  return objectionToGroup(local, hello);
}

/** The dialler's side; `dialled` is the name that it looked up. Null: nothing against it. */
export function objectionToWelcome(local: LocalPeer, dialled: string, welcome: Welcome): Objection | null {
  if (welcome.from.name !== dialled) {
    return { code: "peer_name", message: `looked for ${dialled}, found ${welcome.from.name}` };
  }
  if (welcome.to !== local.self.name) {
    return { code: "peer_name", message: `this is ${local.self.name}, not ${welcome.to}` };
  }
  return objectionToGroup(local, welcome);
}

/** An address that leads back to this very process: no fault, only useless. */
export function isSelf(local: LocalPeer, from: Member | null): boolean {
  return from !== null && from.id === local.self.id;
}

/** The id that both ends have, else null: a raft message may travel only under an agreed id. */
export function agreedGroupId(local: LocalPeer, other: { readonly groupId: string | null }): string | null {
  return local.groupId === other.groupId ? local.groupId : null;
}

function objectionToGroup(local: LocalPeer, other: Hello | Welcome): Objection | null {
  if (other.group !== local.group) {
    return { code: "peer_group", message: `this is a peer of group "${local.group}", not "${other.group}"` };
  }
  if (other.groupId !== null && local.groupId !== null && other.groupId !== local.groupId) {
    const ids = `${local.groupId}, not ${other.groupId}`;
    return { code: "peer_group", message: `this is a peer of another group named "${local.group}": its id is ${ids}` };
  }
  return null;
}

function introductionOf(local: LocalPeer, to: string): Omit<Hello, "kind"> {
  return {
    magic: MAGIC,
    protocol: PROTOCOL,
    version: local.version,
    group: local.group,
    groupId: local.groupId,
    from: local.self,
    to,
  };
}
