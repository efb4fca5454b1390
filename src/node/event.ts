/**
 * The core's events as people know them: names for ids, tokens for claims.
 *
 * Invariant: every event of the core is listed, so that a new one cannot be forgotten.
 *
 * Deliberately absent: filtering by importance; that is the observers' business.
 */
import { unreachable } from "../base/assert.ts";
import type { MemberId } from "../base/types.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Core } from "../raft/core.ts";
import type { CoreEvent } from "../raft/effect.ts";

/** Null for what others report better. */
export function eventOf(event: CoreEvent, core: Core): NodeEvent | null {
  switch (event.kind) {
    case "roleChanged":
    case "electionEnded":
    case "waiting":
    case "renewed":
    case "transferFailed":
      return event;
    case "leaderChanged":
      return { kind: "leaderChanged", leader: nameOf(event.leader, core), term: event.term };
    case "holding":
      return { kind: "holding", term: event.tenure.term, token: event.tenure.token };
    case "lapsed":
    case "released":
      return { kind: event.kind, term: event.term, token: core.tokenOf(event.claim) };
    case "tenureCommitted":
      // HolderWatch tells of a tenure when its holder is known to hold, not when an old log is applied again.
      return null;
    case "transferStarted":
      return { kind: "transferStarted", target: event.target.name, certified: event.certified, term: event.term };
    case "configurationChanged": {
      const { voters, learners } = event.configuration;
      return { kind: "configurationChanged", voters: voters.map(nameOfMember), learners: learners.map(nameOfMember) };
    }
    case "snapshotTaken":
      return { kind: "snapshotTaken", index: event.index, from: event.from };
    case "configurationCommitted":
    case "removed":
      // Told when it was appended, and by the node when it acts on it.
      return null;
    default:
      return unreachable(event);
  }
}

function nameOf(id: MemberId | null, core: Core): string | null {
  return core.members.find((member) => member.id === id)?.name ?? null;
}

function nameOfMember(member: { readonly name: string }): string {
  return member.name;
}
