/**
 * What members say to each other.
 *
 * Invariant: every message carries the sender's term; spans travel, instants never do, because no clock of one node
 * is ever compared with another's. The one number that looks like time, `round`, is a counter that the receiver only
 * echoes.
 *
 * Deliberately absent: sender and receiver (the transport knows them from the handshake), and formation (see
 * src/ports/transport.ts), which happens before there is a group.
 */
import type { LogIndex, Term } from "../base/types.ts";
import type { CoreSnapshot, Entry } from "./entry.ts";

/** "Would you vote for me in `term`?" Changes nothing at the receiver (dissertation, 9.6). */
export interface PreVoteRequest {
  readonly kind: "preVoteRequest";
  /** The term the sender would campaign in: its own + 1. */
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Larger goes first among candidates that are equal otherwise; stability only. */
  readonly priority: number;
}

export interface PreVoteReply {
  readonly kind: "preVoteReply";
  /** The term asked about when granted; the replier's own when not. */
  readonly term: Term;
  readonly granted: boolean;
}

export interface VoteRequest {
  readonly kind: "voteRequest";
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

export interface VoteReply {
  readonly kind: "voteReply";
  readonly term: Term;
  readonly granted: boolean;
  /** What is left of the voter's promise, in ms, as it replies (DESIGN, L5). */
  readonly remainingMs: number;
  /** The term whose leader the promise was made to; null when a restart has forgotten it (DESIGN, L4). */
  readonly promiseTerm: Term | null;
}

/** Entries, heartbeat and lease renewal in one (Raft paper, 5.3; DESIGN, L1 and L2). */
export interface AppendRequest {
  readonly kind: "appendRequest";
  readonly term: Term;
  /** The heartbeat round, echoed by the reply. */
  readonly round: number;
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly entries: readonly Entry[];
  readonly commitIndex: LogIndex;
  /** D of the leader: what the receiver promises when it accepts. */
  readonly leaseDurationMs: number;
  /** The claim under which the leader holds the lock right now, or null: followers name the holder by it. */
  readonly holding: LogIndex | null;
}

export interface AppendReply {
  readonly kind: "appendReply";
  readonly term: Term;
  readonly round: number;
  readonly accepted: boolean;
  /** Accepted: the last index known to match. Refused: where the leader should try next, minus one (5.3, back-up). */
  readonly matchIndex: LogIndex;
  /** Whether the sender may be made leader now. */
  readonly eligible: boolean;
  readonly priority: number;
  /** The sender is about to go for good and asks to be removed (DESIGN, Membership). */
  readonly leaving: boolean;
}

/**
 * The state that the leader's log starts from, for a member that lacks what was compacted (Raft paper, 7 and figure
 * 13). Whole in one message: it is small. Answered by an `AppendReply`, and a promise like every accepted append.
 */
export interface InstallSnapshot {
  readonly kind: "installSnapshot";
  readonly term: Term;
  readonly round: number;
  readonly snapshot: CoreSnapshot;
  readonly leaseDurationMs: number;
  readonly holding: LogIndex | null;
}

/** "Campaign at once" (dissertation, 3.10), with the certificate of DESIGN, L7. */
export interface TimeoutNow {
  readonly kind: "timeoutNow";
  readonly term: Term;
  /** Set: the sender's own wait was over and it has revoked for this term, so promises made to it count as nothing. */
  readonly certificate: Term | null;
}

export type Message =
  PreVoteRequest | PreVoteReply | VoteRequest | VoteReply | AppendRequest | AppendReply | InstallSnapshot | TimeoutNow;
