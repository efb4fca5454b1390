/** The fake in memory loses what the port allows to be lost, and nothing else. */
import { describe, expect, it } from "vitest";
import { createMemoryDisk } from "../../support/memory-storage.ts";
import { FOUNDED, hardState } from "../../support/storage-lives.ts";
import { carryOut } from "../../support/storage-model.ts";

const VOTE = { hardState: hardState(1, 0), entries: [] };

describe("the storage in memory", () => {
  it.each([
    ["lost", 0],
    ["kept", 1],
  ] as const)("crashes in the middle of a sync: unsynced data is %s", async (unsynced, expected) => {
    let gate = Promise.resolve();
    const disk = createMemoryDisk({ sync: async () => gate });
    const storage = disk.open();
    await storage.load();
    for (const call of FOUNDED) await carryOut(storage, call);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    gate = promise.then(() => undefined);
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    storage.append(VOTE).then(settle, settle);
    disk.crash(unsynced);
    resolve(undefined);
    const next = disk.open();
    expect((await next.load()).hardState.term).toBe(expected);
    expect(settled).toBe(false);
  });

  it("ends with a failed sync, which the next process sees and the next power loss does not", async () => {
    let failing = false;
    const disk = createMemoryDisk({
      sync: async () => {
        if (failing) throw new Error("EIO");
      },
    });
    const storage = disk.open();
    await storage.load();
    for (const call of FOUNDED) await carryOut(storage, call);
    failing = true;
    await expect(storage.append(VOTE)).rejects.toMatchObject({ code: "storage_sync_failed" });
    failing = false;
    await expect(storage.append(VOTE)).rejects.toMatchObject({ code: "storage_sync_failed" });
    disk.crash("lost");
    expect((await disk.open().load()).hardState.term).toBe(0);
  });
});
