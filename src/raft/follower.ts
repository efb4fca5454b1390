/**
 * A follower's side of replication, and its promise.
 *
 * Invariant: nothing at or below the commit index is ever cut off; the commit index never passes the last entry that
 * was checked against this leader's log (Raft paper, figure 2, AppendEntries 5). A promise is made with every accepted
 * append and with no other.
 *
 * Deliberately absent: entries that are not the leader's; a follower never changes its log by itself.
 */
import { assert } from "../base/assert.ts";
import { type LogIndex, logIndex, type Member, monotonicMs, type Now } from "../base/types.ts";
import { usableLeaseMs } from "../lease/timing.ts";
import { commitTo } from "./commit.ts";
import type { Entry } from "./entry.ts";
import type { AppendReply, AppendRequest } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { becomeFollower, type CoreState } from "./state.ts";

/** What an append and a snapshot have in common. */
type FromLeader = Pick<AppendRequest, "term" | "round" | "leaseDurationMs" | "holding">;

export function onAppendRequest(state: CoreState, from: Member, request: AppendRequest, now: Now, out: Outbox): void {
  // An old leader learns the newer term from the reply; it gets no promise.
  if (request.term < state.term) return refuseAppend(state, from, request.round, out);
  hearAppend(state, from, request, now, out);

  const next = firstUnknown(state, request);
  if (next === null) return reply(state, from, request.round, false, backUp(state, request.prevIndex), out);

  store(state, next, out);
  const checked = logIndex(request.prevIndex + request.entries.length);
  const commitIndex = logIndex(Math.min(request.commitIndex, checked));
  if (commitIndex > state.commitIndex) commitTo(state, commitIndex, out);
  promiseAndReply(state, from, request, logIndex(Math.max(checked, state.log.baseIndex)), now, out);
}

export function refuseAppend(state: CoreState, from: Member, round: number, out: Outbox): void {
  reply(state, from, round, false, logIndex(0), out);
}

/**
 * An append or a snapshot of the current term's leader. Accepted or not, it is a sign of life (redpanda#30817).
 */
export function hearAppend(state: CoreState, from: Member, heard: FromLeader, now: Now, out: Outbox): void {
  assert(state.leadership === null || heard.term > state.term, "one leader per term (Raft paper, 5.2)");
  const stays = heard.term === state.term && state.role === "follower";
  if (stays) state.setLeader(from.id, out);
  else becomeFollower(state, heard.term, from.id, now, out);
  state.lastAppendAt = now.monotonicMs;
  state.leaderLeaseMs = heard.leaseDurationMs;
  state.attempts = 0;
  state.electionDeadline = state.drawFirstTry(now.monotonicMs, state.patienceMs);
}

/** L2: with every append or snapshot that is accepted, and with no other. */
export function promiseAndReply(
  state: CoreState,
  from: Member,
  accepted: FromLeader,
  matchIndex: LogIndex,
  now: Now,
  out: Outbox,
): void {
  const { leaseDurationMs, holding, round } = accepted;
  state.makePromise(now, leaseDurationMs, accepted.term, out);
  const until = monotonicMs(now.monotonicMs + usableLeaseMs(leaseDurationMs, state.timing.clockDrift));
  state.leaderHolding = holding === null ? null : { claim: holding, until };
  reply(state, from, round, true, matchIndex, out);
}

/** Tells the leader at once that this node is leaving; each later reply repeats it. Round 0 acknowledges nothing. */
export function tellLeaving(state: CoreState, out: Outbox): void {
  const leader = state.log.members.find((member) => member.id === state.leader);
  if (leader === undefined || leader.id === state.self.id) return;
  reply(state, leader, 0, true, logIndex(0), out);
}

/** The entries behind what the snapshot covers; null if the log does not match at `prevIndex` (Raft paper, 5.3). */
function firstUnknown(state: CoreState, request: AppendRequest): readonly Entry[] | null {
  const { baseIndex } = state.log;
  if (request.prevIndex < baseIndex) return request.entries.filter((entry) => entry.index > baseIndex);
  return state.log.termAt(request.prevIndex) === request.prevTerm ? request.entries : null;
}

/** Appends what is new; cuts off only from the first entry that conflicts (matching entries stay: Raft paper, 5.3). */
function store(state: CoreState, entries: readonly Entry[], out: Outbox): void {
  const before = state.log.configuration;
  for (const entry of entries) {
    const known = state.log.termAt(entry.index);
    if (known === entry.term) continue;
    if (known !== null) {
      assert(entry.index > state.commitIndex, "a committed entry never conflicts (Raft paper, 5.4.3)");
      const last = logIndex(entry.index - 1);
      state.log.truncateAfter(last);
      out.truncated(last);
    }
    state.log.append(entry);
    out.appended(entry);
  }
  // Appended or cut off: effective either way (dissertation, 4.1).
  const { configuration } = state.log;
  if (configuration !== before) out.event({ kind: "configurationChanged", configuration });
}

/** Where the leader should try next, minus one: a whole term of conflict is skipped at once (Raft paper, 5.3). */
function backUp(state: CoreState, prevIndex: LogIndex): LogIndex {
  if (prevIndex > state.log.lastIndex) return state.log.lastIndex;
  const before = state.log.firstIndexOfTermAt(prevIndex) - 1;
  return logIndex(Math.max(before, state.commitIndex));
}

function reply(
  state: CoreState,
  to: Member,
  round: number,
  accepted: boolean,
  matchIndex: LogIndex,
  out: Outbox,
): void {
  const { term, eligible, priority, leaving } = state;
  const message: AppendReply = { kind: "appendReply", term, round, accepted, matchIndex, eligible, priority, leaving };
  out.send(to, message);
}
