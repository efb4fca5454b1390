/**
 * Replication: rounds and the appends that they consist of.
 *
 * Invariant: the instant of a round is noted, and the own promise made, before anything of it is sent (DESIGN, L1 and
 * L3). An append sent between rounds carries the last round's number, whose instant is older, so it is safe.
 *
 * Deliberately absent: pipelining. Entries are few and small; what is not acknowledged goes out again with each round.
 */
import { assert } from "../base/assert.ts";
import { MAX_APPEND_CHARACTERS, MAX_APPEND_ENTRIES } from "../base/limits.ts";
import { logIndex, monotonicMs, type Now } from "../base/types.ts";
import type { Entry } from "./entry.ts";
import { heldClaim } from "./leadership.ts";
import type { Outbox } from "./outbox.ts";
import { sendSnapshot } from "./snapshot.ts";
import type { CoreState, Leadership, Progress } from "./state.ts";

/** Appends an entry of the leader's own; the caller opens the round that carries it. */
export function appendOwn(state: CoreState, entry: Entry, out: Outbox): void {
  state.log.append(entry);
  out.appended(entry);
}

/** L1, L3: notes the instant, makes the own promise, then sends to every other member. */
export function openRound(state: CoreState, leadership: Leadership, now: Now, out: Outbox): void {
  const { timing } = state;
  leadership.lease.openRound(now.holderMs);
  state.makePromise(now, timing.leaseDurationMs, state.term, out);
  leadership.nextRoundAt = monotonicMs(now.monotonicMs + timing.heartbeatIntervalMs);
  for (const progress of trackedMembers(state, leadership)) sendAppend(state, leadership, progress, now, out);
}

/** The other members of the latest configuration, with what is known of each. */
export function trackedMembers(state: CoreState, leadership: Leadership): readonly Progress[] {
  const members = state.log.members.filter((member) => member.id !== state.self.id);
  return members.map((member) => {
    const known = leadership.progress.get(member.id);
    if (known !== undefined) return known;
    const fresh: Progress = {
      member,
      match: logIndex(0),
      next: logIndex(Math.max(leadership.noop, state.log.baseIndex + 1)),
      sent: logIndex(0),
      heardAt: null,
      eligible: true,
      priority: 0,
      leaving: false,
    };
    leadership.progress.set(member.id, fresh);
    return fresh;
  });
}

export function sendAppend(state: CoreState, leadership: Leadership, progress: Progress, now: Now, out: Outbox): void {
  const prevIndex = logIndex(progress.next - 1);
  if (prevIndex < state.log.baseIndex) return sendSnapshot(state, leadership, progress, now, out);
  const prevTerm = state.log.termAt(prevIndex);
  assert(prevTerm !== null, "a follower is sent what the log still has");
  const entries = state.log.slice(progress.next, MAX_APPEND_ENTRIES, MAX_APPEND_CHARACTERS);
  progress.sent = logIndex(prevIndex + entries.length);
  out.send(progress.member, {
    kind: "appendRequest",
    term: state.term,
    round: leadership.lease.lastRound,
    prevIndex,
    prevTerm,
    entries,
    commitIndex: state.commitIndex,
    leaseDurationMs: state.timing.leaseDurationMs,
    holding: heldClaim(state, now),
  });
}
