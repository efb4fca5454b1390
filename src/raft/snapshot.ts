/**
 * Snapshots: the log is compacted behind them, and a member that lacks what was compacted is sent one (Raft paper, 7).
 *
 * Invariant: a snapshot holds what is committed and nothing else: its configuration is the committed one, never one
 * that could still be lost (canonical/raft#250). Commit index, register and log never go back by it.
 *
 * Deliberately absent: chunks. The state is a few tens of KiB at most and travels in one message.
 */
import { assert, present } from "../base/assert.ts";
import { COMPACT_AFTER_ENTRIES } from "../base/limits.ts";
import type { Member, Now } from "../base/types.ts";
import { type CoreSnapshot, isMemberOf } from "./entry.ts";
import { hearAppend, promiseAndReply, refuseAppend } from "./follower.ts";
import { heldClaim } from "./leadership.ts";
import type { InstallSnapshot } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import type { CoreState, Leadership, Progress } from "./state.ts";

/** The state up to the commit index. */
export function snapshotOf(state: CoreState): CoreSnapshot {
  const index = state.commitIndex;
  const term = present(state.log.termAt(index), "the commit index lies in the log");
  return {
    index,
    term,
    configuration: state.committedConfiguration,
    removed: state.removed,
    lock: state.lock.state,
  };
}

/** Called last in every step: one snapshot for COMPACT_AFTER_ENTRIES commits. */
export function compactWhenDue(state: CoreState, out: Outbox): void {
  if (state.commitIndex - state.log.baseIndex < COMPACT_AFTER_ENTRIES) return;
  const snapshot = snapshotOf(state);
  state.log.compactTo(snapshot);
  out.snapshotTaken(snapshot);
  out.event({ kind: "snapshotTaken", index: snapshot.index, from: "self" });
}

/** In place of an append whose entries were compacted. */
export function sendSnapshot(
  state: CoreState,
  leadership: Leadership,
  progress: Progress,
  now: Now,
  out: Outbox,
): void {
  const snapshot = snapshotOf(state);
  // An ack of less than this is not answered with the same snapshot again: the next round is soon enough.
  progress.sent = snapshot.index;
  out.send(progress.member, {
    kind: "installSnapshot",
    term: state.term,
    round: leadership.lease.lastRound,
    snapshot,
    leaseDurationMs: state.timing.leaseDurationMs,
    holding: heldClaim(state, now),
  });
}

/** Raft paper, figure 13. What this node has committed already is not replaced, only acknowledged. */
export function onInstallSnapshot(
  state: CoreState,
  from: Member,
  message: InstallSnapshot,
  now: Now,
  out: Outbox,
): void {
  // An old leader learns the newer term from the reply; it gets no promise.
  if (message.term < state.term) return refuseAppend(state, from, message.round, out);
  hearAppend(state, from, message, now, out);
  const { snapshot } = message;
  if (snapshot.index > state.commitIndex) install(state, snapshot, out);
  promiseAndReply(state, from, message, snapshot.index, now, out);
}

function install(state: CoreState, snapshot: CoreSnapshot, out: Outbox): void {
  assert(snapshot.term <= state.term, "a snapshot is of the leader's term or an earlier one");
  const before = state.log.configuration;
  // Entries behind the snapshot stay if the log has the snapshot's own last entry (figure 13, step 6).
  if (state.log.termAt(snapshot.index) === snapshot.term) state.log.compactTo(snapshot);
  else state.log.replaceBy(snapshot);
  state.commitIndex = snapshot.index;
  state.lock.install(snapshot.lock);
  const wasMember = isMemberOf(state.committedConfiguration, state.self.id);
  state.committedConfiguration = snapshot.configuration;
  state.removed = snapshot.removed;
  out.snapshotTaken(snapshot);
  out.event({ kind: "snapshotTaken", index: snapshot.index, from: "leader" });
  const { configuration } = state.log;
  if (configuration !== before) out.event({ kind: "configurationChanged", configuration });
  out.event({ kind: "configurationCommitted", configuration: snapshot.configuration });
  if (wasMember && !isMemberOf(snapshot.configuration, state.self.id)) out.event({ kind: "removed" });
}
