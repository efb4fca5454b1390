/**
 * Answers to PreVote and vote requests.
 *
 * Invariant: at most one vote per term, durable before it is sent (Raft paper, 5.2 and figure 2). A vote is never
 * refused for the sake of a lease: the reply says what is left of the promise, and the winner waits (DESIGN, L5).
 *
 * Deliberately absent: lease safety by refusal. Refusing PreVotes serves stability alone.
 */
import { type Member, monotonicMs, type Now } from "../base/types.ts";
import type { PreVoteRequest, VoteRequest } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { becomeFollower, type CoreState } from "./state.ts";
import { startPreVote } from "./candidate.ts";
import { leaseEnd } from "./leadership.ts";

/** Dissertation, 9.6: grants if an election could succeed and no leader was heard within U. Changes no state. */
export function onPreVoteRequest(state: CoreState, from: Member, request: PreVoteRequest, now: Now, out: Outbox): void {
  const granted =
    request.term > state.term &&
    state.log.isCoveredBy(request.lastIndex, request.lastTerm) &&
    !hearsLeader(state, now) &&
    !goesFirst(state, from, request, now, out);
  if (granted && state.role === "preCandidate") {
    // Two that campaign at once would split the vote; whoever granted steps back for one try.
    becomeFollower(state, state.term, null, now, out);
    state.electionDeadline = state.drawNextTry(now.monotonicMs, state.timing.heartbeatIntervalMs);
  }
  const term = granted ? request.term : state.term;
  out.send(from, { kind: "preVoteReply", term, granted });
}

/** Within U of the last append, or leader with a lease that still runs: a campaign would only disturb (9.6, 4.2.3). */
function hearsLeader(state: CoreState, now: Now): boolean {
  if (state.leadership !== null) {
    const end = leaseEnd(state);
    return !state.leadership.tenancy.revoked && end !== null && now.holderMs < end;
  }
  const heardAt = state.leaderHeardAt;
  return heardAt !== null && now.monotonicMs < heardAt + state.patienceMs;
}

/**
 * Stability only: once per lost leader, a node that could win as well and stands before the asker in (priority, id)
 * goes first instead of granting. After its first try it grants like any other, so that it cannot block the group.
 */
function goesFirst(state: CoreState, from: Member, request: PreVoteRequest, now: Now, out: Outbox): boolean {
  if (!state.eligible || !state.isVoter(state.self.id) || state.leadership !== null) return false;
  const equal = request.lastIndex === state.log.lastIndex && request.lastTerm === state.log.lastTerm;
  if (!equal) return false;
  if (state.priority > request.priority && state.attempts === 0) {
    startPreVote(state, now, out);
    return true;
  }
  if (state.role !== "preCandidate" || state.attempts !== 1) return false;
  return state.priority === request.priority ? state.self.id > from.id : state.priority > request.priority;
}

/** Raft paper, 5.2 and 5.4.1. The same candidate asking again gets the same answer (nebula#2419). */
export function onVoteRequest(state: CoreState, from: Member, request: VoteRequest, now: Now, out: Outbox): void {
  if (request.term > state.term) becomeFollower(state, request.term, null, now, out);
  const granted =
    request.term === state.term &&
    (state.votedFor === null || state.votedFor === from.id) &&
    state.log.isCoveredBy(request.lastIndex, request.lastTerm);
  if (granted) {
    if (state.role === "preCandidate") becomeFollower(state, state.term, null, now, out);
    if (state.votedFor === null) {
      state.votedFor = from.id;
      out.hardStateChanged();
    }
    // Raft paper, 5.2: whoever grants a vote gives the winner time to show itself.
    const patient = state.drawNextTry(now.monotonicMs, state.timing.heartbeatIntervalMs);
    state.electionDeadline = monotonicMs(Math.max(state.electionDeadline, patient));
  }
  out.send(from, {
    kind: "voteReply",
    term: state.term,
    granted,
    remainingMs: state.promise.remainingMs(now.monotonicMs),
    promiseTerm: state.promise.term,
  });
}
