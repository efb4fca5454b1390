/**
 * Committed entries, applied in order.
 *
 * Invariant: the commit index never falls, and every entry up to it has been applied to the register exactly once in
 * this process, on every member the same.
 *
 * Deliberately absent: what a leader does about its own claim; see tenure.ts.
 */
import { assert, unreachable } from "../base/assert.ts";
import { MAX_REMOVED } from "../base/limits.ts";
import { type LogIndex, logIndex } from "../base/types.ts";
import { allMembers, type Configuration, type Entry, isMemberOf } from "./entry.ts";
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
    case "config":
      return configurationCommitted(state, entry.configuration, out);
    case "noop":
    case "command":
      return;
    default:
      unreachable(entry);
  }
}

/** Who is left out of it is out for good: its incarnation is remembered and never taken in again. */
export function configurationCommitted(state: CoreState, configuration: Configuration, out: Outbox): void {
  const before = allMembers(state.committedConfiguration).map(({ id }) => id);
  const left = before.filter((id) => !isMemberOf(configuration, id));
  if (left.length > 0) state.removed = [...left, ...state.removed].slice(0, MAX_REMOVED);
  state.committedConfiguration = configuration;
  out.event({ kind: "configurationCommitted", configuration });
  if (left.includes(state.self.id)) out.event({ kind: "removed" });
}
