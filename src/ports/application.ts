/**
 * What the node offers to the APIs: the application's side.
 *
 * Invariant: `leader()` is computed anew, from the clocks, at every call; nothing here is a cached answer. A doubt is
 * "not the leader".
 *
 * Deliberately absent: HTTP.
 */
import type { FencingToken, MemberId, Term } from "../base/types.ts";

/** Why this node is, or is not, the leader. */
export const REASONS = [
  "holder",
  "follower",
  "waiting",
  "no-quorum",
  "draining",
  "ineligible",
  "joining",
  "starting",
] as const;
export type Reason = (typeof REASONS)[number];

/** The answer of `/leader`. Field names and order are the public contract. */
export interface LeaderAnswer {
  readonly isLeader: boolean;
  /** The current holder as far as this node knows. */
  readonly name: string | null;
  readonly self: string;
  readonly group: string;
  readonly token: FencingToken | null;
  readonly term: Term;
  /** What is left of the lease, rounded down to whole milliseconds; 0 unless leader. */
  readonly remainingMs: number;
  /** The end of the lease on this machine's CLOCK_MONOTONIC, in decimal digits; null unless leader. */
  readonly deadlineMonotonicNs: string | null;
  readonly reason: Reason;
  /** Counts the changes of this answer (not of remainingMs and the deadline) in this process. */
  readonly index: number;
}

export interface ClusterMember {
  readonly name: string;
  readonly id: MemberId;
  readonly role: "leader" | "follower" | "candidate" | "learner" | "unknown";
  readonly voter: boolean;
  readonly self: boolean;
  readonly connected: boolean;
  /** Since it was last heard of by this node; null when never. */
  readonly lastContactMs: number | null;
  readonly version: string | null;
  /** Known by a leader only. */
  readonly matchIndex: number | null;
  readonly eligible: boolean | null;
}

export interface ClusterAnswer {
  readonly group: string;
  readonly groupId: string | null;
  readonly self: string;
  readonly term: Term;
  readonly leader: string | null;
  readonly holder: string | null;
  /** For how long this node has known of the holder's tenure, in ms; null when it knows no holder. */
  readonly holderForMs: number | null;
  readonly commitIndex: number;
  readonly lastIndex: number;
  readonly tokenBase: number | null;
  readonly leaseDurationMs: number;
  /** What stands in the way, in plain words; null when all is well. */
  readonly trouble: string | null;
  readonly members: readonly ClusterMember[];
}

export interface PastTenure {
  readonly name: string;
  readonly id: MemberId;
  readonly token: FencingToken;
  readonly term: Term;
  /** How it ended, as the log knows it: "released", or "superseded" by a later claim; "current" for the newest. */
  readonly end: "released" | "superseded" | "current";
}

export interface HistoryAnswer {
  readonly group: string;
  /** Newest first, at most MAX_HISTORY. */
  readonly tenures: readonly PastTenure[];
}

export interface Application {
  leader(): LeaderAnswer;
  /** True once this node has been a member of a committed configuration; latched. */
  ready(): boolean;
  /** Calls back after each change of `leader().index`. Returns the end of the subscription. */
  onChange(listener: () => void): () => void;
  /**
   * "I have stopped; hand over." Resolves once released. Rejects with `not_holder`, `unknown_target` or
   * `shutting_down`.
   */
  resign(to: string | null): Promise<void>;
  /**
   * "Hand over once the application has stopped." The holder drains first, then releases, and stays eligible. Resolves
   * once released. Rejects with `not_holder`, `unknown_target` or `shutting_down`.
   */
  transfer(to: string | null): Promise<void>;
  /** A group of this node alone, for the others to join; resolves once it is formed. Rejects with `init_refused`. */
  init(): Promise<void>;
  /**
   * A new group of this node alone in place of the one of that id, whose majority is gone; resolves once it is durable.
   * `lost` names pods that are gone with their disks, by a person's word. Rejects with `rescue_refused`.
   */
  rescue(confirm: string, lost: readonly string[]): Promise<void>;
  /** Resolves once taken in; a holder made ineligible drains first (DESIGN, Draining). */
  setEligible(eligible: boolean): Promise<void>;
  eligible(): boolean;
  cluster(): ClusterAnswer;
  history(): HistoryAnswer;
}
