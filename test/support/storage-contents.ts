/** Data directories as bytes in memory, to be damaged one bit at a time, and what loading one of them gives. */
import { expect } from "vitest";
import type { StorageObserver, StoredState } from "../../src/ports/storage.ts";
import { DiskStorage } from "../../src/storage/disk-storage.ts";
import { encodeRecord } from "../../src/storage/wal-format.ts";
import { CrashDisk } from "./crash-files.ts";
import { LIFE, noop } from "./storage-lives.ts";
import { carryOut, statesOf, type StorageCall } from "./storage-model.ts";

export type Contents = ReadonlyMap<string, Buffer>;

const BATCHES_FROM = 5;
/** Up to and with the long batch: its log holds five batches. */
const CALLS = LIFE.slice(0, 10);

export async function contentsAfter(calls: readonly StorageCall[]): Promise<Contents> {
  const disk = new CrashDisk();
  const observer: StorageObserver = { synced: () => undefined, tailCut: () => undefined };
  const storage = new DiskStorage(disk.open(), observer, async () => undefined);
  await storage.load();
  for (const call of calls) await carryOut(storage, call);
  return disk.contents();
}

export interface Loaded {
  readonly state: StoredState;
  readonly cut: number;
  readonly contents: Contents;
}

export async function load(contents: Contents): Promise<Loaded> {
  const disk = CrashDisk.of(contents);
  let cut = 0;
  const observer: StorageObserver = { synced: () => undefined, tailCut: (bytes) => (cut += bytes) };
  const state = await new DiskStorage(disk.open(), observer, async () => undefined).load();
  return { state, cut, contents: disk.contents() };
}

export function withFile(contents: Contents, name: string, bytes: Buffer): Contents {
  return new Map([...contents, [name, bytes]]);
}

export function bytesOf(contents: Contents, name: string): Buffer {
  return Buffer.from(contents.get(name) ?? expect.fail(`there is no ${name}`));
}

export const corruptAt = (name: string) => ({
  code: "storage_corrupt",
  message: expect.stringMatching(new RegExp(`^/data/${name}.*Restore the disk, or empty the directory`)) as string,
});

/** An entry 1 that fills a record of `recordBytes` at `position`. */
export function commandOfRecord(recordBytes: number, position: number): unknown {
  const entry = (command: string) => ({ ...noop(1, 1), kind: "command", command });
  const unpadded = encodeRecord({ entries: [entry("")] }, position).length;
  return entry("x".repeat(recordBytes - unpadded));
}

export interface LongLog {
  readonly contents: Contents;
  readonly wal: Buffer;
  /** Where each record ends; the first is the end of the sealed part. */
  readonly ends: readonly number[];
  /** The state at each of these ends. */
  readonly states: readonly StoredState[];
}

export async function longLog(): Promise<LongLog> {
  const contents = await contentsAfter(CALLS);
  const ends: number[] = [];
  const states = statesOf(CALLS).slice(BATCHES_FROM);
  for (let calls = BATCHES_FROM; calls <= CALLS.length; calls += 1) {
    ends.push(bytesOf(await contentsAfter(CALLS.slice(0, calls)), "wal").length);
  }
  return { contents, wal: bytesOf(contents, "wal"), ends, states };
}
