/**
 * The storage port in memory: a disk that outlives the storages opened on it, and can lose what was not synced.
 *
 * Invariant: a promise resolves after `sync` has, and from then on no crash loses what it stood for. Until then a
 * crash loses it as a whole or keeps it as a whole.
 *
 * Deliberately absent: bytes. Torn and damaged files are the business of the disk adapter's own tests.
 */
import { assert } from "../../src/base/assert.ts";
import { messageOf, TenureError } from "../../src/base/errors.ts";
import type {
  Append,
  Form,
  Identity,
  Snapshot,
  Storage,
  StorageObserver,
  StoredState,
} from "../../src/ports/storage.ts";
import { EMPTY_STATE, stateAfter, type StorageCall } from "./storage-model.ts";

export interface MemoryDiskOptions {
  /** Awaited by every writing call. A rejection is a failed fsync: it ends the storage with `storage_sync_failed`. */
  readonly sync?: () => Promise<void>;
}

export interface MemoryDisk {
  /** Throws `storage_in_use` while another storage on this disk is neither closed nor crashed. */
  open(observer?: StorageObserver): Storage;
  /**
   * The process dies, and the power with it if `unsynced` is "lost". Calls in flight never settle; the disk can be
   * opened again.
   */
  crash(unsynced: "lost" | "kept"): void;
}

const NOBODY: StorageObserver = { synced: () => undefined, tailCut: () => undefined };

export function createMemoryDisk({ sync = async () => undefined }: MemoryDiskOptions = {}): MemoryDisk {
  let durable = EMPTY_STATE;
  /** What the page cache says; ahead of `durable` while a sync runs or after one failed. */
  let cached = EMPTY_STATE;
  let current: MemoryStorage | null = null;
  let crashes = 0;
  const cells: Cells = {
    read: () => cached,
    write: (state) => (cached = state),
    sync: async (state) => {
      const before = crashes;
      await sync();
      if (crashes === before) durable = state;
    },
  };
  return {
    open(observer = NOBODY) {
      if (current?.open === true) throw new TenureError("storage_in_use", "another storage is open on this disk");
      current = new MemoryStorage(cells, observer);
      return current;
    },
    crash(unsynced) {
      current?.die();
      crashes += 1;
      if (unsynced === "kept") durable = cached;
      else cached = durable;
    },
  };
}

interface Cells {
  read(): StoredState;
  write(state: StoredState): void;
  sync(state: StoredState): Promise<void>;
}

class MemoryStorage implements Storage {
  readonly #cells: Cells;
  readonly #observer: StorageObserver;
  #phase: "new" | "loaded" | "closed" | "dead" = "new";
  #pending: Promise<void> | null = null;
  #failure: Error | null = null;

  constructor(cells: Cells, observer: StorageObserver) {
    this.#cells = cells;
    this.#observer = observer;
  }

  get open(): boolean {
    return this.#phase === "new" || this.#phase === "loaded";
  }

  die(): void {
    this.#phase = "dead";
  }

  async load(): Promise<StoredState> {
    assert(this.#phase === "new", "storage is loaded once, and before it is closed");
    const state = this.#cells.read();
    await this.#sync(state);
    this.#phase = "loaded";
    return structuredClone(state);
  }

  async saveIdentity(identity: Identity): Promise<void> {
    assert(this.#cells.read().identity === null, "an identity is made once");
    return this.#write({ kind: "saveIdentity", identity });
  }

  async saveForm(form: Form): Promise<void> {
    return this.#write({ kind: "saveForm", form });
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    const { snapshot: old, entries } = this.#cells.read();
    assert(old === null || snapshot.index >= old.index, "a snapshot never goes back");
    const lastIndex = (old?.index ?? 0) + entries.length;
    const isOfGroup = old === null || snapshot.groupId === old.groupId;
    assert(isOfGroup || snapshot.index > lastIndex, "a snapshot of another group replaces the whole log");
    return this.#write({ kind: "saveSnapshot", snapshot });
  }

  async append(batch: Append): Promise<void> {
    assertContinues(this.#cells.read(), batch);
    return this.#write({ kind: "append", batch });
  }

  async wipe(): Promise<void> {
    return this.#write({ kind: "wipe" });
  }

  async close(): Promise<void> {
    await this.#pending?.catch(() => undefined);
    if (this.#phase !== "dead") this.#phase = "closed";
  }

  async #write(call: StorageCall): Promise<void> {
    assert(this.#phase !== "new", "storage is loaded before it is written");
    assert(this.#phase !== "closed", "storage is used before it is closed");
    assert(this.#pending === null, "calls to storage do not overlap");
    const known = call.kind === "saveIdentity" || this.#cells.read().identity !== null;
    assert(known, "only a member with an identity writes");
    if (this.#failure !== null) throw this.#failure;
    const state = structuredClone(stateAfter(this.#cells.read(), call));
    this.#cells.write(state);
    this.#pending = this.#sync(state);
    try {
      await this.#pending;
    } finally {
      this.#pending = null;
    }
  }

  async #sync(state: StoredState): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#cells.sync(state);
    } catch (error) {
      this.#failure = new TenureError("storage_sync_failed", `cannot sync: ${messageOf(error)}`, { cause: error });
      throw this.#failure;
    }
    // A dead process never hears of it.
    if (this.#phase === "dead") await new Promise(() => undefined);
    this.#observer.synced(performance.now() - startedAt);
  }
}

function assertContinues(state: StoredState, { hardState = state.hardState, truncateAfter, entries }: Append): void {
  const old = state.hardState;
  assert(hardState.term >= old.term, "the term never falls");
  const sameVote = hardState.term > old.term || old.votedFor === null || hardState.votedFor === old.votedFor;
  assert(sameVote, "a vote never changes within its term");
  assert(hardState.largestPromiseMs >= old.largestPromiseMs, "the largest promise never shrinks");
  if (entries.length === 0 && truncateAfter === undefined) return;
  assert(state.snapshot !== null, "entries start at a snapshot");
  const last = state.snapshot.index + state.entries.length;
  const after = truncateAfter ?? last;
  assert(after >= state.snapshot.index && after <= last, "only entries of the log are cut off");
  const newest = Math.max(hardState.term, state.snapshot.term);
  let term = [state.snapshot, ...state.entries][after - state.snapshot.index]?.term ?? 0;
  for (const [offset, entry] of entries.entries()) {
    assert(entry.index === after + 1 + offset, "entries are contiguous");
    assert(entry.term >= term && entry.term <= newest, "terms of entries never fall, and none is ahead");
    term = entry.term;
  }
}
