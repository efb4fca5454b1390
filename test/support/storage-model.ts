/**
 * What the storage port means, without any durability: one pure function from a state and a call to the next state.
 *
 * Invariant: kept apart from src/storage on purpose, so that a fault there does not hide behind the same fault here.
 *
 * Deliberately absent: refusals. A call that may not be made is tested by its own case.
 */
import { term } from "../../src/base/types.ts";
import type { Append, Form, Identity, Snapshot, Storage, StoredState } from "../../src/ports/storage.ts";
import type { Entry } from "../../src/raft/entry.ts";

export type StorageCall =
  | { readonly kind: "saveIdentity"; readonly identity: Identity }
  | { readonly kind: "saveForm"; readonly form: Form }
  | { readonly kind: "saveSnapshot"; readonly snapshot: Snapshot }
  | { readonly kind: "append"; readonly batch: Append }
  | { readonly kind: "wipe" };

export const EMPTY_STATE: StoredState = {
  identity: null,
  form: null,
  snapshot: null,
  hardState: { term: term(0), votedFor: null, largestPromiseMs: 0 },
  entries: [],
};

export async function carryOut(storage: Storage, call: StorageCall): Promise<void> {
  switch (call.kind) {
    case "saveIdentity":
      return storage.saveIdentity(call.identity);
    case "saveForm":
      return storage.saveForm(call.form);
    case "saveSnapshot":
      return storage.saveSnapshot(call.snapshot);
    case "append":
      return storage.append(call.batch);
    case "wipe":
      return storage.wipe();
  }
}

export function stateAfter(state: StoredState, call: StorageCall): StoredState {
  switch (call.kind) {
    case "saveIdentity":
      return { ...state, identity: call.identity };
    case "saveForm":
      return { ...state, form: call.form };
    case "saveSnapshot":
      return { ...state, snapshot: call.snapshot, entries: entriesBehind(state, call.snapshot) };
    case "append": {
      const { hardState = state.hardState, truncateAfter = Infinity, entries } = call.batch;
      const kept = state.entries.filter((old) => old.index <= truncateAfter);
      return { ...state, hardState, entries: [...kept, ...entries] };
    }
    case "wipe":
      return EMPTY_STATE;
  }
}

/** Raft paper, figure 13: entries stay only behind an entry that is the snapshot's own last one. */
function entriesBehind(state: StoredState, { index, term: snapshotTerm }: Snapshot): readonly Entry[] {
  const at = [state.snapshot, ...state.entries].find((found) => found?.index === index);
  return at?.term === snapshotTerm ? state.entries.filter((old) => old.index > index) : [];
}

/** The state after each call of `calls`, the first one before any. */
export function statesOf(calls: readonly StorageCall[]): readonly StoredState[] {
  const states = [EMPTY_STATE];
  for (const call of calls) states.push(stateAfter(states.at(-1) ?? EMPTY_STATE, call));
  return states;
}
