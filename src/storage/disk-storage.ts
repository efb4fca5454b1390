/**
 * The storage port on a directory: small files that are replaced whole, and a log file that is appended to.
 *
 * Invariant: a promise of this class resolves after the sync that makes its change durable, and the first call
 * that fails is the last: all later ones reject with the same error, because after a failed fsync nobody knows what
 * is on the disk. Calls do not overlap (asserted), so a crash tears one record at most.
 *
 * Loading writes the log file anew and syncs it. What was read may be in the page cache only: left there by a process
 * that died before its sync, or by one whose sync failed, after which the kernel may hold the lost pages for clean.
 * The node acts on what it loads, so that must be on the disk first. A torn tail goes the same way.
 *
 * The log file also shrinks when nothing is ever committed and no snapshot comes: an append that would make it too long
 * for what it holds writes it anew instead. "Too long" grows with what is live, so a log that is large because it must
 * be is written anew a few times in all, not at every append.
 *
 * Deliberately absent: retries, and work in the background.
 */
import { assert, present } from "../base/assert.ts";
import { messageOf } from "../base/errors.ts";
import { WAL_REWRITE_BYTES, WAL_REWRITE_FACTOR } from "../base/limits.ts";
import { term } from "../base/types.ts";
import type {
  Append,
  Form,
  HardState,
  Identity,
  Snapshot,
  Storage,
  StorageObserver,
  StoredState,
} from "../ports/storage.ts";
import { lockDirectory } from "./directory-lock.ts";
import { encodeEnvelope } from "./envelope.ts";
import { unreadable } from "./failures.ts";
import { type Files, type OpenFile, replaceFile } from "./files.ts";
import { StoredLog } from "./log.ts";
import { createDirectory, createNodeFiles } from "./node-files.ts";
import { FORM_FILE, IDENTITY_FILE, readDirectory, SNAPSHOT_FILE, WAL_FILE } from "./read-directory.ts";
import { appendShape, formShape, identityShape, snapshotShape, storable } from "./shapes.ts";
import { encodeLog, encodeRecord } from "./wal-format.ts";
import { finishWipe, wipeDirectory } from "./wipe.ts";

export interface DiskStorageOptions {
  /** Made with mode 0700 when it is missing. */
  readonly directory: string;
  readonly observer: StorageObserver;
}

/**
 * Opens the data directory for this process alone. Rejects with `storage_in_use` while another live process of this
 * network namespace has it, and with `storage_unreadable` when it cannot be made or examined.
 */
export async function openDiskStorage({ directory, observer }: DiskStorageOptions): Promise<Storage> {
  await createDirectory(directory);
  const lock = await lockDirectory(directory);
  const files = createNodeFiles(directory, (durationMs) => observer.synced(durationMs));
  return new DiskStorage(files, observer, async () => lock.release());
}

const FIRST_HARD_STATE: HardState = { term: term(0), votedFor: null, largestPromiseMs: 0 };
const NOTHING_STORED: StoredState = {
  identity: null,
  form: null,
  snapshot: null,
  hardState: FIRST_HARD_STATE,
  entries: [],
};

/** For `openDiskStorage`, and for tests that put another file system under it. */
export class DiskStorage implements Storage {
  readonly #files: Files;
  readonly #observer: StorageObserver;
  readonly #release: () => Promise<void>;
  #loaded = false;
  #closed = false;
  #pending: Promise<unknown> | null = null;
  /** Once set, every call rejects with it. */
  #failure: Error | null = null;
  /** Null until there is an identity. */
  #log: StoredLog | null = null;
  #wal: OpenFile | null = null;
  #walBytes = 0;
  /** What the log file had when it was last written anew: about what is live. */
  #liveBytes = 0;
  #snapshot: Snapshot | null = null;

  constructor(files: Files, observer: StorageObserver, release: () => Promise<void>) {
    this.#files = files;
    this.#observer = observer;
    this.#release = release;
  }

  async load(): Promise<StoredState> {
    return this.#alone(async () => {
      assert(!this.#loaded, "storage is loaded once");
      await finishWipe(this.#files);
      const { member, tornBytes, leftovers } = await readDirectory(this.#files);
      for (const name of leftovers) await this.#files.remove(name);
      this.#loaded = true;
      if (member === null) return NOTHING_STORED;
      await this.#replaceWal(member.log);
      if (tornBytes > 0) this.#observer.tailCut(tornBytes);
      this.#snapshot = member.snapshot;
      const { identity, form, snapshot, log } = member;
      return { identity, form, snapshot, hardState: log.start.hardState, entries: [...log.entries] };
    });
  }

  async saveIdentity(identity: Identity): Promise<void> {
    return this.#alone(async () => {
      assert(this.#loaded, "storage is loaded before it is written");
      assert(this.#log === null, "an identity is made once");
      const data = storable(identityShape, identity);
      // First the log: from the moment that there is an identity, a missing log is damage.
      await this.#replaceWal(new StoredLog({ base: null, hardState: FIRST_HARD_STATE }));
      await this.#replaceSmall(IDENTITY_FILE, data);
    });
  }

  async saveForm(form: Form): Promise<void> {
    return this.#alone(async () => {
      assert(this.#log !== null, "a form is saved by a member with an identity");
      await this.#replaceSmall(FORM_FILE, storable(formShape, form));
    });
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#alone(async () => {
      const log = present(this.#log, "a snapshot is saved by a member with an identity");
      const data = storable(snapshotShape, snapshot);
      const old = this.#snapshot;
      assert(old === null || data.index >= old.index, "a snapshot never goes back");
      assert(data.index !== old?.index || data.term === old.term, "two snapshots at one index have one term");
      const isOfGroup = old === null || data.groupId === old.groupId;
      assert(isOfGroup || data.index > log.lastIndex, "a snapshot of another group replaces the whole log");
      // A crash between the two steps leaves the new snapshot and the old log, which loads as if both were done.
      await this.#replaceSmall(SNAPSHOT_FILE, data);
      log.rebase(data);
      await this.#replaceWal(log);
      this.#snapshot = data;
    });
  }

  async append(batch: Append): Promise<void> {
    return this.#alone(async () => {
      const log = present(this.#log, "a log is written by a member with an identity");
      const wal = present(this.#wal, "a member has a log file");
      const data = storable(appendShape, batch);
      const fault = log.faultOf(data);
      assert(fault === null, `a batch continues the log: ${fault}`);
      const record = encodeRecord(data, this.#walBytes);
      if (this.#walBytes + record.length > Math.max(WAL_REWRITE_BYTES, WAL_REWRITE_FACTOR * this.#liveBytes)) {
        log.apply(data);
        return this.#replaceWal(log);
      }
      wal.write(record, this.#walBytes);
      await wal.dataSync();
      if (!wal.isLinked()) {
        const cause = new Error("it was removed or replaced while in use");
        throw unreadable("keep", this.#files.pathOf(WAL_FILE), cause);
      }
      this.#walBytes += record.length;
      log.apply(data);
    });
  }

  async wipe(): Promise<void> {
    return this.#alone(async () => {
      assert(this.#log !== null, "only a member with an identity is wiped");
      await wipeDirectory(this.#files);
      const wal = this.#wal;
      this.#wal = null;
      this.#log = null;
      this.#snapshot = null;
      await wal?.close();
    });
  }

  /** Waits for the call in flight, then gives up the files and the directory. Also after a failure; twice is once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Its own caller hears of its failure.
    await this.#pending?.catch(() => undefined);
    try {
      await this.#wal?.close();
    } finally {
      await this.#release();
    }
  }

  /** Runs `work` with nothing beside it, unless something failed before. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    assert(!this.#closed, "storage is used before it is closed");
    assert(this.#pending === null, "calls to storage do not overlap");
    if (this.#failure !== null) throw this.#failure;
    const pending = work();
    this.#pending = pending;
    try {
      return await pending;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(messageOf(error));
      throw error;
    } finally {
      this.#pending = null;
    }
  }

  async #replaceSmall(name: string, data: unknown): Promise<void> {
    const file = await replaceFile(this.#files, name, encodeEnvelope(data));
    await file.close();
  }

  async #replaceWal(log: StoredLog): Promise<void> {
    const bytes = encodeLog(log);
    const old = this.#wal;
    this.#wal = await replaceFile(this.#files, WAL_FILE, bytes);
    this.#walBytes = bytes.length;
    this.#liveBytes = bytes.length;
    this.#log = log;
    await old?.close();
  }
}
