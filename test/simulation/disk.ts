/**
 * What one node has made durable, and nothing else: all that a restart gets to see.
 *
 * Invariant: an append is durable as a whole or not at all, in the order in which the steps asked for it.
 *
 * Deliberately absent: torn and damaged files; src/storage and its tests have them.
 */
import { assert } from "../../src/base/assert.ts";
import { type LogIndex, logIndex, type Term, term } from "../../src/base/types.ts";
import type { Append, HardState } from "../../src/raft/effect.ts";
import type { Entry } from "../../src/raft/entry.ts";

export class Disk {
  hardState: HardState = { term: term(0), votedFor: null, largestPromiseMs: 0 };
  /** From index 1 on, without gaps. */
  readonly entries: Entry[] = [];

  append(batch: Append): void {
    if (batch.hardState !== undefined) this.hardState = batch.hardState;
    extend(this.entries, batch);
  }

  get lastIndex(): LogIndex {
    return logIndex(this.entries.length);
  }

  termAt(index: LogIndex): Term | null {
    return this.entries[index - 1]?.term ?? null;
  }
}

/** Carries out the log part of an append on a log that begins with index 1. */
export function extend(entries: Entry[], { truncateAfter, entries: added }: Append): void {
  if (truncateAfter !== undefined) {
    assert(truncateAfter < entries.length, "a truncation cuts something off");
    entries.length = truncateAfter;
  }
  for (const entry of added) {
    assert(entry.index === entries.length + 1, "a log on disk has no gaps");
    entries.push(entry);
  }
}
