/**
 * Questions about a leader's lease, answered from the state and the given instant, never from a stored answer.
 *
 * Invariant: `holdsLock` compares the lease's end with the clock each time it is asked (sofa-jraft#34); the majority
 * is that of the latest appended configuration.
 *
 * Deliberately absent: anything that changes the state.
 */
import { type HolderMs, holderMs, type LogIndex, type Now } from "../base/types.ts";
import type { CoreState } from "./state.ts";

/** L1: s* + U on the holder clock; null while no majority has acknowledged a round, or while not leader. */
export function leaseEnd(state: CoreState): HolderMs | null {
  return state.leadership?.lease.end(state.voterIds) ?? null;
}

export function leaseRuns(state: CoreState, now: Now): boolean {
  const end = leaseEnd(state);
  return end !== null && now.holderMs < end;
}

/** L6: the claim under which this node holds the lock at `now`, or null. */
export function heldClaim(state: CoreState, now: Now): LogIndex | null {
  const tenancy = state.leadership?.tenancy;
  if (tenancy === undefined || !tenancy.held || !leaseRuns(state, now)) return null;
  return tenancy.claim;
}

/** L8: the instant at which a leader without majority acks stops; null while not leader. */
export function quorumDeadline(state: CoreState): HolderMs | null {
  if (state.leadership === null) return null;
  const start = state.leadership.lease.start(state.voterIds) ?? state.leadership.electedAt.holderMs;
  return holderMs(start + state.timing.leaseDurationMs);
}
