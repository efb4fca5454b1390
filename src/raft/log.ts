/**
 * The log in memory: the entries after a snapshot, and the configurations among them.
 *
 * Invariant: indexes are contiguous from base + 1, terms never fall, and nothing at or below the commit index is ever
 * cut off (asserted by the caller, who knows the commit index). Compacting changes no configuration.
 *
 * Deliberately absent: the disk. What changes here is persisted through the effects of the same step.
 */
import { assert, present } from "../base/assert.ts";
import { MAX_NAME_LENGTH } from "../base/limits.ts";
import { type LogIndex, logIndex, type Member, type MemberId, type Term } from "../base/types.ts";
import { allMembers, type Configuration, type Entry } from "./entry.ts";

export interface LogBase {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

export class RaftLog {
  #base: LogBase;
  #entries: Entry[] = [];
  #configuration: Configuration;
  #configurationIndex: LogIndex;
  #voterIds: readonly MemberId[];
  #members: readonly Member[];
  #memberIds: ReadonlySet<MemberId>;

  constructor(base: LogBase, entries: readonly Entry[]) {
    this.#base = base;
    this.#configuration = base.configuration;
    this.#configurationIndex = base.index;
    this.#voterIds = idsOf(base.configuration);
    this.#members = allMembers(base.configuration);
    this.#memberIds = new Set(this.#members.map(({ id }) => id));
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

  /** Where `configuration` stands in the log; the base if that has it. */
  get configurationIndex(): LogIndex {
    return this.#configurationIndex;
  }

  /** Everyone in `configuration`. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /** Whether `configuration` names it. */
  hasMember(id: MemberId): boolean {
    return this.#memberIds.has(id);
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

  /** Entries from `from` on: at most `limit`, and, but for the first, at most `maxCharacters` of text. */
  slice(from: LogIndex, limit: number, maxCharacters: number): readonly Entry[] {
    assert(from > this.#base.index, "a slice begins after the base");
    const start = from - this.#base.index - 1;
    const chosen = this.#entries.slice(start, start + limit);
    let characters = 0;
    const tooMuch = chosen.findIndex((entry, at) => (characters += charactersOf(entry)) > maxCharacters && at > 0);
    return tooMuch < 0 ? chosen : chosen.slice(0, tooMuch);
  }

  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, "entries are contiguous");
    assert(entry.term >= this.lastTerm, "terms in the log never fall");
    this.#entries.push(entry);
    if (entry.kind === "config") this.#configure(entry.configuration, entry.index);
  }

  truncateAfter(index: LogIndex): void {
    assert(index >= this.#base.index, "the base is committed and stays");
    this.#entries.length = index - this.#base.index;
    const latest = this.configurationAt(this.lastIndex);
    this.#configure(latest.configuration, latest.index);
  }

  /** The newest configuration at or before `index`, and where it stands. */
  configurationAt(index: LogIndex): { readonly configuration: Configuration; readonly index: LogIndex } {
    const entry = this.#entries.findLast((each) => each.kind === "config" && each.index <= index);
    return entry?.kind === "config" ? entry : { configuration: this.#base.configuration, index: this.#base.index };
  }

  /** A snapshot of this very log stands for everything up to `base`. */
  compactTo(base: LogBase): void {
    assert(this.termAt(base.index) === base.term, "a log is compacted at one of its own entries");
    this.#entries = this.#entries.slice(base.index - this.#base.index);
    this.#base = base;
  }

  /** A snapshot of another log takes the place of this one (Raft paper, figure 13, step 7). */
  replaceBy(base: LogBase): void {
    this.#entries = [];
    this.#base = base;
    this.#configure(base.configuration, base.index);
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

  #configure(configuration: Configuration, index: LogIndex): void {
    this.#configurationIndex = index;
    if (configuration === this.#configuration) return;
    this.#configuration = configuration;
    this.#voterIds = idsOf(configuration);
    this.#members = allMembers(configuration);
    this.#memberIds = new Set(this.#members.map(({ id }) => id));
  }

  #at(index: LogIndex): Entry | undefined {
    return index > this.#base.index ? this.#entries[index - this.#base.index - 1] : undefined;
  }
}

/** About the length of the entry as JSON; its exact value does not matter, its order of size does. */
function charactersOf(entry: Entry): number {
  const fixed = 160;
  if (entry.kind === "command") return fixed + 6 * entry.command.length;
  if (entry.kind !== "config") return fixed + 2 * MAX_NAME_LENGTH;
  return allMembers(entry.configuration).reduce((sum, { name }) => sum + name.length + 64, fixed);
}

function idsOf(configuration: Configuration): readonly MemberId[] {
  return configuration.voters.map((voter) => voter.id);
}
