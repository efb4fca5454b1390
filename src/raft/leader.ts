/**
 * The leader: what it makes of its election, of replies and of its own disk.
 *
 * Invariant: the leader never overwrites or deletes its own entries (Raft paper, figure 3); it counts itself only for
 * what is durable; only an entry of its own term is committed by counting (5.4.2, figure 8).
 *
 * Deliberately absent: the lock; see tenure.ts.
 */
import { assert } from "../base/assert.ts";
import { type LogIndex, logIndex, type Member, type MonotonicMs, type Now, type Term } from "../base/types.ts";
import { HolderLease } from "../lease/holder-lease.ts";
import { newestOfMajority } from "../lease/majority.ts";
import { Tenancy } from "../lease/tenancy.ts";
import { usableLeaseMs } from "../lease/timing.ts";
import { commitTo } from "./commit.ts";
import { leaseEnd } from "./leadership.ts";
import type { AppendReply } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { appendOwn, openRound, sendAppend } from "./replication.ts";
import { becomeFollower, type CoreState, type Leadership } from "./state.ts";
import { claimByCertificate, committedAsLeader, releaseOfCertificate } from "./tenure.ts";

/**
 * @param waitUntil when the promises of the granting quorum are over (DESIGN, L5)
 * @param certificate of the transfer that led here (L7), or null
 */
export function becomeLeader(
  state: CoreState,
  waitUntil: MonotonicMs,
  certificate: Term | null,
  now: Now,
  out: Outbox,
): void {
  assert(state.role === "candidate", "leaders come from candidates");
  assert(state.votedFor === state.self.id, "a leader voted for itself");
  const { timing, self, log } = state;
  state.leadership = {
    electedAt: now,
    waitUntil,
    noop: logIndex(log.lastIndex + 1),
    // What was in the log before the election was persisted before any message of it.
    persisted: log.lastIndex,
    progress: new Map(),
    lease: new HolderLease(self.id, usableLeaseMs(timing.leaseDurationMs, timing.clockDrift)),
    tenancy: new Tenancy(),
    nextRoundAt: now.monotonicMs,
    transfer: null,
  };
  state.campaign = null;
  state.attempts = 0;
  state.lastAppendAt = null;
  state.leaderLeaseMs = timing.leaseDurationMs;
  state.setRole("leader", out);
  state.setLeader(self.id, out);
  const waitMs = Math.max(0, waitUntil - now.monotonicMs);
  if (waitMs > 0) out.event({ kind: "waiting", term: state.term, waitMs });
  appendOwn(state, { kind: "noop", index: state.leadership.noop, term: state.term }, out);
  releaseOfCertificate(state, certificate, out);
  claimByCertificate(state, certificate, now, out);
  openRound(state, state.leadership, now, out);
}

export function onAppendReply(state: CoreState, from: Member, reply: AppendReply, now: Now, out: Outbox): void {
  if (reply.term > state.term) return becomeFollower(state, reply.term, null, now, out);
  const { leadership } = state;
  if (leadership === null || reply.term < state.term) return;
  const progress = leadership.progress.get(from.id);
  if (progress === undefined) return;
  progress.heardAt = now.monotonicMs;
  progress.eligible = reply.eligible;
  progress.priority = reply.priority;
  progress.leaving = reply.leaving;
  if (!reply.accepted) {
    // A reply that was overtaken must not undo what is known to match.
    const before = progress.next;
    const hint = Math.min(reply.matchIndex, before - 1);
    progress.next = logIndex(Math.max(progress.match, hint) + 1);
    // The same append again at once would get the same refusal; the next round is soon enough.
    if (progress.next < before) sendAppend(state, leadership, progress, now, out);
    return;
  }
  renewLease(state, leadership, from, reply.round, out);
  if (reply.matchIndex > progress.match) {
    assert(reply.matchIndex <= state.log.lastIndex, "nobody has more of this term than its leader");
    progress.match = reply.matchIndex;
    progress.next = logIndex(reply.matchIndex + 1);
  }
  advanceCommit(state, leadership, now, out);
  const behind = progress.match < state.log.lastIndex && progress.match >= progress.sent;
  if (behind && state.leadership !== null) sendAppend(state, leadership, progress, now, out);
}

function renewLease(state: CoreState, leadership: Leadership, from: Member, round: number, out: Outbox): void {
  const before = leaseEnd(state);
  leadership.lease.acknowledge(from.id, round);
  const after = leaseEnd(state);
  if (after !== before) out.event({ kind: "renewed" });
}

/** The node reports that its disk has caught up. */
export function onPersisted(state: CoreState, index: LogIndex, entryTerm: Term, now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership === null || entryTerm !== state.term || index <= leadership.persisted) return;
  assert(index <= state.log.lastIndex, "only entries of the log are persisted");
  leadership.persisted = index;
  advanceCommit(state, leadership, now, out);
}

/** Raft paper, 5.3 and 5.4.2: a majority has it, and it is of the current term. */
function advanceCommit(state: CoreState, leadership: Leadership, now: Now, out: Outbox): void {
  const match = state.voters.map((voter) =>
    voter.id === state.self.id ? leadership.persisted : (leadership.progress.get(voter.id)?.match ?? logIndex(0)),
  );
  const candidate = newestOfMajority(match);
  if (candidate === null || candidate <= state.commitIndex) return;
  if (state.log.termAt(candidate) !== state.term) return;
  const committed = commitTo(state, candidate, out);
  committedAsLeader(state, committed, now, out);
}
