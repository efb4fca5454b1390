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

export function onAppendRequest(state: CoreState, from: Member, request: AppendRequest, now: Now, out: Outbox): void {
  // An old leader learns the newer term from the reply; it gets no promise.
  if (request.term < state.term) return reply(state, from, request.round, false, logIndex(0), out);
  assert(state.leadership === null || request.term > state.term, "one leader per term (Raft paper, 5.2)");
  const stays = request.term === state.term && state.role === "follower";
  if (stays) state.setLeader(from.id, out);
  else becomeFollower(state, request.term, from.id, now, out);
  hearLeader(state, request, now);

  const next = firstUnknown(state, request);
  if (next === null) return reply(state, from, request.round, false, backUp(state, request.prevIndex), out);

  state.makePromise(now, request.leaseDurationMs, request.term, out);
  store(state, next, out);
  const checked = logIndex(request.prevIndex + request.entries.length);
  const commitIndex = logIndex(Math.min(request.commitIndex, checked));
  if (commitIndex > state.commitIndex) commitTo(state, commitIndex, out);
  if (request.holding !== null) {
    const until = monotonicMs(now.monotonicMs + usableLeaseMs(request.leaseDurationMs, state.timing.clockDrift));
    state.leaderHolding = { claim: request.holding, until };
  } else state.leaderHolding = null;
  reply(state, from, request.round, true, logIndex(Math.max(checked, state.log.baseIndex)), out);
}

/** Every append of a current leader, accepted or not, is a sign of life (redpanda#30817). */
function hearLeader(state: CoreState, request: AppendRequest, now: Now): void {
  state.lastAppendAt = now.monotonicMs;
  state.leaderLeaseMs = request.leaseDurationMs;
  state.attempts = 0;
  state.electionDeadline = state.drawFirstTry(now.monotonicMs, state.patienceMs);
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
  const { term, eligible, priority } = state;
  const message: AppendReply = { kind: "appendReply", term, round, accepted, matchIndex, eligible, priority };
  out.send(to, message);
}
