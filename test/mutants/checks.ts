/**
 * For each check of the simulation a mutant of which it alone tells: `npm run mutants -- --checks` hunts each with all
 * other checks switched off, because a broken promise often breaks another one first.
 *
 * Invariant: every check has a mutant, by its type.
 *
 * Deliberately absent: what else kills the mutant; see `npm run mutants`.
 */
import type { Rule } from "../simulation/violation.ts";

export const KILLED_BY: Readonly<Record<Rule, string>> = {
  exclusion: "voters report no promise",
  linearizable: "voters report no promise",
  token: "the token base is left out",
  answer: "an answer is cached",
  deadline: "only a timer finds that the lease is over",
  backing: "an ack counts for the newest round",
  minority: "any one ack renews the lease",
  quorum: "a leader without a majority stays",
  promise: "a restart forgets its promise",
  wait: "a claim does not wait",
  certificate: "a certificate inside the wait",
  lapse: "a lapse is not for good",
  revocation: "a claim after a revocation",
  tenure: "a tenure is noted under the term before",
  transfer: "a transfer flag sticks",
  TimeoutNow: "a TimeoutNow of any term is obeyed",
  announcement: "the leader's word is of yesterday",
  eligibility: "an ineligible node begins to hold",
  calmness: "a PreVote is granted beside a live leader",
  "one leader per term": "two votes in a term, unasserted",
  "one vote per term": "two votes in a term, unasserted",
  "log matching": "an append is accepted without a match",
  "leader completeness": "the disk is not waited for",
  "committed prefix": "the disk is not waited for",
  "figure 8": "an entry of an earlier term is committed by counting",
  durability: "the largest D is not saved",
  snapshot: "a snapshot forgets the lock",
  change: "two changes in flight",
  removal: "a silent voter is removed",
  rescue: "a rescue counts the silent as gone",
  "one group": "any one acceptance makes a group",
  form: "a Form is not saved",
  amnesiac: "an unreadable disk is taken for an empty one",
  "stopped disk": "a failed write does not end the node",
  storage: "two runs of the loop",
  bounds: "a log is never compacted",
  liveness: "a refused append is never backed up",
  quiet: "there are no heartbeats",
  joins: "a joiner is never taken in",
  connections: "a node is a peer of itself",
  refusal: "a refusal for another reason",
  assertion: "two votes in a term",
};
