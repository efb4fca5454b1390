/**
 * Campaigns: PreVote, then the vote, then the wait that the voters' promises ask for.
 *
 * Invariant: a term is spent only after a majority said it would vote, or on a TimeoutNow of the receiver's own term.
 * Ballots count once per voter of the latest configuration, and only in the campaign they answer.
 *
 * Deliberately absent: backing off from a lease. A candidate may win at any time; it may not *claim* before its wait
 * is over.
 */
import { assert } from "../base/assert.ts";
import { type Member, type MemberId, type MonotonicMs, monotonicMs, type Now, type Term, term } from "../base/types.ts";
import { majoritySize } from "../lease/majority.ts";
import { countedRemainingMs } from "../lease/promise.ts";
import { becomeLeader } from "./leader.ts";
import type { PreVoteReply, TimeoutNow, VoteReply } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { becomeFollower, type Campaign, type CoreState, endUnwonCampaign } from "./state.ts";

/** Tries of an election that an ineligible node leaves to the others: about two lease durations. */
const TRIES_LEFT_TO_OTHERS = 5;

/** Tries after a lost leader that may follow each other closely. */
const QUICK_TRIES = 3;

/** The election timer ran out: ask first (dissertation, 9.6). Keeps term and vote as they are. */
export function startPreVote(state: CoreState, now: Now, out: Outbox): void {
  assert(state.leadership === null, "a leader does not campaign");
  state.attempts += 1;
  state.electionDeadline = state.drawNextTry(now.monotonicMs, state.timing.heartbeatIntervalMs);
  state.leaderHolding = null;
  if (!mayCampaign(state)) return becomeFollower(state, state.term, null, now, out);
  endUnwonCampaign(state, out);
  state.setRole("preCandidate", out);
  state.setLeader(null, out);
  state.campaign = newCampaign(null);
  state.campaign.granted.set(state.self.id, now.monotonicMs);
  if (wonBy(state, state.campaign)) return startCampaign(state, null, now, out);
  const { lastIndex, lastTerm } = state.log;
  const asked = term(state.term + 1);
  for (const voter of others(state)) {
    out.send(voter, { kind: "preVoteRequest", term: asked, lastIndex, lastTerm, priority: state.priority });
  }
}

/**
 * An ineligible voter stays back for its first tries. Then it runs, because it may be the only one with all committed
 * entries; as leader it does not claim, brings another one up to date and hands over.
 */
function mayCampaign(state: CoreState): boolean {
  return state.isVoter(state.self.id) && (state.eligible || state.attempts > TRIES_LEFT_TO_OTHERS);
}

/** Raft paper, 5.2: a new term, a vote for oneself, a request to everyone. */
export function startCampaign(state: CoreState, certificate: Term | null, now: Now, out: Outbox): void {
  state.term = term(state.term + 1);
  state.votedFor = state.self.id;
  out.hardStateChanged();
  state.setRole("candidate", out);
  state.setLeader(null, out);
  state.leaderHolding = null;
  // Two syncs and a round trip: on a slow disk far more than H, and a new term too early would starve all.
  state.electionDeadline = state.drawNextTry(now.monotonicMs, state.leaderLeaseMs / 2);
  state.campaign = newCampaign(certificate);
  // L5: the candidate counts its own promise like everyone's (braft#463).
  const ownMs = state.promise.remainingMs(now.monotonicMs);
  state.campaign.granted.set(state.self.id, waitUntil(now, ownMs, state.promise.term, certificate));
  if (wonBy(state, state.campaign)) return win(state, state.campaign, now, out);
  const { lastIndex, lastTerm } = state.log;
  for (const voter of others(state)) out.send(voter, { kind: "voteRequest", term: state.term, lastIndex, lastTerm });
}

export function onPreVoteReply(state: CoreState, from: Member, reply: PreVoteReply, now: Now, out: Outbox): void {
  if (!reply.granted && reply.term > state.term) return becomeFollower(state, reply.term, null, now, out);
  if (state.role !== "preCandidate" || state.campaign === null) return;
  if (reply.granted && reply.term !== state.term + 1) return;
  if (!count(state, state.campaign, from, reply.granted, now.monotonicMs)) return;
  if (wonBy(state, state.campaign)) startCampaign(state, null, now, out);
  else if (lostBy(state, state.campaign)) giveUp(state, now, out);
}

export function onVoteReply(state: CoreState, from: Member, reply: VoteReply, now: Now, out: Outbox): void {
  if (reply.term > state.term) return becomeFollower(state, reply.term, null, now, out);
  if (reply.term < state.term || state.role !== "candidate" || state.campaign === null) return;
  const until = waitUntil(now, reply.remainingMs, reply.promiseTerm, state.campaign.certificate);
  if (!count(state, state.campaign, from, reply.granted, until)) return;
  if (wonBy(state, state.campaign)) win(state, state.campaign, now, out);
  else if (lostBy(state, state.campaign)) giveUp(state, now, out);
}

/** L7 (4) and (5): obeyed only in the receiver's own term; a late one of an older term is nothing (raft-rs#234). */
export function onTimeoutNow(state: CoreState, from: Member, message: TimeoutNow, now: Now, out: Outbox): void {
  if (message.term !== state.term || state.role !== "follower" || state.leader !== from.id) return;
  if (!state.eligible || !state.isVoter(state.self.id)) return;
  if (message.certificate !== null && message.certificate !== message.term) return;
  startCampaign(state, message.certificate, now, out);
}

function newCampaign(certificate: Term | null): Campaign {
  return { granted: new Map(), refused: new Set(), certificate };
}

function others(state: CoreState): readonly Member[] {
  return state.voters.filter((voter) => voter.id !== state.self.id);
}

/** L5: from the moment of receipt, which is later than the voter's reckoning and so on the safe side. */
function waitUntil(now: Now, remainingMs: number, promiseTerm: Term | null, certificate: Term | null): MonotonicMs {
  return monotonicMs(now.monotonicMs + countedRemainingMs(remainingMs, promiseTerm, certificate));
}

/** Counts a ballot once; false when it cannot matter. */
function count(state: CoreState, campaign: Campaign, from: Member, granted: boolean, until: MonotonicMs): boolean {
  if (!state.isVoter(from.id) || campaign.granted.has(from.id)) return false;
  if (granted) {
    campaign.granted.set(from.id, until);
    campaign.refused.delete(from.id);
  } else campaign.refused.add(from.id);
  return true;
}

function wonBy(state: CoreState, campaign: Campaign): boolean {
  return ballots(state, (id) => campaign.granted.has(id)) >= majoritySize(state.voters.length);
}

function lostBy(state: CoreState, campaign: Campaign): boolean {
  const stillOpen = ballots(state, (id) => !campaign.refused.has(id));
  return stillOpen < majoritySize(state.voters.length);
}

function ballots(state: CoreState, counts: (id: MemberId) => boolean): number {
  return state.voterIds.filter(counts).length;
}

function win(state: CoreState, campaign: Campaign, now: Now, out: Outbox): void {
  out.event({ kind: "electionEnded", outcome: "won", term: state.term });
  const until = Math.max(...campaign.granted.values());
  becomeLeader(state, monotonicMs(until), campaign.certificate, now, out);
}

/**
 * A majority refused: try again soon after the first tries, because a successor is wanted now; after those at leisure,
 * because a follower that is cut off from its leader alone is refused for as long as that lasts.
 */
function giveUp(state: CoreState, now: Now, out: Outbox): void {
  becomeFollower(state, state.term, null, now, out);
  const soon = state.attempts <= QUICK_TRIES;
  state.electionDeadline = soon
    ? state.drawSoon(now.monotonicMs)
    : state.drawNextTry(now.monotonicMs, state.timing.heartbeatIntervalMs);
}
