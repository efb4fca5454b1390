/**
 * The disk format of version 1, as files that were written once and are never written again (test/golden/disk-v1, made
 * by the calls of disk-v1.calls.json). They load for ever; and as long as the version is 1, they are what is written.
 * test/golden/disk-v1-wipe is the same member as a crash in the middle of its wipe left it.
 */
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDiskStorage } from "../../../src/storage/disk-storage.ts";
import { carryOut, EMPTY_STATE, statesOf, type StorageCall } from "../../support/storage-model.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../../support/temporary-directory.ts";

const GOLDEN = join(import.meta.dirname, "../../golden");
const FILES = ["form.json", "identity.json", "snapshot.json", "wal"];
const OBSERVER = { synced: () => undefined, tailCut: (bytes: number) => expect.fail(`${bytes} bytes were cut off`) };

let calls: readonly StorageCall[];
let temporary: TemporaryDirectory;

beforeEach(async () => {
  calls = JSON.parse(await readFile(join(GOLDEN, "disk-v1.calls.json"), "utf8")) as readonly StorageCall[];
  temporary = await createTemporaryDirectory();
});
afterEach(async () => temporary.remove());

describe("disk format 1", () => {
  it("loads", async () => {
    const directory = join(temporary.path, "copy");
    await cp(join(GOLDEN, "disk-v1"), directory, { recursive: true });
    const storage = await openDiskStorage({ directory, observer: OBSERVER });
    const state = await storage.load();
    await storage.close();
    expect(state).toStrictEqual(statesOf(calls).at(-1));
    expect(state.entries.map((entry) => entry.kind)).toStrictEqual(["release", "config", "command", "noop", "claim"]);
    expect(state.hardState).toStrictEqual({ term: 4, votedFor: null, largestPromiseMs: 2500.5 });
  });

  it("loads as empty in the middle of a wipe, and then is", async () => {
    const directory = join(temporary.path, "copy");
    await cp(join(GOLDEN, "disk-v1-wipe"), directory, { recursive: true });
    expect((await readdir(directory)).sort()).toStrictEqual(["snapshot.json", "wal", "wipe.json"]);
    const storage = await openDiskStorage({ directory, observer: OBSERVER });
    expect(await storage.load()).toStrictEqual(EMPTY_STATE);
    await storage.close();
    expect(await readdir(directory)).toStrictEqual([]);
  });

  it("is what is written, byte for byte", async () => {
    const directory = join(temporary.path, "fresh");
    const storage = await openDiskStorage({ directory, observer: OBSERVER });
    await storage.load();
    for (const call of calls) await carryOut(storage, call);
    await storage.close();
    expect((await readdir(directory)).sort()).toStrictEqual(FILES);
    for (const name of FILES) {
      const golden = await readFile(join(GOLDEN, "disk-v1", name));
      expect((await readFile(join(directory, name))).toString("hex"), name).toBe(golden.toString("hex"));
    }
  });
});
