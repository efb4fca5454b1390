/**
 * A disk in memory: what a core told to persist, as a start would find it.
 *
 * Invariant: the order of `Effects`: the append first, then the snapshot, which replaces the log up to its index. What
 * follows it in the log stays only if the log has the snapshot's own last entry (Raft paper, figure 13, step 6).
 *
 * Deliberately absent: faults. A write is durable as soon as it is made.
 */
import type { Effects, HardState } from "../../src/raft/effect.ts";
import type { CoreSnapshot, Entry } from "../../src/raft/entry.ts";

export interface Disk {
  readonly hardState: HardState;
  /** Those behind the snapshot. */
  readonly entries: readonly Entry[];
  /** Null: the log starts from the formation of the group. */
  readonly snapshot: CoreSnapshot | null;
}

/** The disk after the writes of one step. */
export function written(disk: Disk, { persist, snapshot }: Pick<Effects, "persist" | "snapshot">): Disk {
  const hardState = persist?.hardState ?? disk.hardState;
  const after = persist?.truncateAfter ?? Number.POSITIVE_INFINITY;
  const kept = disk.entries.filter((entry) => entry.index <= after);
  const entries = [...kept, ...(persist?.entries ?? [])];
  if (snapshot === null) return { hardState, entries, snapshot: disk.snapshot };
  const known = entries.find((entry) => entry.index === snapshot.index)?.term;
  const behind = known === snapshot.term ? entries.filter((entry) => entry.index > snapshot.index) : [];
  return { hardState, entries: behind, snapshot };
}
