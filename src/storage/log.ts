/**
 * The log as the disk has it: where it starts, the hard state, the entries; and the rules of what may come next.
 *
 * Invariant: indexes are contiguous from base + 1, terms never fall, and the hard state never goes back. One rule,
 * `faultOf`, serves both sides: an append that breaks it is an assertion, a record that breaks it is corruption.
 *
 * Deliberately absent: bytes and files. The entries are kept here so that a snapshot can write the rest of the log
 * anew; they are the same objects that the core holds.
 */
import { assert } from "../base/assert.ts";
import type { LogIndex, Term } from "../base/types.ts";
import type { Append, HardState, Snapshot } from "../ports/storage.ts";
import type { Entry } from "../raft/entry.ts";

/** The last index and term that a snapshot covers. */
export interface LogBase {
  readonly index: LogIndex;
  readonly term: Term;
}

/** What a log file begins with. Without a base there is no snapshot yet, and there can be no entries. */
export interface LogStart {
  readonly base: LogBase | null;
  readonly hardState: HardState;
}

export class StoredLog {
  #base: LogBase | null;
  #hardState: HardState;
  #entries: Entry[] = [];

  constructor(start: LogStart) {
    this.#base = start.base;
    this.#hardState = start.hardState;
  }

  get start(): LogStart {
    return { base: this.#base, hardState: this.#hardState };
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Of the last entry, or of the base when there is none behind it. */
  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  /** What `batch` breaks, in words, or null. */
  faultOf(batch: Append): string | null {
    const hardState = batch.hardState ?? this.#hardState;
    return this.#hardStateFault(hardState) ?? this.#entriesFault(batch, hardState);
  }

  apply(batch: Append): void {
    assert(this.faultOf(batch) === null, "a batch is checked before it is applied");
    this.#hardState = batch.hardState ?? this.#hardState;
    if (batch.truncateAfter !== undefined) this.#entries.length = batch.truncateAfter - this.#baseIndex;
    for (const entry of batch.entries) this.#entries.push(entry);
  }

  /**
   * Starts the log at `snapshot`. Entries behind it stay if the log has the snapshot's own last entry; else it is of
   * another history and goes as a whole (Raft paper, figure 13, steps 6 and 7).
   */
  rebase(snapshot: Snapshot): void {
    const { index, term } = snapshot;
    const kept = this.#termAt(index) === term ? this.#entries.filter((entry) => entry.index > index) : [];
    this.#base = { index, term };
    this.#entries = kept;
  }

  get #baseIndex(): number {
    return this.#base?.index ?? 0;
  }

  #termAt(index: number): Term | null {
    if (index === this.#base?.index) return this.#base.term;
    return this.#entries[index - this.#baseIndex - 1]?.term ?? null;
  }

  /** Raft paper, figure 2 and 5.2: terms never fall, one vote per term; DESIGN, L2: the largest promise stays. */
  #hardStateFault(next: HardState): string | null {
    const old = this.#hardState;
    if (next.term < old.term) return `the term falls from ${old.term} to ${next.term}`;
    if (next.term === old.term && old.votedFor !== null && next.votedFor !== old.votedFor) {
      return `the vote of term ${old.term} changes`;
    }
    if (next.largestPromiseMs < old.largestPromiseMs) return "the largest promise shrinks";
    return null;
  }

  #entriesFault(batch: Append, hardState: HardState): string | null {
    const { truncateAfter, entries } = batch;
    if (this.#base === null) {
      const none = truncateAfter === undefined && entries.length === 0;
      return none ? null : "there are entries but no snapshot to start from";
    }
    const last = this.lastIndex;
    // A node that joins has a snapshot before it has a term of its own, and takes the snapshot's.
    const newestTerm = Math.max(hardState.term, this.#base.term);
    if (truncateAfter !== undefined && (truncateAfter < this.#base.index || truncateAfter > last)) {
      return `the log ${this.#base.index}..${last} is cut off after ${truncateAfter}`;
    }
    let index: number = truncateAfter ?? last;
    let term: number = this.#termAt(index) ?? 0;
    for (const entry of entries) {
      if (entry.index !== index + 1) return `entry ${entry.index} follows entry ${index}`;
      if (entry.term < term) return `the term falls from ${term} to ${entry.term} at entry ${entry.index}`;
      if (entry.term > newestTerm) return `entry ${entry.index} is newer than the term ${newestTerm}`;
      index = entry.index;
      term = entry.term;
    }
    return null;
  }
}
