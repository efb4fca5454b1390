/**
 * What the node reports to people and to metrics. The core emits events; one observer logs, another counts.
 *
 * Invariant: an observer never throws and never blocks; nothing it does can change what the node does.
 *
 * Deliberately absent: levels and texts. They belong to the observer.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { FencingToken, Term } from "../base/types.ts";
import { ROLES, type Role } from "../raft/effect.ts";

export { ROLES, type Role };

export const ELECTION_OUTCOMES = ["won", "lost", "refused"] as const;
/** `refused`: the PreVote found no majority, so no term was spent. */
export type ElectionOutcome = (typeof ELECTION_OUTCOMES)[number];

export type NodeEvent =
  | { readonly kind: "started"; readonly member: string; readonly incarnation: string; readonly version: string }
  /** `silent`: pods of the set that have not answered lately; "DNS" if it never has. */
  | { readonly kind: "formationWaiting"; readonly silent: readonly string[]; readonly outsider: boolean }
  | {
      readonly kind: "formed";
      readonly groupId: string;
      readonly founders: readonly string[];
      readonly tokenBase: number;
    }
  | { readonly kind: "rejoined"; readonly groupId: string; readonly term: Term; readonly lastIndex: number }
  | { readonly kind: "roleChanged"; readonly role: Role; readonly term: Term }
  /** The leader of the term as this node sees it; null: none known. */
  | { readonly kind: "leaderChanged"; readonly leader: string | null; readonly term: Term }
  | { readonly kind: "electionEnded"; readonly outcome: ElectionOutcome; readonly term: Term }
  /** Won; waits this long for the promises of earlier leaders to run out. */
  | { readonly kind: "waiting"; readonly term: Term; readonly waitMs: number }
  /** This node holds the lock. */
  | { readonly kind: "holding"; readonly term: Term; readonly token: FencingToken }
  | { readonly kind: "renewed" }
  | { readonly kind: "lapsed"; readonly term: Term; readonly token: FencingToken }
  | { readonly kind: "released"; readonly term: Term; readonly token: FencingToken }
  /** This node knows a new holder. `leaderlessMs`: how long it had known none; null for the first since its start. */
  | {
      readonly kind: "tenureSeen";
      readonly holder: string;
      readonly token: FencingToken;
      readonly leaderlessMs: number | null;
      readonly handover: boolean;
    }
  | { readonly kind: "transferStarted"; readonly target: string; readonly certified: boolean; readonly term: Term }
  | { readonly kind: "transferFailed"; readonly term: Term }
  | { readonly kind: "draining"; readonly cause: "signal" | "ineligible" | "transfer"; readonly timeoutMs: number }
  | { readonly kind: "drained"; readonly confirmed: boolean }
  | { readonly kind: "eligibilityChanged"; readonly eligible: boolean }
  | { readonly kind: "configurationChanged"; readonly voters: readonly string[]; readonly learners: readonly string[] }
  /** The log up to `index` was replaced by a snapshot, this node's own or the leader's. */
  | { readonly kind: "snapshotTaken"; readonly index: number; readonly from: "self" | "leader" }
  /** This incarnation was taken into a group that exists. */
  | { readonly kind: "joined"; readonly groupId: string; readonly term: Term; readonly index: number }
  /** A committed configuration has left this incarnation out. */
  | { readonly kind: "removed" }
  | { readonly kind: "formationGivenUp"; readonly groupId: string }
  /** A standby of a group that nobody leads any more, whose peers are in another one: it starts again as a new one. */
  | { readonly kind: "stranded"; readonly groupId: string }
  /** A new group was made of this member alone, because a majority of the old one is gone (`tenure rescue`). */
  | { readonly kind: "rescued"; readonly groupId: string; readonly tokenBase: number }
  | { readonly kind: "peerConnected"; readonly peer: string; readonly incarnation: string; readonly version: string }
  | { readonly kind: "peerDisconnected"; readonly peer: string }
  | { readonly kind: "peerRoundTrip"; readonly peer: string; readonly durationMs: number }
  | { readonly kind: "storageSynced"; readonly durationMs: number }
  | { readonly kind: "storageTailCut"; readonly bytes: number }
  /** An expected failure of the outside world: counted by code; `where` is a peer, an address or a path. */
  | { readonly kind: "fault"; readonly code: ErrorCode; readonly where: string; readonly message: string }
  | { readonly kind: "listening"; readonly api: number; readonly ops: number; readonly peers: number }
  /** The process ends with status 1; `stack` of a fault of tenure itself, else null. */
  | { readonly kind: "fatal"; readonly code: ErrorCode; readonly message: string; readonly stack: string | null }
  | { readonly kind: "stopping"; readonly signal: string }
  | { readonly kind: "stopped" };

export interface Observer {
  observe(event: NodeEvent): void;
}

/** What a scrape reads; sampled when asked, so that nothing is counted while nobody looks. */
export interface NodeSample {
  readonly isLeader: boolean;
  readonly token: number;
  readonly leaseRemainingMs: number;
  readonly term: number;
  readonly role: Role | "learner" | "none";
  readonly commitIndex: number;
  readonly lastIndex: number;
  readonly members: { readonly voter: number; readonly learner: number };
  /** By peer name. */
  readonly peers: readonly { readonly name: string; readonly connected: boolean }[];
  /** Total time, in ms, in which this node knew no holder. */
  readonly leaderlessMs: number;
  readonly eligible: boolean;
  readonly draining: boolean;
}
