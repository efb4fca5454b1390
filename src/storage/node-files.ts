/**
 * `Files` on a real directory.
 *
 * Invariant: writes are synchronous and go to the page cache, which takes microseconds; syncs run on the thread pool,
 * so that a slow disk never holds up the event loop. No sync is tried twice: after a failed one the kernel may call
 * the lost pages clean, and the next would succeed without having written them.
 *
 * Deliberately absent: O_DSYNC, which would turn every write into a wait on the event loop.
 */
import { fstatSync, writeSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { systemCodeOf } from "../base/errors.ts";
import { syncFailed, unreadable } from "./failures.ts";
import type { Files, OpenFile } from "./files.ts";

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** Writes `length` bytes from `offset` of `bytes` at `position`, or fewer; returns how many. */
export type WriteSome = (bytes: Uint8Array, offset: number, length: number, position: number) => number;

/** Goes on after short writes, which a full disk, a quota or a signal may cause. Throws when nothing was written. */
export function writeAll(writeSome: WriteSome, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    const count = writeSome(bytes, written, bytes.length - written, position + written);
    if (count <= 0) throw new Error("the system wrote nothing and named no error");
    written += count;
  }
}

/** Makes the directory and its missing parents, mode 0700, and makes their names durable. */
export async function createDirectory(directory: string): Promise<void> {
  let first: string | undefined;
  try {
    first = await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
  } catch (error) {
    throw unreadable("create", directory, error);
  }
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let parent = dirname(resolve(directory)); ; parent = dirname(parent)) {
    await syncPath(parent, () => undefined);
    if (parent === top) return;
  }
}

/** `synced` is told how long each sync took, in ms. */
export function createNodeFiles(directory: string, synced: (durationMs: number) => void): Files {
  const pathOf = (name: string): string => join(directory, name);
  return {
    pathOf,
    async list() {
      return guarded("list", directory, async () => {
        const found = await readdir(directory, { withFileTypes: true });
        return found.filter((file) => file.isFile()).map((file) => file.name);
      });
    },
    async read(name) {
      try {
        return await readFile(pathOf(name));
      } catch (error) {
        if (systemCodeOf(error) === "ENOENT") return null;
        throw unreadable("read", pathOf(name), error);
      }
    },
    async create(name) {
      const handle = await guarded("create", pathOf(name), async () => open(pathOf(name), "w", FILE_MODE));
      return openFile(handle, pathOf(name), synced);
    },
    async rename(from, to) {
      await guarded("replace", pathOf(to), async () => rename(pathOf(from), pathOf(to)));
    },
    async remove(name) {
      await guarded("remove", pathOf(name), async () => unlink(pathOf(name)));
    },
    syncDirectory: async () => syncPath(directory, synced),
  };
}

function openFile(handle: FileHandle, path: string, synced: (durationMs: number) => void): OpenFile {
  return {
    write(bytes, position) {
      try {
        writeAll((...some) => writeSync(handle.fd, ...some), bytes, position);
      } catch (error) {
        throw unreadable("write", path, error);
      }
    },
    sync: async () => syncOnce(async () => handle.sync(), path, synced),
    dataSync: async () => syncOnce(async () => handle.datasync(), path, synced),
    isLinked() {
      try {
        return fstatSync(handle.fd).nlink > 0;
      } catch (error) {
        throw unreadable("examine", path, error);
      }
    },
    async close() {
      await guarded("close", path, async () => handle.close());
    },
  };
}

async function syncPath(directory: string, synced: (durationMs: number) => void): Promise<void> {
  const handle = await guarded("open", directory, async () => open(directory, "r"));
  try {
    await syncOnce(async () => handle.sync(), directory, synced);
  } finally {
    await handle.close();
  }
}

async function syncOnce(sync: () => Promise<void>, path: string, synced: (durationMs: number) => void): Promise<void> {
  const startedAt = performance.now();
  try {
    await sync();
  } catch (error) {
    throw syncFailed(path, error);
  }
  synced(performance.now() - startedAt);
}

async function guarded<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw unreadable(action, path, error);
  }
}
