/**
 * What members write in their lives: samples of every stored value, one long life, and random ones.
 *
 * Invariant: every life is legal, call by call; what may not be called is tested by its own case.
 */
import fc from "fast-check";
import { fencingToken, logIndex, memberId, term } from "../../src/base/types.ts";
import type { LockState } from "../../src/lease/register.ts";
import type { Append, Form, HardState, Identity, Snapshot, StoredState } from "../../src/ports/storage.ts";
import type { Entry, Member } from "../../src/raft/entry.ts";
import { EMPTY_STATE, stateAfter, statesOf, type StorageCall } from "./storage-model.ts";

export const MEMBERS: readonly Member[] = ["a", "b", "c"].map((digit, at) => ({
  id: memberId(digit.repeat(32)),
  name: `app-${at}`,
}));
const [FIRST, SECOND, THIRD] = MEMBERS as [Member, Member, Member];

export const IDENTITY: Identity = FIRST;
export const FORM: Form = { groupId: "5".repeat(32), founders: MEMBERS, tokenBase: 251_301_442_093_056 };

export function snapshotAt(index: number, atTerm: number): Snapshot {
  return {
    index: logIndex(index),
    term: term(atTerm),
    groupId: FORM.groupId,
    configuration: { voters: [FIRST, SECOND], learners: [THIRD] },
    tokenBase: FORM.tokenBase,
    removed: index === 0 ? [] : [memberId("d".repeat(32))],
    lock: index === 0 ? [] : [tenureOf(index, atTerm, false), tenureOf(index - 1, atTerm, true)],
  };
}

function tenureOf(claim: number, atTerm: number, released: boolean): LockState[number] {
  const token = fencingToken(FORM.tokenBase + claim);
  return { claim: logIndex(claim), term: term(atTerm), holder: SECOND, token, released };
}

export function noop(index: number, atTerm: number): Entry {
  return { kind: "noop", index: logIndex(index), term: term(atTerm) };
}

/** One entry of every kind, at index..index+4. */
export function oneOfEach(index: number, atTerm: number): readonly Entry[] {
  const at = (offset: number) => ({ index: logIndex(index + offset), term: term(atTerm) });
  return [
    { kind: "noop", ...at(0) },
    { kind: "claim", ...at(1), holder: SECOND },
    { kind: "release", ...at(2), claim: logIndex(index + 1) },
    { kind: "config", ...at(3), configuration: { voters: MEMBERS, learners: [] } },
    { kind: "command", ...at(4), command: 'quotes " \\ , zero \u0000, half a pair \ud800, ü 漢 🦀' },
  ];
}

export function hardState(atTerm: number, vote: 0 | 1 | 2 | null = null, largestPromiseMs = 2000): HardState {
  return { term: term(atTerm), votedFor: vote === null ? null : (MEMBERS[vote]?.id ?? null), largestPromiseMs };
}

/** A member's life that uses every call, in an order in which the node may make them. */
export const LIFE: readonly StorageCall[] = [
  { kind: "saveIdentity", identity: IDENTITY },
  { kind: "saveForm", form: { ...FORM, groupId: "6".repeat(32) } },
  { kind: "saveForm", form: { ...FORM, tokenBase: 0 } },
  { kind: "saveForm", form: FORM },
  { kind: "saveSnapshot", snapshot: snapshotAt(0, 0) },
  { kind: "append", batch: { hardState: hardState(1, 0, 0), entries: [] } },
  { kind: "append", batch: { hardState: hardState(1, 0), entries: oneOfEach(1, 1) } },
  { kind: "append", batch: { entries: [noop(6, 1), noop(7, 1)] } },
  { kind: "append", batch: { hardState: hardState(2, 1, 2500.5), truncateAfter: logIndex(5), entries: [noop(6, 2)] } },
  {
    kind: "append",
    batch: { entries: [{ kind: "command", index: logIndex(7), term: term(2), command: "x".repeat(900) }] },
  },
  { kind: "saveSnapshot", snapshot: snapshotAt(6, 2) },
  { kind: "append", batch: { truncateAfter: logIndex(6), entries: [] } },
  { kind: "append", batch: { entries: [noop(7, 2), noop(8, 2)] } },
  { kind: "saveSnapshot", snapshot: snapshotAt(20, 3) },
  { kind: "append", batch: { hardState: hardState(4, 2, 2500.5), entries: [noop(21, 3), noop(22, 4)] } },
];

export function appendOf(batch: Append): StorageCall {
  return { kind: "append", batch };
}

/** A member of a group that has just formed: its log starts at the form. */
export const FOUNDED: readonly StorageCall[] = [
  { kind: "saveIdentity", identity: IDENTITY },
  { kind: "saveForm", form: { ...FORM, groupId: "6".repeat(32) } },
  { kind: "saveForm", form: { ...FORM, tokenBase: 0 } },
  { kind: "saveForm", form: FORM },
  { kind: "saveSnapshot", snapshot: snapshotAt(0, 0) },
];

export const REBORN: Identity = { id: memberId("e".repeat(32)), name: FIRST.name };

/** A new incarnation that joins a group: a snapshot of a later term than its own, before anything else. */
export const JOINED: readonly StorageCall[] = [
  { kind: "saveIdentity", identity: REBORN },
  { kind: "saveSnapshot", snapshot: snapshotAt(40, 7) },
];

/** A member that is removed, and comes back as a new incarnation in the same directory; and that one is removed too. */
export const LIVES: readonly StorageCall[] = [
  ...LIFE,
  { kind: "wipe" },
  ...JOINED,
  { kind: "append", batch: { hardState: hardState(8), entries: [noop(41, 7), noop(42, 8)] } },
  { kind: "wipe" },
  { kind: "saveIdentity", identity: IDENTITY },
  { kind: "wipe" },
];

/** A choice that is turned into a legal call on the state so far, or into some. */
export interface Move {
  readonly kind: "append" | "cut" | "state" | "snapshot" | "form" | "rescue" | "rebirth";
  readonly size: number;
}

const OFTEN = ["append", "append", "append", "cut", "state"] as const;
const SELDOM = ["snapshot", "form", "rescue", "rebirth"] as const;

export const anyMove: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom<Move["kind"]>(...OFTEN, ...SELDOM),
  size: fc.nat({ max: 5 }),
});

/** A legal sequence of calls, from saveIdentity on. */
export function callsOf(moves: readonly Move[]): readonly StorageCall[] {
  const calls = [...FOUNDED];
  let state = statesOf(calls).at(-1) ?? EMPTY_STATE;
  for (const move of moves) {
    for (const call of callsFor(state, move)) {
      calls.push(call);
      state = stateAfter(state, call);
    }
  }
  return calls;
}

function callsFor(state: StoredState, { kind, size }: Move): readonly StorageCall[] {
  if (kind === "rebirth") return [{ kind: "wipe" }, ...JOINED];
  return [callOf(state, { kind, size })];
}

function callOf(
  state: StoredState,
  { kind, size }: Move & { readonly kind: Exclude<Move["kind"], "rebirth"> },
): StorageCall {
  const base = state.snapshot?.index ?? 0;
  const last = base + state.entries.length;
  const newestTerm = Math.max(state.hardState.term, state.snapshot?.term ?? 0);
  const next = hardState(newestTerm + 1, null, state.hardState.largestPromiseMs + size);
  switch (kind) {
    case "append": {
      const entries = Array.from({ length: size }, (_, at) => noop(last + 1 + at, next.term));
      return appendOf({ hardState: next, entries });
    }
    case "cut": {
      const after = Math.max(base, last - size);
      const position = { index: logIndex(after + 1), term: next.term };
      const entry: Entry = { kind: "command", ...position, command: "x".repeat(size * 300) };
      return appendOf({ hardState: next, truncateAfter: logIndex(after), entries: [entry] });
    }
    case "state":
      return appendOf({ hardState: hardState(next.term, 1, next.largestPromiseMs), entries: [] });
    case "snapshot": {
      const index = Math.min(last, base + size);
      const at = [state.snapshot, ...state.entries][index - base];
      const groupId = state.snapshot?.groupId ?? FORM.groupId;
      return { kind: "saveSnapshot", snapshot: { ...snapshotAt(index, at?.term ?? term(0)), groupId } };
    }
    case "rescue": {
      const groupId = String(size).repeat(32);
      return { kind: "saveSnapshot", snapshot: { ...snapshotAt(last + 1 + size, next.term), groupId } };
    }
    case "form":
      return { kind: "saveForm", form: FORM };
  }
}
