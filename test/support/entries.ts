/**
 * Log entries, hard states and configurations in the short form in which tests speak of them.
 *
 * Invariant: numbers and positions become branded values through the constructors of src/base, so that a test cannot
 * build what the codec would refuse.
 *
 * Deliberately absent: anything that a core makes by itself.
 */
import { holderMs, logIndex, monotonicMs, type Now, term } from "../../src/base/types.ts";
import type { HardState } from "../../src/raft/effect.ts";
import type {
  ClaimEntry,
  CommandEntry,
  ConfigEntry,
  Configuration,
  Entry,
  NoopEntry,
  ReleaseEntry,
} from "../../src/raft/entry.ts";
import type { LogBase } from "../../src/raft/log.ts";
import { memberAt } from "./cluster.ts";

export function noop(index: number, entryTerm: number): NoopEntry {
  return { kind: "noop", index: logIndex(index), term: term(entryTerm) };
}

export function command(index: number, entryTerm: number, text = "x"): CommandEntry {
  return { kind: "command", index: logIndex(index), term: term(entryTerm), command: text };
}

export function claim(index: number, entryTerm: number, position: number): ClaimEntry {
  return { kind: "claim", index: logIndex(index), term: term(entryTerm), holder: memberAt(position) };
}

export function release(index: number, entryTerm: number, claimIndex: number): ReleaseEntry {
  return { kind: "release", index: logIndex(index), term: term(entryTerm), claim: logIndex(claimIndex) };
}

export function config(index: number, entryTerm: number, configuration: Configuration): ConfigEntry {
  return { kind: "config", index: logIndex(index), term: term(entryTerm), configuration };
}

/** A log of commands with these terms, from index 1: the way in which the Raft paper draws logs. */
export function logOf(...terms: readonly number[]): readonly Entry[] {
  return terms.map((entryTerm, position) => command(position + 1, entryTerm));
}

export function termsOf(entries: readonly Entry[]): readonly number[] {
  return entries.map((entry) => entry.term);
}

export function configurationOf(voters: readonly number[], learners: readonly number[] = []): Configuration {
  return { voters: voters.map((position) => memberAt(position)), learners: learners.map((at) => memberAt(at)) };
}

/** Members 0 … size − 1, all of them voters. */
export function votersOf(size: number): Configuration {
  return configurationOf([...Array(size).keys()]);
}

/** The state that a log starts from: by default the formation of the group. */
export function baseOf(configuration: Configuration, index = 0, baseTerm = 0): LogBase {
  return { index: logIndex(index), term: term(baseTerm), configuration };
}

export function hardStateOf(atTerm: number, votedFor: number | null = null, largestPromiseMs = 0): HardState {
  return { term: term(atTerm), votedFor: votedFor === null ? null : memberAt(votedFor).id, largestPromiseMs };
}

/** Both clocks; the holder clock is the same unless it is given. */
export function nowOf(ms: number, holder = ms): Now {
  return { monotonicMs: monotonicMs(ms), holderMs: holderMs(holder) };
}
