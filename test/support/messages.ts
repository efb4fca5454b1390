/**
 * Messages in the short form in which tests speak of them.
 *
 * Invariant: what is left out has the value that changes least: an empty log, no entries, nothing promised.
 *
 * Deliberately absent: sender and receiver; the test names them where it hands a message over.
 */
import { logIndex, term } from "../../src/base/types.ts";
import type { CoreSnapshot, Entry } from "../../src/raft/entry.ts";
import type {
  AppendReply,
  AppendRequest,
  InstallSnapshot,
  Message,
  PreVoteReply,
  PreVoteRequest,
  TimeoutNow,
  VoteReply,
  VoteRequest,
} from "../../src/raft/message.ts";
import { D } from "./timing.ts";

/** Of the messages of Raft; the transport has others, which never reach a core. */
export const MESSAGE_KINDS = [
  "preVoteRequest",
  "preVoteReply",
  "voteRequest",
  "voteReply",
  "appendRequest",
  "appendReply",
  "installSnapshot",
  "timeoutNow",
] as const satisfies readonly Message["kind"][];

export function preVoteRequest(atTerm: number, lastIndex = 0, lastTerm = 0, priority = 0): PreVoteRequest {
  const last = { lastIndex: logIndex(lastIndex), lastTerm: term(lastTerm) };
  return { kind: "preVoteRequest", term: term(atTerm), ...last, priority };
}

export function preVoteReply(atTerm: number, granted: boolean): PreVoteReply {
  return { kind: "preVoteReply", term: term(atTerm), granted };
}

export function voteRequest(atTerm: number, lastIndex = 0, lastTerm = 0): VoteRequest {
  return { kind: "voteRequest", term: term(atTerm), lastIndex: logIndex(lastIndex), lastTerm: term(lastTerm) };
}

export function voteReply(
  atTerm: number,
  granted: boolean,
  remainingMs = 0,
  promiseTerm: number | null = null,
): VoteReply {
  const promise = { remainingMs, promiseTerm: promiseTerm === null ? null : term(promiseTerm) };
  return { kind: "voteReply", term: term(atTerm), granted, ...promise };
}

export interface AppendFields {
  readonly round?: number;
  readonly prevIndex?: number;
  readonly prevTerm?: number;
  readonly entries?: readonly Entry[];
  readonly commitIndex?: number;
  readonly leaseDurationMs?: number;
  readonly holding?: number | null;
}

export function appendRequest(atTerm: number, fields: AppendFields = {}): AppendRequest {
  const { holding = null } = fields;
  return {
    kind: "appendRequest",
    term: term(atTerm),
    round: fields.round ?? 1,
    prevIndex: logIndex(fields.prevIndex ?? 0),
    prevTerm: term(fields.prevTerm ?? 0),
    entries: fields.entries ?? [],
    commitIndex: logIndex(fields.commitIndex ?? 0),
    leaseDurationMs: fields.leaseDurationMs ?? D,
    holding: holding === null ? null : logIndex(holding),
  };
}

export function installSnapshot(atTerm: number, snapshot: CoreSnapshot, round = 1): InstallSnapshot {
  return { kind: "installSnapshot", term: term(atTerm), round, snapshot, leaseDurationMs: D, holding: null };
}

export interface AppendReplyFields {
  readonly round?: number;
  readonly accepted?: boolean;
  readonly matchIndex?: number;
  readonly eligible?: boolean;
  readonly priority?: number;
  readonly leaving?: boolean;
}

export function appendReply(atTerm: number, fields: AppendReplyFields = {}): AppendReply {
  return {
    kind: "appendReply",
    term: term(atTerm),
    round: fields.round ?? 1,
    accepted: fields.accepted ?? true,
    matchIndex: logIndex(fields.matchIndex ?? 0),
    eligible: fields.eligible ?? true,
    priority: fields.priority ?? 0,
    leaving: fields.leaving ?? false,
  };
}

export function timeoutNow(atTerm: number, certificate: number | null = null): TimeoutNow {
  return { kind: "timeoutNow", term: term(atTerm), certificate: certificate === null ? null : term(certificate) };
}
