/**
 * The log of a core as its effects describe it: ahead of the disk while that syncs.
 *
 * Invariant: what the core was given at its start, and then every effect in turn.
 *
 * Deliberately absent: entries that a snapshot covers.
 */
import { assert } from "../../src/base/assert.ts";
import type { Append } from "../../src/raft/effect.ts";
import type { CoreSnapshot, Entry } from "../../src/raft/entry.ts";
import type { Disk } from "./storage-port.ts";

export class Mirror {
  #baseIndex: number;
  #baseTerm: number;
  #entries: Entry[];

  constructor({ baseIndex, snapshot, entries }: Disk) {
    this.#baseIndex = baseIndex;
    this.#baseTerm = snapshot?.term ?? 0;
    this.#entries = [...entries];
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  /** Null outside of what this log has. */
  termAt(index: number): number | null {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries[index - this.#baseIndex - 1]?.term ?? null;
  }

  /** Of this very log, or in its place (Raft paper, figure 13, steps 6 and 7). */
  install({ index, term }: CoreSnapshot): void {
    this.#entries = this.termAt(index) === term ? this.#entries.slice(index - this.#baseIndex) : [];
    this.#baseIndex = index;
    this.#baseTerm = term;
  }

  get length(): number {
    return this.#entries.length;
  }

  append({ truncateAfter, entries }: Append): void {
    if (truncateAfter !== undefined) {
      assert(truncateAfter >= this.#baseIndex, "what a snapshot covers is never cut off");
      this.#entries.length = truncateAfter - this.#baseIndex;
    }
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, "a log has no gaps");
      this.#entries.push(entry);
    }
  }
}
