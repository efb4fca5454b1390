/**
 * How steps, effects, messages and entries are written in a transcript.
 *
 * Invariant: everything that a core says is written, in the order in which it must be carried out: persist, snapshot,
 * send, apply, events. Numbers are rounded to a tenth of a millisecond, so that the arithmetic of doubles is not seen.
 *
 * Deliberately absent: the state. That is what `show` is for.
 */
import { present, unreachable } from "../../../src/base/assert.ts";
import type { MemberId } from "../../../src/base/types.ts";
import type { Append, CoreEvent, Effects, Input, MemberChange } from "../../../src/raft/effect.ts";
import type { Configuration, CoreSnapshot, Entry } from "../../../src/raft/entry.ts";
import type { Message } from "../../../src/raft/message.ts";
import type { Disk } from "../../support/disk.ts";

export function ms(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function nameOf(id: MemberId | null): string {
  return id === null ? "-" : `m${Number(id)}`;
}

export function describeEntry(entry: Entry): string {
  const position = `${entry.index}/${entry.term}`;
  switch (entry.kind) {
    case "noop":
      return `${position} noop`;
    case "claim":
      return `${position} claim ${entry.holder.name}`;
    case "release":
      return `${position} release of ${entry.claim}`;
    case "config":
      return `${position} config ${describeConfiguration(entry.configuration)}`;
    case "command":
      return `${position} ${entry.command}`;
    default:
      return unreachable(entry);
  }
}

/** A long run of commands that are all the same is written as one: `1..255/1 x`. */
const LONG_RUN = 9;

export function describeEntries(entries: readonly Entry[]): string {
  const parts: string[] = [];
  for (let at = 0; at < entries.length;) {
    const run = runAt(entries, at);
    const first = present(run[0], "a run has an entry");
    const last = present(run.at(-1), "a run has an entry");
    if (run.length >= LONG_RUN) parts.push(`${first.index}..${describeEntry(last)}`);
    else parts.push(...run.map(describeEntry));
    at += run.length;
  }
  return `[${parts.join(", ")}]`;
}

/** The entry at `at`, and as many after it as are the same command of the same term. */
function runAt(entries: readonly Entry[], at: number): readonly Entry[] {
  const first = entries[at];
  const isSame = (entry: Entry): boolean =>
    first?.kind === "command" &&
    entry.kind === "command" &&
    entry.term === first.term &&
    entry.command === first.command;
  const length = entries.slice(at + 1).findIndex((entry) => !isSame(entry));
  return entries.slice(at, length < 0 ? entries.length : at + 1 + length);
}

/** Voters, then learners behind a plus. */
export function describeConfiguration({ voters, learners }: Configuration): string {
  const names = voters.map((voter) => voter.name).join(",");
  return learners.length === 0 ? names : `${names}+${learners.map((learner) => learner.name).join(",")}`;
}

export function describeMessage(message: Message): string {
  const head = `${message.kind} term=${message.term}`;
  switch (message.kind) {
    case "preVoteRequest":
      return `${head} last=${message.lastIndex}/${message.lastTerm} priority=${message.priority}`;
    case "preVoteReply":
      return `${head} ${message.granted ? "granted" : "refused"}`;
    case "voteRequest":
      return `${head} last=${message.lastIndex}/${message.lastTerm}`;
    case "voteReply": {
      const promise = `remaining=${ms(message.remainingMs)} promised-to=${message.promiseTerm ?? "-"}`;
      return `${head} ${message.granted ? "granted" : "refused"} ${promise}`;
    }
    case "appendRequest": {
      const { round, prevIndex, prevTerm, entries, commitIndex, leaseDurationMs, holding } = message;
      const log = `prev=${prevIndex}/${prevTerm} ${describeEntries(entries)} commit=${commitIndex}`;
      return `${head} round=${round} ${log} lease=${ms(leaseDurationMs)} holding=${holding ?? "-"}`;
    }
    case "appendReply": {
      const { round, accepted, matchIndex, eligible, priority, leaving } = message;
      const verdict = accepted ? `accepted match=${matchIndex}` : `refused try=${matchIndex}`;
      const marks = `${eligible ? "" : " ineligible"}${leaving ? " leaving" : ""}`;
      return `${head} round=${round} ${verdict}${marks}${priority === 0 ? "" : ` priority=${priority}`}`;
    }
    case "installSnapshot": {
      const { round, snapshot, leaseDurationMs, holding } = message;
      const lease = `lease=${ms(leaseDurationMs)} holding=${holding ?? "-"}`;
      return `${head} round=${round} ${describeSnapshot(snapshot)} ${lease}`;
    }
    case "timeoutNow":
      return `${head} certificate=${message.certificate ?? "-"}`;
    default:
      return unreachable(message);
  }
}

export function describeInput(input: Input): string {
  switch (input.kind) {
    case "tick":
      return "tick";
    case "message":
      return `from ${input.from.name}: ${describeMessage(input.message)}`;
    case "persisted":
      return `persisted ${input.index}/${input.term}`;
    case "resign":
      return `resign to ${input.to ?? "the best"}`;
    case "setEligible":
      return input.eligible ? "eligible" : "ineligible";
    case "leave":
      return "leave";
    case "change":
      return describeChange(input.change);
    default:
      return unreachable(input);
  }
}

/** What a start finds on the disk. */
export function describeDisk({ hardState, entries, snapshot }: Disk): string {
  const start = snapshot === null ? "" : `snapshot ${describeSnapshot(snapshot)}; `;
  return `${describePersist({ hardState, entries: [] })}; ${start}${describeEntries(entries)}`;
}

export function describeSnapshot({ index, term, configuration, removed, lock }: CoreSnapshot): string {
  const out = removed.length === 0 ? "" : ` removed=${removed.map(nameOf).join(",")}`;
  return `at ${index}/${term} ${describeConfiguration(configuration)} tenures=${lock.length}${out}`;
}

export function describeChange(change: MemberChange): string {
  return change.kind === "addLearner" ? `add ${change.member.name}` : `${change.kind} ${nameOf(change.id)}`;
}

/** Without those of messages: where each went is the network's to tell. */
export function describePersist({ hardState, truncateAfter, entries }: Append): string {
  const parts: string[] = [];
  if (hardState !== undefined) {
    const { term, votedFor, largestPromiseMs } = hardState;
    parts.push(`term=${term} vote=${nameOf(votedFor)} promised=${ms(largestPromiseMs)}`);
  }
  if (truncateAfter !== undefined) parts.push(`cut after ${truncateAfter}`);
  if (entries.length > 0) parts.push(describeEntries(entries));
  return parts.join("; ");
}

export function isNothing({ persist, snapshot, send, apply, events }: Effects): boolean {
  return persist === null && snapshot === null && send.length === 0 && apply.length === 0 && events.length === 0;
}

export function describeEvent(event: CoreEvent): string {
  switch (event.kind) {
    case "roleChanged":
      return `role ${event.role} in term ${event.term}`;
    case "leaderChanged":
      return `leader ${nameOf(event.leader)} in term ${event.term}`;
    case "electionEnded":
      return `election ${event.outcome} in term ${event.term}`;
    case "waiting":
      return `waiting ${ms(event.waitMs)} ms in term ${event.term}`;
    case "holding":
      return `holding since claim ${event.tenure.claim} with token ${event.tenure.token}`;
    case "renewed":
      return "renewed";
    case "lapsed":
      return `lapsed claim ${event.claim}`;
    case "released":
      return `released claim ${event.claim}`;
    case "tenureCommitted":
      return `tenure of ${event.tenure.holder.name} with token ${event.tenure.token}`;
    case "transferStarted":
      return `transfer to ${event.target.name} ${event.certified ? "with" : "without"} certificate`;
    case "transferFailed":
      return `transfer failed in term ${event.term}`;
    case "configurationChanged":
      return `configuration ${describeConfiguration(event.configuration)}`;
    case "configurationCommitted":
      return `committed configuration ${describeConfiguration(event.configuration)}`;
    case "removed":
      return "removed";
    case "snapshotTaken":
      return `snapshot at ${event.index} from ${event.from}`;
    default:
      return unreachable(event);
  }
}
