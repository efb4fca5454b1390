/**
 * Logs that are about to be compacted, and the snapshots that come of it.
 *
 * Invariant: all entries of the logs are commands of term 1, so that a test sees what it adds to them.
 *
 * Deliberately absent: what a node is told after that.
 */
import { logIndex, term } from "../../src/base/types.ts";
import type { CoreSnapshot, Entry } from "../../src/raft/entry.ts";
import { command, hardStateOf, votersOf } from "./entries.ts";
import { appendReply, appendRequest } from "./messages.ts";
import { Solo } from "./solo.ts";

export function snapshotAt(index: number, atTerm: number, fields: Partial<CoreSnapshot> = {}): CoreSnapshot {
  return { index: logIndex(index), term: term(atTerm), configuration: votersOf(3), removed: [], lock: [], ...fields };
}

/** So many commands of term 1. */
export function commands(count: number, from = 1): readonly Entry[] {
  return Array.from({ length: count }, (_, at) => command(from + at, 1));
}

/** m1, a follower in term 1 that has these entries and has committed so many of them. */
export function follower(entries: readonly Entry[], commitIndex: number): Solo {
  const node = new Solo({ self: 1, hardState: hardStateOf(1) });
  node.receive(0, appendRequest(1, { entries, commitIndex }));
  return node;
}

/** The leader m0 with so many entries committed by m1 alone, and its claim behind them; m2 has heard nothing. */
export function leaderWith(count: number): Solo {
  const node = new Solo({ hardState: hardStateOf(1), entries: commands(count - 1) });
  node.elect();
  node.persisted();
  node.receive(1, appendReply(node.view.term, { matchIndex: count }));
  return node;
}
