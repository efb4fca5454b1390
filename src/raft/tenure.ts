/**
 * The leader's lock: claiming, holding, lapsing, releasing, handing over (DESIGN, L6 to L8).
 *
 * Invariant: the lock is held only between the commit of a claim and the first moment at which its lease was seen to
 * have run out, and never again in a term in which it was revoked.
 *
 * Deliberately absent: draining. How long the application may finish its work is the node's policy; this is what
 * happens once it has stopped.
 */
import { assert } from "../base/assert.ts";
import { holderMs, type LogIndex, logIndex, type Member, monotonicMs, type Now, type Term } from "../base/types.ts";
import type { Entry } from "./entry.ts";
import { leaseEnd, leaseRuns, quorumDeadline } from "./leadership.ts";
import type { Outbox } from "./outbox.ts";
import { appendOwn, openRound, sendAppend, trackedMembers } from "./replication.ts";
import { becomeFollower, type CoreState, type Leadership, type Progress } from "./state.ts";

/**
 * Called first in every step: what has run out by now is over for good, before any ack can renew it: the lease of a
 * claim (L6), the leadership without a majority (L8), a transfer that has failed (L7 (6): a new term, never the old
 * one).
 */
export function expire(state: CoreState, now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership === null) return;
  const { tenancy, transfer } = leadership;
  const { claim, held } = tenancy;
  // A claim that went out with the noop has no lease yet: it waits for the first acknowledgements, or for L8.
  const hasBegun = held || leaseEnd(state) !== null;
  if (claim !== null && hasBegun && !leaseRuns(state, now)) {
    tenancy.lapse();
    if (held) out.event({ kind: "lapsed", claim, term: state.term });
  }
  const quorumEnd = quorumDeadline(state);
  if (quorumEnd !== null && now.holderMs >= quorumEnd) return becomeFollower(state, state.term, null, now, out);
  if (transfer === null || now.monotonicMs < transfer.deadline) return;
  if (transfer.target.id !== state.self.id) out.event({ kind: "transferFailed", term: state.term });
  becomeFollower(state, state.term, null, now, out);
}

/** L6: all four conditions, each looked at again. */
export function claimIfAllowed(state: CoreState, now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership === null || state.commitIndex < leadership.noop || !leaseRuns(state, now)) return;
  if (appendClaim(state, leadership, now, out)) openRound(state, leadership, now, out);
}

/**
 * A leader by certificate whose wait is over claims in one append with its noop, instead of after the noop's commit:
 * the claim stands behind the noop and is of the same term, so it is committed with it or later, and no sooner does it
 * count. Saves two syncs and a round trip of a handover (docs/adr/0010-the-claim-goes-with-the-noop.md).
 */
export function claimByCertificate(state: CoreState, certificate: Term | null, now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership !== null && certificate !== null) appendClaim(state, leadership, now, out);
}

/** False where there is no claim to be made; else the caller opens the round that carries it. */
function appendClaim(state: CoreState, { tenancy, waitUntil }: Leadership, now: Now, out: Outbox): boolean {
  if (!state.eligible || tenancy.revoked || tenancy.claim !== null || now.monotonicMs < waitUntil) return false;
  const index = logIndex(state.log.lastIndex + 1);
  appendOwn(state, { kind: "claim", index, term: state.term, holder: state.self }, out);
  tenancy.appended(index);
  return true;
}

/** What a commit means to the leader itself; followers are told at once, so that they can name the holder. */
export function committedAsLeader(state: CoreState, committed: readonly Entry[], now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership === null) return;
  for (const entry of committed) {
    if (entry.kind === "claim") holdIfStillRuns(state, leadership, entry.index, now, out);
  }
  if (committed.some((entry) => entry.kind === "config")) bidFarewell(state, leadership, now, out);
  if (leadership.tenancy.revoked) return;
  if (committed.some((entry) => entry.kind === "claim")) openRound(state, leadership, now, out);
}

/** Whoever is in no configuration any more hears of the commit once, so that it knows; then it is forgotten. */
function bidFarewell(state: CoreState, leadership: Leadership, now: Now, out: Outbox): void {
  const gone = [...leadership.progress.values()].filter(({ member }) => !state.isMember(member.id));
  for (const progress of gone) {
    sendAppend(state, leadership, progress, now, out);
    leadership.progress.delete(progress.member.id);
  }
  leadership.lease.keepOnly(state.log.members.map((member) => member.id));
}

function holdIfStillRuns(state: CoreState, leadership: Leadership, claim: LogIndex, now: Now, out: Outbox): void {
  if (leadership.tenancy.claim !== claim) return;
  // A second look at the lease: the commit may have taken longer than it (etcd#11756).
  if (!leaseRuns(state, now) || !state.eligible) return leadership.tenancy.lapse();
  leadership.tenancy.committed(claim);
  const tenure = state.lock.latest;
  assert(tenure?.claim === claim, "the newest claim is the one just committed");
  out.event({ kind: "holding", tenure });
}

/**
 * L7: revoke, and let the target campaign at once. Nothing has to be durable for that: a leader that crashes now is
 * never leader of this term again. The successor writes the release down (see releaseOfCertificate), so that a handover
 * waits for two syncs less.
 *
 * @param stopped the application has stopped. Otherwise the tenure counts as over only once every deadline that it was
 * given has passed, also those of a configuration before this one.
 */
export function resign(state: CoreState, to: string | null, stopped: boolean, now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership === null || leadership.tenancy.revoked) return;
  const { claim, held } = leadership.tenancy;
  leadership.tenancy.revoke();
  if (claim !== null && held) out.event({ kind: "released", claim, term: state.term });
  const isOver = stopped || !leadership.tenancy.everHeld || leadership.lease.allEndsPassed(now.holderMs);
  const target = transferTarget(state, to, now);
  if (target !== null) return startTransfer(state, leadership, target, isOver, now, out);
  // Nobody to hand over to: commit the release if that is possible, then a new term decides.
  if (claim !== null && isOver) appendRelease(state, claim, out);
  openRound(state, leadership, now, out);
  const deadline = monotonicMs(now.monotonicMs + state.timing.heartbeatIntervalMs);
  leadership.transfer = { target: state.self, deadline };
}

/**
 * The claim that the certificate's leader gave up, if it is in this log and not yet released: a new leader that was
 * elected by a certificate appends its release after its noop.
 */
export function releaseOfCertificate(state: CoreState, certificate: Term | null, out: Outbox): void {
  if (certificate === null) return;
  const last = state.log.lastOf("claim", "release");
  if (last?.kind === "claim" && last.term === certificate) appendRelease(state, last.index, out);
  if (last !== null) return;
  const { latest } = state.lock;
  if (latest?.term === certificate && !latest.released) appendRelease(state, latest.claim, out);
}

function appendRelease(state: CoreState, claim: LogIndex, out: Outbox): void {
  const index = logIndex(state.log.lastIndex + 1);
  appendOwn(state, { kind: "release", index, term: state.term, claim }, out);
}

function startTransfer(
  state: CoreState,
  leadership: Leadership,
  target: Member,
  isOver: boolean,
  now: Now,
  out: Outbox,
): void {
  const deadline = monotonicMs(now.monotonicMs + 2 * state.timing.heartbeatIntervalMs);
  leadership.transfer = { target, deadline };
  // What the target lacks goes before the order to campaign (dissertation, 3.10).
  const behind = (leadership.progress.get(target.id)?.match ?? 0) < state.log.lastIndex;
  if (behind) openRound(state, leadership, now, out);
  // L7 (1): its own tenure is over. L7 (3): only a leader whose own wait is over knows that all older leases are.
  const certified = isOver && now.monotonicMs >= leadership.waitUntil;
  out.event({ kind: "transferStarted", target, certified, term: state.term });
  out.send(target, { kind: "timeoutNow", term: state.term, certificate: certified ? state.term : null });
}

/**
 * The voter to hand over to: the one named, or the best of those heard within U: whole log first (dissertation,
 * 3.10), then highest priority. Null if there is none.
 */
export function transferTarget(state: CoreState, to: string | null, now: Now): Member | null {
  const { leadership } = state;
  if (leadership === null) return null;
  const heardSince = now.monotonicMs - state.patienceMs;
  const able = trackedMembers(state, leadership).filter(
    ({ member, heardAt, eligible }) =>
      state.isVoter(member.id) &&
      eligible &&
      heardAt !== null &&
      heardAt >= heardSince &&
      (to === null || member.name === to),
  );
  const whole = (progress: Progress): number => (hasAll(state, progress) ? 1 : 0);
  return able.toSorted((a, b) => whole(b) - whole(a) || byFitness(a, b))[0]?.member ?? null;
}

function hasAll(state: CoreState, progress: Progress | undefined): boolean {
  return progress?.match === state.log.lastIndex;
}

function byFitness(a: Progress, b: Progress): number {
  return b.priority - a.priority || b.match - a.match || (a.member.id < b.member.id ? -1 : 1);
}

/**
 * Called last in every step, whatever the input was: what time has made due is done by the first step after it, because
 * a timer may come later.
 */
export function doWhatIsDue(state: CoreState, now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership === null || leadership.transfer !== null) return;
  leadership.lease.forgetBefore(holderMs(now.holderMs - state.timing.leaseDurationMs));
  claimIfAllowed(state, now, out);
  if (now.monotonicMs >= leadership.nextRoundAt) openRound(state, leadership, now, out);
  // A leader that may not claim makes room for one that may, once that one has all it needs to win.
  if (state.eligible || leadership.tenancy.held) return;
  const target = transferTarget(state, null, now);
  if (target !== null && hasAll(state, leadership.progress.get(target.id))) resign(state, null, false, now, out);
}
