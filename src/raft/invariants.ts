/**
 * What must be true of a state, and of a state against the one before it. Checked after every step, in production too.
 *
 * Invariant: a failed check ends the process; the lease then lapses by itself.
 *
 * Deliberately absent: checks across members. The simulator sees all of them, a node does not.
 */
import { assert } from "../base/assert.ts";
import type { LogIndex, MemberId, MonotonicMs, Now, Term } from "../base/types.ts";
import type { Role } from "./effect.ts";
import type { CoreState, Leadership } from "./state.ts";

/** The part of a state that the next one is held against. */
export interface Before {
  readonly now: Now;
  readonly term: Term;
  readonly votedFor: MemberId | null;
  readonly role: Role;
  readonly commitIndex: LogIndex;
  readonly promiseDeadline: MonotonicMs;
  readonly largestPromiseMs: number;
  readonly revoked: boolean;
}

export function remember(state: CoreState, now: Now): Before {
  return {
    now,
    term: state.term,
    votedFor: state.votedFor,
    role: state.role,
    commitIndex: state.commitIndex,
    promiseDeadline: state.promise.deadline,
    largestPromiseMs: state.largestPromiseMs,
    revoked: state.leadership?.tenancy.revoked ?? false,
  };
}

export function checkState(state: CoreState): void {
  assert((state.role === "leader") === (state.leadership !== null), "a leadership belongs to the role of leader");
  assert(state.commitIndex >= state.log.baseIndex, "the snapshot is committed");
  assert(state.commitIndex <= state.log.lastIndex, "only entries of the log are committed");
  assert(state.log.lastTerm <= state.term, "no entry is newer than the current term");
  assert(state.role !== "leader" || state.votedFor === state.self.id, "a leader voted for itself");
  assert(state.role !== "leader" || state.leader === state.self.id, "a leader knows itself");
  assert(state.largestPromiseMs > 0 || state.promise.term === null, "a promise is covered by the largest one");
  if (state.leadership !== null) checkAcknowledged(state.self.id, state.leadership);
}

/** A leader that stays for a year sees many members come and go. */
function checkAcknowledged(self: MemberId, { lease, progress }: Leadership): void {
  const isTracked = lease.acknowledged.every((id) => id === self || progress.has(id));
  assert(isTracked, "acknowledgements are kept of those alone who are followed");
}

export function checkTransition(before: Before, state: CoreState, now: Now): void {
  assert(state.term >= before.term, "terms never fall (Raft paper, 5.1)");
  assert(state.commitIndex >= before.commitIndex, "the commit index never falls");
  assert(state.promise.deadline >= before.promiseDeadline, "a promise never shrinks (DESIGN, L2)");
  assert(state.largestPromiseMs >= before.largestPromiseMs, "the largest promise never shrinks");
  if (state.term === before.term) {
    assert(before.votedFor === null || state.votedFor === before.votedFor, "one vote per term (Raft paper, 5.2)");
    const revoked = state.leadership?.tenancy.revoked ?? true;
    assert(!before.revoked || revoked, "a revocation is final in its term (DESIGN, L7)");
  }
  assert(now.monotonicMs >= before.now.monotonicMs, "CLOCK_MONOTONIC never goes backwards");
  assert(now.holderMs >= before.now.holderMs, "the holder clock never goes backwards");
}
