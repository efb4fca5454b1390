/** The disks that the storage contract runs on: a real directory, and the fake in memory. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { Storage, StorageObserver } from "../../src/ports/storage.ts";
import { openDiskStorage } from "../../src/storage/disk-storage.ts";
import { createMemoryDisk } from "./memory-storage.ts";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** One disk, on which storages are opened one after the other. */
export interface StorageBench {
  open(observer: StorageObserver): Promise<Storage>;
  /** The process dies without close; what was acknowledged must still be there. */
  crash(): Promise<void>;
  dispose(): Promise<void>;
}

export async function createDiskBench(): Promise<StorageBench> {
  const temporary = await createTemporaryDirectory();
  let life = 0;
  const directory = (): string => join(temporary.path, String(life));
  const opened: Storage[] = [];
  return {
    async open(observer) {
      const storage = await openDiskStorage({ directory: directory(), observer });
      opened.push(storage);
      return storage;
    },
    /** What a dead process leaves is what its directory holds at that moment. */
    async crash() {
      const before = directory();
      life += 1;
      await cp(before, directory(), { recursive: true });
    },
    async dispose() {
      for (const storage of opened) await storage.close();
      await temporary.remove();
    },
  };
}

export async function createMemoryBench(): Promise<StorageBench> {
  const disk = createMemoryDisk();
  return {
    open: async (observer) => disk.open(observer),
    crash: async () => disk.crash("lost"),
    dispose: async () => undefined,
  };
}
