/**
 * The core's state as others may see it, made anew at each call.
 *
 * Invariant: `held` is computed from the clock of this very call; whoever keeps a view keeps a stale one.
 *
 * Deliberately absent: draining and eligibility towards the application; the node adds them.
 */
import {
  type HolderMs,
  type LogIndex,
  type Member,
  type MemberId,
  type MonotonicMs,
  type Now,
  type Term,
} from "../base/types.ts";
import type { Tenure } from "../lease/register.ts";
import type { Role } from "./effect.ts";
import type { Configuration } from "./entry.ts";
import { heldClaim, leaseEnd, leaseRuns } from "./leadership.ts";
import type { CoreState } from "./state.ts";

export interface PeerView {
  readonly member: Member;
  readonly matchIndex: LogIndex;
  readonly heardAt: MonotonicMs | null;
  readonly eligible: boolean;
  readonly leaving: boolean;
}

/** What the lock looks like from this node, cheap enough for every poll. */
export interface LockView {
  readonly role: Role;
  readonly term: Term;
  readonly leader: MemberId | null;
  /**
   * The tenure under which this node holds the lock now, the end of its lease, and the latest end that anybody can have
   * been told, which is later where a change of members has moved the end back; null if it does not hold.
   */
  readonly held: { readonly tenure: Tenure; readonly end: HolderMs; readonly furthestEnd: HolderMs } | null;
  /** The tenure that is current as far as this node can know now: its own, or what its leader said within U. */
  readonly current: Tenure | null;
  /** Until when the leader's word for `current` is fresh; null where `current` is its own, or none. */
  readonly currentUntil: MonotonicMs | null;
  /** A majority has acknowledged a round lately, so that a leader's lease runs. */
  readonly leaseRuns: boolean;
  /** This leader has given up the lock for the rest of its term. */
  readonly revoked: boolean;
  /** When this node last heard a leader, or was elected; null when neither since the start. */
  readonly leaderSeenAt: MonotonicMs | null;
  /** D of the leader last heard, in ms. */
  readonly leaderLeaseMs: number;
}

export interface CoreView extends LockView {
  readonly eligible: boolean;
  readonly commitIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly configuration: Configuration;
  /** What a leader knows of the others; empty elsewhere. */
  readonly peers: readonly PeerView[];
  /** Newest first. */
  readonly history: readonly Tenure[];
}

export function lockViewOf(state: CoreState, now: Now): LockView {
  const held = heldNow(state, now);
  const named = held === null ? namedByLeader(state, now) : null;
  return {
    role: state.role,
    term: state.term,
    leader: state.leader,
    held,
    current: held?.tenure ?? named,
    currentUntil: named === null ? null : (state.leaderHolding?.until ?? null),
    leaseRuns: leaseRuns(state, now),
    revoked: state.leadership?.tenancy.revoked ?? false,
    leaderSeenAt: state.leadership?.electedAt.monotonicMs ?? state.lastAppendAt,
    leaderLeaseMs: state.leaderLeaseMs,
  };
}

export function viewOf(state: CoreState, now: Now): CoreView {
  const progress = state.leadership === null ? [] : [...state.leadership.progress.values()];
  return {
    ...lockViewOf(state, now),
    eligible: state.eligible,
    commitIndex: state.commitIndex,
    lastIndex: state.log.lastIndex,
    configuration: state.log.configuration,
    peers: progress.map(({ member, match, heardAt, eligible, leaving }) => {
      return { member, matchIndex: match, heardAt, eligible, leaving };
    }),
    history: state.lock.state,
  };
}

function heldNow(state: CoreState, now: Now): LockView["held"] {
  const claim = heldClaim(state, now);
  if (claim === null) return null;
  const end = leaseEnd(state);
  const tenure = state.lock.latest;
  if (end === null || tenure?.claim !== claim) return null;
  return { tenure, end, furthestEnd: state.leadership?.lease.furthestEnd ?? end };
}

/** Never a holder of yesterday: a follower names one only while its leader's word is fresh (contrib#690). */
function namedByLeader(state: CoreState, now: Now): Tenure | null {
  const { leaderHolding, lock } = state;
  if (leaderHolding === null || now.monotonicMs >= leaderHolding.until) return null;
  return lock.latest?.claim === leaderHolding.claim && !lock.latest.released ? lock.latest : null;
}
