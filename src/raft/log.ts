/**
 * The log in memory: the entries after a snapshot, and the configurations among them.
 *
 * Invariant: indexes are contiguous from base + 1, terms never fall, and nothing at or below the commit index is ever
 * cut off (asserted by the caller, who knows the commit index).
 *
 * Deliberately absent: the disk. What changes here is persisted through the effects of the same step.
 */
import { assert, present } from "../base/assert.ts";
import { type LogIndex, logIndex, type MemberId, type Term } from "../base/types.ts";
import type { Configuration, Entry } from "./entry.ts";

export interface LogBase {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

export class RaftLog {
  readonly #base: LogBase;
  readonly #entries: Entry[] = [];
  #configuration: Configuration;
  #voterIds: readonly MemberId[];

  constructor(base: LogBase, entries: readonly Entry[]) {
    this.#base = base;
    this.#configuration = base.configuration;
    this.#voterIds = idsOf(base.configuration);
    for (const entry of entries) this.append(entry);
  }

  get baseIndex(): LogIndex {
    return this.#base.index;
  }

  get lastIndex(): LogIndex {
    return logIndex(this.#base.index + this.#entries.length);
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#base.term;
  }

  /** The latest appended configuration, committed or not (dissertation, 4.1). */
  get configuration(): Configuration {
    return this.#configuration;
  }

  /** The voters of `configuration`: the same array until that changes. */
  get voterIds(): readonly MemberId[] {
    return this.#voterIds;
  }

  /** Null outside base..last. */
  termAt(index: LogIndex): Term | null {
    if (index === this.#base.index) return this.#base.term;
    return this.#at(index)?.term ?? null;
  }

  entryAt(index: LogIndex): Entry {
    return present(this.#at(index), "the entry lies in the log");
  }

  /** Entries from..to inclusive, at most `limit`. */
  slice(from: LogIndex, to: LogIndex, limit: number): readonly Entry[] {
    assert(from > this.#base.index, "a slice begins after the base");
    const start = from - this.#base.index - 1;
    return this.#entries.slice(start, Math.min(to - this.#base.index, start + limit));
  }

  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, "entries are contiguous");
    assert(entry.term >= this.lastTerm, "terms in the log never fall");
    this.#entries.push(entry);
    if (entry.kind === "config") this.#configure(entry.configuration);
  }

  truncateAfter(index: LogIndex): void {
    assert(index >= this.#base.index, "the base is committed and stays");
    this.#entries.length = index - this.#base.index;
    const latest = this.#entries.findLast((entry) => entry.kind === "config");
    this.#configure(latest?.kind === "config" ? latest.configuration : this.#base.configuration);
  }

  /** The newest entry of one of these kinds that the log still has; null if there is none. */
  lastOf(...kinds: readonly Entry["kind"][]): Entry | null {
    return this.#entries.findLast((entry) => kinds.includes(entry.kind)) ?? null;
  }

  /** The first index whose entry has the term of `index`; for the back-up of a refused append (Raft paper, 5.3). */
  firstIndexOfTermAt(index: LogIndex): LogIndex {
    const term = this.termAt(index);
    let first = index;
    while (first > this.#base.index + 1 && this.termAt(logIndex(first - 1)) === term) first = logIndex(first - 1);
    return first;
  }

  /** Raft paper, 5.4.1: is a log that ends with (lastIndex, lastTerm) at least as up to date as this one? */
  isCoveredBy(lastIndex: LogIndex, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  #configure(configuration: Configuration): void {
    if (configuration === this.#configuration) return;
    this.#configuration = configuration;
    this.#voterIds = idsOf(configuration);
  }

  #at(index: LogIndex): Entry | undefined {
    return index > this.#base.index ? this.#entries[index - this.#base.index - 1] : undefined;
  }
}

function idsOf(configuration: Configuration): readonly MemberId[] {
  return configuration.voters.map((voter) => voter.id);
}
