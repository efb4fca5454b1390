/**
 * The answer of `/leader`, made from the core's view and what the node adds to it.
 *
 * Invariant: a pure function of its arguments; `isLeader` only if the lock is held at the very instant of `now` and the
 * application has not been told to stop.
 *
 * Deliberately absent: memory. The change counter lives in the node.
 */
import { TenureError } from "../base/errors.ts";
import { type FencingToken, type MonotonicMs, monotonicMs, type Now, type Term } from "../base/types.ts";
import type { Reason } from "../ports/application.ts";
import type { LockView } from "../raft/view.ts";

/** Everything but the counter. */
export interface Standing {
  readonly isLeader: boolean;
  readonly name: string | null;
  readonly token: FencingToken | null;
  readonly term: Term;
  readonly remainingMs: number;
  /** The end of the lease on CLOCK_MONOTONIC; null unless leader. */
  readonly deadline: MonotonicMs | null;
  readonly reason: Reason;
}

export interface Circumstances {
  readonly draining: boolean;
  readonly eligible: boolean;
  readonly member: boolean;
  readonly bootedAt: MonotonicMs;
}

export function standingOf(view: LockView, around: Circumstances, now: Now): Standing {
  const { held, term } = view;
  const name = view.current?.holder.name ?? null;
  if (held === null || around.draining) {
    const reason = reasonOf(view, around, now);
    return { isLeader: false, name, token: null, term, remainingMs: 0, deadline: null, reason };
  }
  const leftMs = held.end - now.holderMs;
  return {
    isLeader: true,
    name,
    token: held.tenure.token,
    term,
    remainingMs: Math.floor(leftMs),
    deadline: monotonicMs(now.monotonicMs + leftMs),
    reason: "holder",
  };
}

/**
 * The next instant at which time alone changes the answer; null: none. The core wakes at the end of its own lease, too,
 * but whatever it then does waits for a disk that hangs.
 */
export function agesAt(view: LockView, { bootedAt }: Circumstances, now: Now): MonotonicMs | null {
  const held = view.held === null ? null : monotonicMs(now.monotonicMs + (view.held.end - now.holderMs));
  const ends = [held, view.currentUntil, recentUntil(view, bootedAt)];
  const ahead = ends.filter((end) => end !== null).filter((end) => end > now.monotonicMs);
  return ahead.length === 0 ? null : monotonicMs(Math.min(...ahead));
}

/** Up to then a leader may be about to speak. */
export function recentUntil(view: LockView, bootedAt: MonotonicMs): MonotonicMs {
  return monotonicMs((view.leaderSeenAt ?? bootedAt) + view.leaderLeaseMs);
}

/** The refusal of an order that only the holder can carry out; `holder` is the one that is known instead. */
export function notHolder(holder: string | null): TenureError {
  const instead = holder === null ? "and knows no holder" : `${holder} does: ask the sidecar of ${holder}`;
  return new TenureError("not_holder", `this pod does not hold the lock${holder === null ? " " : "; "}${instead}`);
}

function reasonOf(view: LockView, around: Circumstances, now: Now): Reason {
  if (around.draining) return "draining";
  if (!around.member) return "joining";
  if (!around.eligible) return "ineligible";
  const recently = now.monotonicMs < recentUntil(view, around.bootedAt);
  if (view.role === "leader") {
    if (view.revoked) return "follower";
    return view.leaseRuns || recently ? "waiting" : "no-quorum";
  }
  if (!recently) return "no-quorum";
  return view.leaderSeenAt === null ? "starting" : "follower";
}
