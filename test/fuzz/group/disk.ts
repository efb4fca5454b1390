/** What a member has on its disk: a crash forgets the rest. */
import { logIndex, term } from "../../../src/base/types.ts";
import type { Effects, HardState } from "../../../src/raft/effect.ts";
import type { Configuration, CoreSnapshot, Entry } from "../../../src/raft/entry.ts";

export class Disk {
  hardState: HardState;
  snapshot: CoreSnapshot;
  entries: readonly Entry[];

  constructor(snapshot: CoreSnapshot, entries: readonly Entry[], atTerm: number) {
    this.hardState = { term: term(atTerm), votedFor: null, largestPromiseMs: 0 };
    this.snapshot = snapshot;
    this.entries = entries;
  }

  /** Raft paper, figure 13: entries behind a snapshot stay if the log has its last entry. */
  write({ persist, snapshot }: Effects): void {
    if (persist !== null) {
      const { truncateAfter = Infinity } = persist;
      this.hardState = persist.hardState ?? this.hardState;
      this.entries = [...this.entries.filter(({ index }) => index <= truncateAfter), ...persist.entries];
    }
    if (snapshot === null) return;
    const isOwn = this.entries.find(({ index }) => index === snapshot.index)?.term === snapshot.term;
    this.entries = isOwn ? this.entries.filter(({ index }) => index > snapshot.index) : [];
    this.snapshot = snapshot;
  }
}

export function formed(configuration: Configuration): CoreSnapshot {
  return { index: logIndex(0), term: term(0), configuration, removed: [], lock: [] };
}

/** The log that all founders share the beginning of: long, so that the next commits bring it to its compaction. */
export function pastOf(length: number): readonly Entry[] {
  return Array.from({ length }, (_, at) => ({ kind: "noop", index: logIndex(at + 1), term: term(1) }));
}
