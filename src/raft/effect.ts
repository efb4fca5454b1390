/**
 * What goes into a step of the core, and what must be done after it.
 *
 * Invariant: the fields of `Effects` are carried out in their order: persist, then send, then apply. Nothing is sent
 * that speaks of state which is not durable yet.
 *
 * Deliberately absent: timers. `Core.wakeAt` names the next instant at which time alone changes something.
 */
import type { LogIndex, Member, MemberId, Term } from "../base/types.ts";
import type { Tenure } from "../lease/register.ts";
import type { Configuration, CoreSnapshot, Entry } from "./entry.ts";
import type { Message } from "./message.ts";

export type Input =
  /** Time has passed; at or after `wakeAt`. */
  | { readonly kind: "tick" }
  | { readonly kind: "message"; readonly from: Member; readonly message: Message }
  /** The entries of an earlier `persist` up to this one are durable; only then does the leader count itself. */
  | { readonly kind: "persisted"; readonly index: LogIndex; readonly term: Term }
  /**
   * Release the lock and hand leadership over, to the voter of that name or to the best one (DESIGN, L7). `stopped`:
   * the application has confirmed that it stopped, or every deadline that it was told has passed; without it nothing is
   * certified before the last end of the lease that was ever reckoned.
   */
  | { readonly kind: "resign"; readonly to: string | null; readonly stopped: boolean }
  /** An ineligible node neither campaigns nor claims; what it holds it keeps until it resigns. */
  | { readonly kind: "setEligible"; readonly eligible: boolean }
  /** This node is about to go for good: it asks its leader to be removed, for as long as it lives. */
  | { readonly kind: "leave" }
  /** One change of members; nothing happens where it is not allowed now (see change.ts). */
  | { readonly kind: "change"; readonly change: MemberChange };

/** The changes of one member that a leader may propose, one at a time (dissertation, 4.1 and 4.2.1). */
export type MemberChange =
  | { readonly kind: "addLearner"; readonly member: Member }
  | { readonly kind: "promote"; readonly id: MemberId }
  | { readonly kind: "remove"; readonly id: MemberId };

/** Term and vote (Raft paper, figure 2), and the largest lease duration ever promised (DESIGN, L2). */
export interface HardState {
  readonly term: Term;
  readonly votedFor: MemberId | null;
  readonly largestPromiseMs: number;
}

/** One append of the log on disk: everything in it becomes durable together. */
export interface Append {
  /** Present when it changed. */
  readonly hardState?: HardState;
  /** Entries after this index are cut off first (a follower's conflict; Raft paper, 5.3). */
  readonly truncateAfter?: LogIndex;
  readonly entries: readonly Entry[];
}

export interface Outgoing {
  readonly to: Member;
  readonly message: Message;
}

export const ROLES = ["follower", "preCandidate", "candidate", "leader"] as const;
export type Role = (typeof ROLES)[number];

export type CoreEvent =
  | { readonly kind: "roleChanged"; readonly role: Role; readonly term: Term }
  | { readonly kind: "leaderChanged"; readonly leader: MemberId | null; readonly term: Term }
  /** `refused`: the PreVote found no majority, so that no term was spent. */
  | { readonly kind: "electionEnded"; readonly outcome: "won" | "lost" | "refused"; readonly term: Term }
  | { readonly kind: "waiting"; readonly term: Term; readonly waitMs: number }
  | { readonly kind: "holding"; readonly tenure: Tenure }
  | { readonly kind: "renewed" }
  | { readonly kind: "lapsed"; readonly claim: LogIndex; readonly term: Term }
  | { readonly kind: "released"; readonly claim: LogIndex; readonly term: Term }
  | { readonly kind: "tenureCommitted"; readonly tenure: Tenure }
  | { readonly kind: "transferStarted"; readonly target: Member; readonly certified: boolean; readonly term: Term }
  | { readonly kind: "transferFailed"; readonly term: Term }
  | { readonly kind: "configurationChanged"; readonly configuration: Configuration }
  /** A committed configuration: what was appended before it cannot be lost any more. */
  | { readonly kind: "configurationCommitted"; readonly configuration: Configuration }
  /** A committed configuration no longer names this node. */
  | { readonly kind: "removed" }
  /** The log up to `index` was replaced by a snapshot: this node's own, or one that the leader sent. */
  | { readonly kind: "snapshotTaken"; readonly index: LogIndex; readonly from: "self" | "leader" };

export interface Effects {
  /** Must be durable before anything of `send` leaves and before `apply` is acted upon; null when nothing changed. */
  readonly persist: Append | null;
  /** Must be durable after `persist` and before `send`; it replaces the log up to its index. Null nearly always. */
  readonly snapshot: CoreSnapshot | null;
  /** Handed to the network in this order, after `persist`; each may be lost. */
  readonly send: readonly Outgoing[];
  /** Committed by this step, in log order; for readers outside: the core has applied them to its own register. */
  readonly apply: readonly Entry[];
  /** What happened, for observers; changes nothing. */
  readonly events: readonly CoreEvent[];
}
