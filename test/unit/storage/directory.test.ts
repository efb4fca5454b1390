/** The data directory as a whole: which files belong together, and what the file system may refuse. */
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredState } from "../../../src/ports/storage.ts";
import { openDiskStorage } from "../../../src/storage/disk-storage.ts";
import { writeAll } from "../../../src/storage/node-files.ts";
import { appendOf, FORM, FOUNDED, hardState, IDENTITY, LIFE, noop, snapshotAt } from "../../support/storage-lives.ts";
import { carryOut, EMPTY_STATE, statesOf, type StorageCall } from "../../support/storage-model.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../../support/temporary-directory.ts";

const NOBODY = { synced: () => undefined, tailCut: () => undefined };

const BORN = FOUNDED.slice(0, 1);

let temporary: TemporaryDirectory;
let directory: string;

beforeEach(async () => {
  temporary = await createTemporaryDirectory();
  directory = join(temporary.path, "data");
});
afterEach(async () => temporary.remove());

async function live(calls: readonly StorageCall[]): Promise<StoredState> {
  const storage = await openDiskStorage({ directory, observer: NOBODY });
  try {
    const state = await storage.load();
    for (const call of calls) await carryOut(storage, call);
    return state;
  } finally {
    await storage.close();
  }
}

const failing = (code: string, part: string) => ({ code, message: expect.stringContaining(part) as string });

const load = async (): Promise<StoredState> => live([]);
const file = (name: string): string => join(directory, name);

describe("a data directory", () => {
  it("is made with its parents, for its owner alone", async () => {
    directory = join(temporary.path, "a", "b", "data");
    await live(FOUNDED);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(directory)) expect((await stat(file(name))).mode & 0o777, name).toBe(0o600);
  });

  it("that exists keeps its mode", async () => {
    await mkdir(directory);
    await chmod(directory, 0o770);
    await live(FOUNDED);
    expect((await stat(directory)).mode & 0o777).toBe(0o770);
  });

  it("holds four files and nothing else", async () => {
    await live(LIFE);
    expect((await readdir(directory)).sort()).toStrictEqual(["form.json", "identity.json", "snapshot.json", "wal"]);
  });

  it("reads as empty after a crash between the log file and identity.json, and starts anew", async () => {
    await live(FOUNDED.slice(0, 1));
    await rm(file("identity.json"));
    expect(await live(LIFE)).toStrictEqual(EMPTY_STATE);
    expect(await load()).toStrictEqual(statesOf(LIFE).at(-1));
  });

  it.each<[string, readonly StorageCall[], string]>([
    ["identity.json, with a form", [...BORN, ...LIFE.slice(1, 2)], "identity.json"],
    ["identity.json, with a snapshot", [...BORN, ...FOUNDED.slice(2)], "identity.json"],
    [
      "identity.json, with a log in use",
      [...BORN, appendOf({ hardState: hardState(1), entries: [] })],
      "identity.json",
    ],
    ["the log, with an identity alone", BORN, "wal"],
    ["the log, with everything else", LIFE, "wal"],
    ["the snapshot, with a log that starts at it", FOUNDED, "snapshot.json"],
    ["the snapshot, with entries", LIFE, "snapshot.json"],
  ])("without %s is damaged", async (_case, calls, name) => {
    await live(calls);
    await rm(file(name));
    const before = await readdir(directory);
    await expect(load()).rejects.toMatchObject(failing("storage_corrupt", `${file(name)}: missing`));
    expect(await readdir(directory)).toStrictEqual(before);
  });

  it("of which only the log is left, in use, is damaged", async () => {
    await live(FOUNDED);
    for (const name of ["identity.json", "form.json", "snapshot.json"]) await rm(file(name));
    await expect(load()).rejects.toMatchObject({ code: "storage_corrupt" });
  });

  it("whose snapshot is older than its log's start is damaged", async () => {
    await live(FOUNDED);
    const old = await readFile(file("snapshot.json"));
    await live([
      appendOf({ hardState: hardState(1), entries: [noop(1, 1), noop(2, 1)] }),
      { kind: "saveSnapshot", snapshot: snapshotAt(1, 1) },
    ]);
    await writeFile(file("snapshot.json"), old);
    await expect(load()).rejects.toMatchObject(failing("storage_corrupt", "the log starts at entry 1"));
  });

  it("with a new snapshot and the old log, as a crash between them leaves it, loads as if both were new", async () => {
    await live(LIFE.slice(0, 10));
    const old = await readFile(file("wal"));
    await live(LIFE.slice(10, 11));
    await writeFile(file("wal"), old);
    expect(await load()).toStrictEqual(statesOf(LIFE.slice(0, 11)).at(-1));
  });

  it("is rid of temporary files that a crash left", async () => {
    await live(LIFE);
    for (const name of await readdir(directory)) await writeFile(file(`${name}.tmp`), "half");
    expect(await load()).toStrictEqual(statesOf(LIFE).at(-1));
    expect(await readdir(directory)).toHaveLength(4);
  });

  it("with nothing but a temporary file reads as empty", async () => {
    await mkdir(directory);
    await writeFile(file("wal.tmp"), "half");
    expect(await load()).toStrictEqual(EMPTY_STATE);
    expect(await readdir(directory)).toStrictEqual([]);
  });

  it("with files of something else is no fresh start", async () => {
    await mkdir(directory);
    await mkdir(file("lost+found"));
    await writeFile(file(".hidden"), "a volume's own");
    expect(await load()).toStrictEqual(EMPTY_STATE);
    await writeFile(file("customers.db"), "not ours");
    await expect(load()).rejects.toMatchObject(failing("storage_corrupt", "customers.db"));
  });

  it("loads the same through a symbolic link, and is in use through it", async () => {
    await live(LIFE);
    const storage = await openDiskStorage({ directory, observer: NOBODY });
    await symlink(directory, join(temporary.path, "link"));
    directory = join(temporary.path, "link");
    await expect(load()).rejects.toMatchObject({ code: "storage_in_use" });
    await storage.close();
    expect(await load()).toStrictEqual(statesOf(LIFE).at(-1));
  });

  it("tells of every sync, and of a tail that it cut", async () => {
    await live(LIFE);
    const wal = await readFile(file("wal"));
    await writeFile(file("wal"), wal.subarray(0, wal.length - 5));
    const syncs: number[] = [];
    const cuts: number[] = [];
    const observer = { synced: (ms: number) => syncs.push(ms), tailCut: (bytes: number) => cuts.push(bytes) };
    const storage = await openDiskStorage({ directory, observer });
    const state = await storage.load();
    await storage.close();
    expect(state).toStrictEqual(statesOf(LIFE).at(-2));
    expect(cuts).toStrictEqual([wal.length - 5 - (await readFile(file("wal"))).length]);
    expect(syncs.length).toBeGreaterThanOrEqual(2);
  });
});

describe("what cannot be read", () => {
  it("is named: a directory that is a file", async () => {
    await writeFile(directory, "");
    await expect(load()).rejects.toMatchObject(failing("storage_unreadable", `cannot create ${directory}`));
  });

  it.each(["identity.json", "wal"])("is named: %s is a directory", async (name) => {
    await live(LIFE);
    await rm(file(name));
    await mkdir(file(name));
    await expect(load()).rejects.toMatchObject(failing("storage_unreadable", `cannot read ${file(name)}`));
  });

  it("stays shut after a failed load, and can be closed", async () => {
    await live(LIFE);
    await rm(file("wal"));
    const storage = await openDiskStorage({ directory, observer: NOBODY });
    await expect(storage.load()).rejects.toMatchObject({ code: "storage_corrupt" });
    await expect(storage.saveIdentity(IDENTITY)).rejects.toMatchObject({ code: "storage_corrupt" });
    await expect(storage.saveForm(FORM)).rejects.toMatchObject({ code: "storage_corrupt" });
    await storage.close();
  });

  it("is a log that was removed while in use: the append is not acknowledged", async () => {
    await live(FOUNDED);
    const storage = await openDiskStorage({ directory, observer: NOBODY });
    await storage.load();
    await rm(file("wal"));
    const append = storage.append({ hardState: hardState(1), entries: [noop(1, 1)] });
    await expect(append).rejects.toMatchObject(failing("storage_unreadable", "while in use"));
    await storage.close();
  });
});

describe("a short write", () => {
  it("is gone on with, at the right place", () => {
    const target = Buffer.alloc(20);
    const bytes = Buffer.from("abcdefghij");
    let calls = 0;
    writeAll(
      (from, offset, length, position) => {
        calls += 1;
        const some = Math.min(length, 3);
        Buffer.from(from).copy(target, position, offset, offset + some);
        return some;
      },
      bytes,
      5,
    );
    expect(target.subarray(5, 15).toString()).toBe("abcdefghij");
    expect(calls).toBe(4);
  });

  it("of nothing at all is an error, not a loop", () => {
    expect(() => writeAll(() => 0, Buffer.from("a"), 0)).toThrow("wrote nothing");
  });
});
