/**
 * A disk, and the storage port of one life of a node on it.
 *
 * Invariant: a promise resolves after its change has become durable, and from then on no crash takes it away. A change
 * under way when the process ends is kept as a whole or lost as a whole. A sync that failed leaves the disk in either
 * state; a disk that cannot be read says so and changes nothing. After its first failure a storage does nothing more.
 *
 * Deliberately absent: bytes. Torn records, checksums and file systems are tested with src/storage, against a model of
 * this same port (test/support/storage-model.ts).
 */
import { assert } from "../../src/base/assert.ts";
import { TenureError } from "../../src/base/errors.ts";
import { type LogIndex, logIndex, type Term, term } from "../../src/base/types.ts";
import type { Append, Form, HardState, Identity, Snapshot, Storage, StoredState } from "../../src/ports/storage.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { Life } from "./life.ts";
import type { Surroundings } from "./surroundings.ts";
import { check } from "./violation.ts";

const NO_STATE: HardState = { term: term(0), votedFor: null, largestPromiseMs: 0 };

/** What has become durable, and nothing else: all that a restart gets to see. */
export class Disk {
  identity: Identity | null = null;
  form: Form | null = null;
  snapshot: Snapshot | null = null;
  hardState: HardState = NO_STATE;
  /** Contiguous, from the snapshot's index + 1 on. */
  entries: Entry[] = [];
  /** A flipped bit: to be read by nobody before somebody has repaired it. */
  damaged = false;
  /** What a crash may keep or lose. */
  underWay: (() => void) | null = null;

  get baseIndex(): number {
    return this.snapshot?.index ?? 0;
  }

  get lastIndex(): LogIndex {
    return logIndex(this.baseIndex + this.entries.length);
  }

  /** Null where the disk has nothing; the terms behind a snapshot are forgotten. */
  termAt(index: LogIndex): Term | null {
    if (index === this.baseIndex) return this.snapshot?.term ?? null;
    return this.entries[index - this.baseIndex - 1]?.term ?? null;
  }

  append({ hardState, truncateAfter, entries }: Append): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (truncateAfter !== undefined) {
      assert(truncateAfter >= this.baseIndex && truncateAfter <= this.lastIndex, "a truncation lies in the log");
      this.entries.length = truncateAfter - this.baseIndex;
    }
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, "a log on disk has no gaps");
      this.entries.push(entry);
    }
  }

  replaceSnapshot(snapshot: Snapshot): void {
    const covers = this.termAt(snapshot.index) === snapshot.term;
    this.entries = covers ? this.entries.slice(snapshot.index - this.baseIndex) : [];
    this.snapshot = snapshot;
  }
}

type Fate = "kept" | "full" | "syncFails";

export class SimulatedStorage implements Storage {
  readonly #life: Life;
  #disk: Disk;
  readonly #around: Surroundings;
  #loaded = false;
  #busy = false;
  #failure: TenureError | null = null;

  constructor(life: Life, disk: Disk, around: Surroundings) {
    this.#life = life;
    this.#disk = disk;
    this.#around = around;
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  async load(): Promise<StoredState> {
    check(!this.#loaded, "storage", () => `n${this.#life.machine.position} loads twice`);
    await this.#later();
    const { damaged, identity, form, snapshot, hardState, entries } = this.#disk;
    if (damaged) {
      this.#around.tally.unreadable += 1;
      this.#failure = new TenureError("storage_corrupt", "a bit has flipped");
      throw this.#failure;
    }
    this.#loaded = true;
    return { identity, form, snapshot, hardState, entries: [...entries] };
  }

  saveIdentity(identity: Identity): Promise<void> {
    return this.#write(() => {
      this.#disk.identity = identity;
      this.#around.members.born(this.#life.machine, this.#disk, identity.id);
    });
  }

  saveForm(form: Form): Promise<void> {
    return this.#write(() => {
      this.#disk.form = form;
    });
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#write(() => {
      this.#disk.replaceSnapshot(snapshot);
      this.#around.checks.savedSnapshot(this.#life, snapshot);
      this.#around.grouped(snapshot.groupId);
    });
  }

  append(batch: Append): Promise<void> {
    return this.#write(() => {
      this.#disk.append(batch);
      this.#around.checks.persisted(this.#life);
    });
  }

  wipe(): Promise<void> {
    return this.#write(() => {
      this.#disk = this.#life.machine.wipe();
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #write(apply: () => void): Promise<void> {
    const { machine } = this.#life;
    check(this.#loaded, "amnesiac", () => `n${machine.position} writes to a disk that it has not read`);
    check(!this.#busy, "storage", () => `n${machine.position} overlaps two calls to its storage`);
    if (this.#failure !== null) throw this.#failure;
    if (this.#life.ended || machine.crashesHere("crashBeforePersist")) return never();
    this.#busy = true;
    const fate = this.#fate();
    if (fate !== "full") this.#disk.underWay = apply;
    await this.#later();
    this.#disk.underWay = null;
    this.#busy = false;
    if (fate === "kept") apply();
    else this.#fail(fate, apply);
    if (machine.crashesHere("crashBeforeSend")) return never();
  }

  #fate(): Fate {
    const { chance, swarm, stormy } = this.#around;
    if (!stormy || !chance.happens(swarm.diskFault)) return "kept";
    return chance.pick(["full", "syncFails"] as const);
  }

  #fail(fate: "full" | "syncFails", apply: () => void): never {
    const { chance, tally } = this.#around;
    tally[fate] += 1;
    // After a failed sync nobody knows what is on the disk.
    if (fate === "syncFails" && chance.happens(0.5)) apply();
    this.#failure =
      fate === "full"
        ? new TenureError("storage_unreadable", "no space is left")
        : new TenureError("storage_sync_failed", "a sync has failed");
    throw this.#failure;
  }

  /** As long as a sync takes. Never, for a process that has ended; later, for one that stands still. */
  #later(): Promise<void> {
    const { agenda, chance, swarm, stormy, tally } = this.#around;
    const syncMs = chance.exponential(stormy ? swarm.diskMs : Math.min(swarm.diskMs, 1));
    if (syncMs > 0.2 * swarm.unitMs) tally.slowDisk += 1;
    return new Promise((resolve) => {
      agenda.after(syncMs, () => this.#life.machine.whenAwake(this.#life, resolve));
    });
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
