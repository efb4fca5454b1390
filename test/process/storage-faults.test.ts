/**
 * The disk storage under real faults: a killed process, a failed fsync, a full disk.
 *
 * The faults of system calls come from strace, the full disk is a tmpfs. Where a machine offers neither, the test says
 * so and is skipped; test/unit/storage/crash.test.ts has the same faults on a file system in memory.
 */
import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logIndex, term } from "../../src/base/types.ts";
import type { Entry } from "../../src/raft/entry.ts";
import { openDiskStorage } from "../../src/storage/disk-storage.ts";
import type { StorageObserver, StoredState } from "../../src/ports/storage.ts";
import { FOUNDED, hardState } from "../support/storage-lives.ts";
import { carryOut } from "../support/storage-model.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.ts";

const CHILD = join(import.meta.dirname, "../support/storage-child.ts");
const NOBODY = { synced: () => undefined, tailCut: () => undefined };

interface Line {
  readonly done?: string;
  readonly failed?: string;
  readonly code?: string;
  readonly message?: string;
}

let temporary: TemporaryDirectory;
let directory: string;

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  directory = join(temporary.path, "data");
});
afterEach(async () => temporary.remove());

async function load(observer: StorageObserver = NOBODY): Promise<StoredState> {
  const storage = await openDiskStorage({ directory, observer });
  try {
    return await storage.load();
  } finally {
    await storage.close();
  }
}

/** One thread does all syncs, so that strace's count of them, which is per thread, is the storage's. */
const ONE_THREAD = { ...process.env, UV_THREADPOOL_SIZE: "1" };

/** Why strace cannot be used here, or null. */
function straceTrouble(): string | null {
  const probe = spawnSync("strace", ["-f", "-qq", "-e", "trace=fsync", "-o", "/dev/null", "true"]);
  if (probe.error !== undefined) return "strace is not installed";
  return probe.status === 0 ? null : "strace may not trace here";
}

async function underStrace(inject: string, appends: number): Promise<readonly Line[]> {
  const options = ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", `inject=${inject}`, "-o", "/dev/null"];
  const child = spawn("strace", [...options, process.execPath, CHILD, directory, String(appends)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: ONE_THREAD,
  });
  const lines: Line[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line) as Line);
  return lines;
}

describe("a data directory in use", () => {
  async function startHolder(): Promise<ChildProcessByStdio<Writable, Readable, null>> {
    const child = spawn(process.execPath, [CHILD, directory, "0"], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    expect(JSON.parse(line)).toStrictEqual({ done: "load" });
    return child;
  }

  it("is refused to a second process until the first is gone, even by SIGKILL", async () => {
    const holder = await startHolder();
    const gone = once(holder, "exit");
    try {
      await expect(load()).rejects.toMatchObject({ code: "storage_in_use" });
    } finally {
      holder.kill("SIGKILL");
      await gone;
    }
    expect((await load()).identity).not.toBeNull();
  });

  it("does not keep its process alive", async () => {
    const holder = await startHolder();
    const gone = once(holder, "exit");
    holder.stdin.end();
    expect(await gone).toStrictEqual([0, null]);
  });
});

describe("a failed sync", () => {
  it("ends the storage in an append: that call and the next reject, and nothing is tried again", async (context) => {
    const trouble = straceTrouble();
    context.skip(trouble !== null, trouble ?? "");
    const lines = await underStrace("fdatasync:error=EIO:when=3+", 9);
    expect(lines).toMatchObject([
      { done: "load" },
      { done: "append 1" },
      { done: "append 2" },
      { failed: "append 3", code: "storage_sync_failed" },
      { failed: "append 3 again", code: "storage_sync_failed" },
    ]);
    expect(lines[3]?.message).toContain("EIO");
    // Written and not synced: the next process may find it or not, and here the page cache has it.
    expect((await load()).entries).toHaveLength(3);
  });

  it("is final even when the disk is well again at once", async (context) => {
    const trouble = straceTrouble();
    context.skip(trouble !== null, trouble ?? "");
    const lines = await underStrace("fdatasync:error=EIO:when=2", 9);
    expect(lines.slice(2)).toMatchObject([
      { failed: "append 2", code: "storage_sync_failed" },
      { failed: "append 2 again", code: "storage_sync_failed" },
    ]);
  });

  it.for([1, 2, 3, 4, 8])("ends the storage at sync %i of its beginning", async (nth, context) => {
    const trouble = straceTrouble();
    context.skip(trouble !== null, trouble ?? "");
    await mkdir(directory);
    const lines = await underStrace(`fsync:error=EIO:when=${nth}`, 1);
    expect(lines).toMatchObject([{ failed: "load", code: "storage_sync_failed" }]);
  });
});

describe("a process killed in a sync", () => {
  it("has every append that it was told of", async (context) => {
    const trouble = straceTrouble();
    context.skip(trouble !== null, trouble ?? "");
    const lines = await underStrace("fdatasync:signal=KILL:when=6", 20);
    expect(lines.at(-1)).toStrictEqual({ done: "append 5" });
    const found = (await load()).entries.length;
    expect([5, 6]).toContain(found);
  });
});

describe("a full disk", () => {
  it("ends the storage with its reason, and what was acknowledged is there", async (context) => {
    await mkdir(directory);
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", directory]);
    context.skip(mount.status !== 0, "mounting a tmpfs takes root");
    try {
      const acknowledged = await fillDisk();
      const { length } = await readFile(join(directory, "wal"));
      // The log is written anew at load, for which there is no room: a larger disk shows what is on it.
      await expect(load()).rejects.toMatchObject({ code: "storage_unreadable", message: FULL });
      execFileSync("mount", ["-o", "remount,size=1m", directory]);
      const cuts: number[] = [];
      const state = await load({ ...NOBODY, tailCut: (bytes) => cuts.push(bytes) });
      expect(state.entries).toHaveLength(acknowledged);
      expect(cuts).toHaveLength(1);
      expect(length % 4096).toBe(0);
    } finally {
      execFileSync("umount", [directory]);
    }
  });

  const FULL = expect.stringMatching(/^cannot write .*: the disk is full \(ENOSPC/) as string;

  /** Appends until the disk is full; returns how many appends were acknowledged. */
  async function fillDisk(): Promise<number> {
    const storage = await openDiskStorage({ directory, observer: NOBODY });
    let acknowledged = 0;
    const fill = async (): Promise<never> => {
      for (;;) {
        const index = logIndex(acknowledged + 1);
        const entry: Entry = { kind: "command", index, term: term(1), command: COMMAND };
        await storage.append({ hardState: hardState(1), entries: [entry] });
        acknowledged += 1;
      }
    };
    try {
      await storage.load();
      for (const call of FOUNDED) await carryOut(storage, call);
      await expect(fill()).rejects.toMatchObject({ code: "storage_unreadable", message: FULL });
      await expect(fill()).rejects.toMatchObject({ code: "storage_unreadable", message: FULL });
      expect(acknowledged).toBeGreaterThan(2);
      return acknowledged;
    } finally {
      await storage.close();
    }
  }

  /** Longer than a page, so that the last write is a short one. */
  const COMMAND = "x".repeat(5000);
});
