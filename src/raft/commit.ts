/**
 * Committed entries, applied in order.
 *
 * Invariant: the commit index never falls, and every entry up to it has been applied to the register exactly once in
 * this process, on every member the same.
 *
 * Deliberately absent: what a leader does about its own claim; see tenure.ts.
 */
import { assert, unreachable } from "../base/assert.ts";
import { type LogIndex, logIndex } from "../base/types.ts";
import type { Entry } from "./entry.ts";
import type { Outbox } from "./outbox.ts";
import type { CoreState } from "./state.ts";

/** Moves the commit index to `index` and returns the entries that this commits. */
export function commitTo(state: CoreState, index: LogIndex, out: Outbox): readonly Entry[] {
  assert(index <= state.log.lastIndex, "only entries of the log are committed");
  const committed: Entry[] = [];
  while (state.commitIndex < index) {
    state.commitIndex = logIndex(state.commitIndex + 1);
    const entry = state.log.entryAt(state.commitIndex);
    apply(state, entry, out);
    out.applied(entry);
    committed.push(entry);
  }
  return committed;
}

function apply(state: CoreState, entry: Entry, out: Outbox): void {
  switch (entry.kind) {
    case "claim":
      out.event({ kind: "tenureCommitted", tenure: state.lock.claim(entry.index, entry.term, entry.holder) });
      return;
    case "release":
      state.lock.release(entry.claim);
      return;
    case "noop":
    case "config":
    case "command":
      return;
    default:
      unreachable(entry);
  }
}
