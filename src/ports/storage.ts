/**
 * What outlives the process.
 *
 * Invariant: when the promise of a writing call resolves, the data survives a power loss. A call that rejects leaves
 * the port unusable: the process must end and read the directory again (a failed fsync is never retried).
 *
 * Deliberately absent: partial reads. Everything is small and is loaded once, at start.
 */
import type { MemberId } from "../base/types.ts";
import type { Append, HardState } from "../raft/effect.ts";
import type { CoreSnapshot, Entry, Member } from "../raft/entry.ts";

export type { Append, HardState } from "../raft/effect.ts";

/** Who this data directory is: made once, with an empty directory. */
export interface Identity {
  readonly id: MemberId;
  readonly name: string;
}

/** The proposal that makes a group (DESIGN, Formation). */
export interface Form {
  /** 32 hexadecimal digits, random. */
  readonly groupId: string;
  readonly founders: readonly Member[];
  readonly tokenBase: number;
}

/** The state that the log starts from. The first one is the Form itself: index 0, term 0. */
export interface Snapshot extends CoreSnapshot {
  readonly groupId: string;
  readonly tokenBase: number;
}

export interface StoredState {
  readonly identity: Identity | null;
  /** The Form accepted or proposed by this founder, if any. */
  readonly form: Form | null;
  readonly snapshot: Snapshot | null;
  readonly hardState: HardState;
  /** Contiguous, beginning right after the snapshot (or empty). */
  readonly entries: readonly Entry[];
}

export interface Storage {
  /** Reads and checks everything; cuts off a torn tail. Throws `storage_*`. To be called once, first. */
  load(): Promise<StoredState>;
  saveIdentity(identity: Identity): Promise<void>;
  saveForm(form: Form): Promise<void>;
  /** Replaces the snapshot atomically, and drops log entries up to its index. */
  saveSnapshot(snapshot: Snapshot): Promise<void>;
  append(batch: Append): Promise<void>;
  /**
   * Becomes an empty directory again, for an incarnation that was removed from its group. A crash at any point of it
   * leaves the member as it was or nothing at all.
   */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

/** Tells how long each sync took, in ms, and of a tail that was cut. */
export interface StorageObserver {
  synced(durationMs: number): void;
  tailCut(bytes: number): void;
}
