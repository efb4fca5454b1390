/** A member that is removed from its group: its directory is empty again, wherever the wipe is cut short. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import type { StorageObserver, StoredState } from "../../../src/ports/storage.ts";
import { DiskStorage, openDiskStorage } from "../../../src/storage/disk-storage.ts";
import { encodeEnvelope } from "../../../src/storage/envelope.ts";
import type { Files } from "../../../src/storage/files.ts";
import { readDirectory } from "../../../src/storage/read-directory.ts";
import { CrashDisk, luckOf } from "../../support/crash-files.ts";
import { bytesOf, type Contents, contentsAfter, corruptAt, load, withFile } from "../../support/storage-contents.ts";
import { IDENTITY, LIFE, REBORN } from "../../support/storage-lives.ts";
import { carryOut, EMPTY_STATE, statesOf } from "../../support/storage-model.ts";
import { createTemporaryDirectory } from "../../support/temporary-directory.ts";

const NOBODY: StorageObserver = { synced: () => undefined, tailCut: () => undefined };
const MEMBER = statesOf(LIFE).at(-1) ?? expect.fail("a life has states");
/** More steps than a wipe has, or a load that finishes one. */
const STEPS = 14;

function storageOn(files: Files): DiskStorage {
  return new DiskStorage(files, NOBODY, async () => undefined);
}

async function loaded(disk: CrashDisk): Promise<StoredState> {
  return storageOn(disk.open()).load();
}

/** Loads, then wipes; the power goes at step `at` of the wipe. True when it came to its end. */
async function wipeCutAt(disk: CrashDisk, at: number): Promise<boolean> {
  let left = Infinity;
  const storage = storageOn(disk.open(() => (left-- > 0 ? "go" : "powerCut")));
  await storage.load();
  left = at;
  return storage.wipe().then(
    () => true,
    () => false,
  );
}

/** What is on the disk after a power loss, whatever survives of the names that were not synced. */
function* afterPowerLoss(disk: CrashDisk): Generator<CrashDisk> {
  for (const order of ["journal", "none"] as const) {
    for (let seed = 0; seed < 16; seed += 1) {
      yield disk.afterPowerLoss(luckOf([seed, seed >> 1, seed >> 2, seed >> 3, 1]), order);
    }
  }
}

/** What the files say to a reader that does not look for wipe.json. */
async function asRead(disk: CrashDisk): Promise<string> {
  try {
    const { member } = await readDirectory(disk.open());
    if (member === null) return "empty";
    const { log, ...rest } = member;
    expect({ ...rest, hardState: log.start.hardState, entries: log.entries }).toStrictEqual(MEMBER);
    return "the member";
  } catch (error) {
    if (!(error instanceof TenureError)) throw error;
    expect(error.code).toBe("storage_corrupt");
    return "refused";
  }
}

describe("a wipe that is cut short", () => {
  it("leaves the member as it was, or nothing; a load that is cut short too changes nothing of that", async () => {
    const contents = await contentsAfter(LIFE);
    const outcomes = new Set<string>();
    for (let at = 0; at < STEPS; at += 1) {
      const disk = CrashDisk.of(contents);
      const isDone = await wipeCutAt(disk, at);
      for (const left of afterPowerLoss(disk)) {
        const expected = await loaded(CrashDisk.of(left.contents()));
        expect([MEMBER, EMPTY_STATE], `wipe cut at ${at}`).toContainEqual(expected);
        if (isDone) expect(expected).toStrictEqual(EMPTY_STATE);
        outcomes.add(`${isDone} ${expected.identity === null}`);
        for (let loadAt = 0; loadAt < STEPS; loadAt += 1) {
          const again = CrashDisk.of(left.contents());
          const script = (_step: unknown, _name: unknown, count: number) => (count >= loadAt ? "powerCut" : "go");
          await storageOn(again.open(script))
            .load()
            .catch(() => undefined);
          const found = await loaded(again.afterPowerLoss(luckOf([at, loadAt, 1, 0, 3]), "none"));
          expect(found, `wipe cut at ${at}, load cut at ${loadAt}`).toStrictEqual(expected);
        }
      }
    }
    expect([...outcomes].sort()).toStrictEqual(["false false", "false true", "true true"]);
  });

  it("is whole, nothing, or refused for a reader that knows of no wipes; never a part of the member", async () => {
    const contents = await contentsAfter(LIFE);
    const outcomes = new Set<string>();
    for (let at = 0; at < STEPS; at += 1) {
      const disk = CrashDisk.of(contents);
      await wipeCutAt(disk, at);
      for (const left of afterPowerLoss(disk)) {
        outcomes.add(await asRead(left));
      }
    }
    expect([...outcomes].sort()).toStrictEqual(["empty", "refused", "the member"]);
  });

  it("is finished by the next load, which leaves no file", async () => {
    const contents = await contentsAfter(LIFE);
    const disk = CrashDisk.of(contents);
    await wipeCutAt(disk, 3);
    expect([...disk.contents().keys()]).toContain("wipe.json");
    expect(await loaded(disk)).toStrictEqual(EMPTY_STATE);
    expect([...disk.contents().keys()]).toStrictEqual([]);
  });
});

describe("wipe.json", () => {
  async function besides(name: string, bytes: Buffer): Promise<Contents> {
    return withFile(await contentsAfter(LIFE), name, bytes);
  }

  it("of the very member that is there still is a rename that survived in part", async () => {
    const contents = await contentsAfter(LIFE);
    const { state, contents: left } = await load(withFile(contents, "wipe.json", bytesOf(contents, "identity.json")));
    expect(state).toStrictEqual(EMPTY_STATE);
    expect([...left.keys()]).toStrictEqual([]);
  });

  it.each([
    ["of another member", encodeEnvelope(REBORN)],
    ["that is empty", Buffer.alloc(0)],
    ["that is something else", encodeEnvelope({ wipe: true })],
    ["whose checksum does not match", Buffer.from(encodeEnvelope(IDENTITY).toString().replace("app-0", "app-1"))],
  ])("%s wipes nobody", async (_what, bytes) => {
    await expect(load(await besides("wipe.json", bytes))).rejects.toMatchObject(corruptAt("wipe.json"));
  });
});

describe("a directory that was wiped", () => {
  it("holds nothing of tenure, and everything else", async () => {
    const temporary = await createTemporaryDirectory();
    const directory = join(temporary.path, "data");
    await mkdir(join(directory, "lost+found"), { recursive: true });
    await writeFile(join(directory, ".hidden"), "a volume's own");
    const storage = await openDiskStorage({ directory, observer: NOBODY });
    await storage.load();
    for (const call of LIFE) await carryOut(storage, call);
    await storage.wipe();
    expect((await readdir(directory)).sort()).toStrictEqual([".hidden", "lost+found"]);
    await storage.saveIdentity(REBORN);
    await storage.close();
    const again = await openDiskStorage({ directory, observer: NOBODY });
    expect(await again.load()).toStrictEqual({ ...EMPTY_STATE, identity: REBORN });
    await again.close();
    await temporary.remove();
  });
});
