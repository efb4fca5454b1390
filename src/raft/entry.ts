/**
 * The entries of the replicated log, the configuration that lives in it, and the snapshot that stands for a part of it.
 *
 * Invariant: plain data, equal by value, safe to encode as JSON: integers below 2^53 and short strings only.
 *
 * Deliberately absent: addresses. A member is an incarnation with a name; where it listens is looked up (DESIGN,
 * Identity).
 */
import type { LogIndex, Member, MemberId, Term } from "../base/types.ts";
import type { LockState } from "../lease/register.ts";

export type { Member } from "../base/types.ts";

/** Who votes and who only listens. Effective as soon as it is appended (Ongaro, dissertation, 4.1). */
export interface Configuration {
  readonly voters: readonly Member[];
  readonly learners: readonly Member[];
}

/** Voters first. */
export function allMembers({ voters, learners }: Configuration): readonly Member[] {
  return [...voters, ...learners];
}

export function isMemberOf(configuration: Configuration, id: MemberId): boolean {
  return allMembers(configuration).some((member) => member.id === id);
}

interface EntryPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** Appended by every new leader, so that it can commit in its own term (Raft paper, 5.4.2 and 8). */
export interface NoopEntry extends EntryPosition {
  readonly kind: "noop";
}

/** "I hold the lock from the moment that this is committed": the token is tokenBase + index (DESIGN, L6). */
export interface ClaimEntry extends EntryPosition {
  readonly kind: "claim";
  readonly holder: Member;
}

/** The tenure of the claim at `claim` is over, by its holder's own word (DESIGN, L7). */
export interface ReleaseEntry extends EntryPosition {
  readonly kind: "release";
  readonly claim: LogIndex;
}

export interface ConfigEntry extends EntryPosition {
  readonly kind: "config";
  readonly configuration: Configuration;
}

/** For named locks later: carried, replicated and committed, without a meaning yet. */
export interface CommandEntry extends EntryPosition {
  readonly kind: "command";
  readonly command: string;
}

/** Everything that the log up to `index` has led to: it stands for those entries (Raft paper, 7). */
export interface CoreSnapshot {
  readonly index: LogIndex;
  readonly term: Term;
  /** The one committed by `index`: an appended one could still be lost (canonical/raft#250). */
  readonly configuration: Configuration;
  /** Incarnations that were members once, the last removed first, at most MAX_REMOVED. */
  readonly removed: readonly MemberId[];
  /** The tenures up to `index`, newest first. */
  readonly lock: LockState;
}

export type Entry = NoopEntry | ClaimEntry | ReleaseEntry | ConfigEntry | CommandEntry;
