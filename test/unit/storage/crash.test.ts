/**
 * The disk storage over a file system that loses power or fails, at every single step of a member's life.
 *
 * What must hold: after any crash the state is the one after the last acknowledged call, or the one after the call that
 * was in flight; and what load() has returned once, no further crash takes back.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StorageObserver, StoredState } from "../../../src/ports/storage.ts";
import { DiskStorage } from "../../../src/storage/disk-storage.ts";
import type { Files } from "../../../src/storage/files.ts";
import {
  CrashDisk,
  EVERYTHING_SURVIVES,
  type Luck,
  luckOf,
  NOTHING_SURVIVES,
  type Script,
} from "../../support/crash-files.ts";
import { anyMove, callsOf, LIFE, LIVES } from "../../support/storage-lives.ts";
import { carryOut, statesOf, type StorageCall } from "../../support/storage-model.ts";

const NOBODY: StorageObserver = { synced: () => undefined, tailCut: () => undefined };

function storageOn(files: Files): DiskStorage {
  return new DiskStorage(files, NOBODY, async () => undefined);
}

async function loadFrom(disk: CrashDisk): Promise<StoredState> {
  return storageOn(disk.open()).load();
}

interface Run {
  readonly acknowledged: number;
  readonly error: unknown;
  readonly storage: DiskStorage;
}

/** Loads, then makes `calls` until one fails. */
async function live(disk: CrashDisk, calls: readonly StorageCall[], script: Script): Promise<Run> {
  const storage = storageOn(disk.open(script));
  let acknowledged = 0;
  try {
    await storage.load();
    for (const call of calls) {
      await carryOut(storage, call);
      acknowledged += 1;
    }
    return { acknowledged, error: null, storage };
  } catch (error) {
    return { acknowledged, error, storage };
  }
}

const cutAt =
  (at: number): Script =>
  (_step, _name, count) =>
    count >= at ? "powerCut" : "go";

async function stepsOf(calls: readonly StorageCall[]): Promise<number> {
  let steps = 0;
  const { error } = await live(new CrashDisk(), calls, () => {
    steps += 1;
    return "go";
  });
  expect(error).toBeNull();
  return steps;
}

/** The heart of this file: `disk` was left by a run; what does the next process find, and does it last? */
async function expectSurvives(
  disk: CrashDisk,
  calls: readonly StorageCall[],
  acknowledged: number,
  what: string,
): Promise<void> {
  const states = statesOf(calls);
  const state = await loadFrom(disk);
  expect([states[acknowledged], states[acknowledged + 1]], what).toContainEqual(state);
  const again = await loadFrom(disk.afterPowerLoss(NOTHING_SURVIVES));
  expect(again, `${what}, and again`).toStrictEqual(state);
}

const LUCKS: readonly (readonly [string, Luck])[] = [
  ["nothing", NOTHING_SURVIVES],
  ["everything", EVERYTHING_SURVIVES],
  ["the names alone", (max) => (max > 1 ? max : 0)],
  ...[3, 77, 511, 640, 1001].map((seed) => [`a part (${seed})`, luckOf([seed, seed * 7, 1, seed * 3, 0])] as const),
];

describe("the disk storage, when the power goes", () => {
  it("at any step, whatever survives: has all that was acknowledged, and no part of a call", async () => {
    const steps = await stepsOf(LIVES);
    expect(steps).toBeGreaterThan(110);
    for (let at = 0; at <= steps; at += 1) {
      const disk = new CrashDisk();
      const { acknowledged } = await live(disk, LIVES, cutAt(at));
      for (const [name, luck] of LUCKS) {
        await expectSurvives(disk.afterPowerLoss(luck), LIVES, acknowledged, `step ${at}, ${name} survives`);
      }
      for (let seed = 1; seed < 8; seed += 1) {
        const left = disk.afterPowerLoss(luckOf([seed, seed >> 1, seed >> 2, 1, 0]), "none");
        await expectSurvives(left, LIVES, acknowledged, `step ${at}, seed ${seed}, without a journal`);
      }
    }
  });

  it("at any step of loading: finds the same again", async () => {
    for (let calls = 0; calls <= LIVES.length; calls += 1) {
      const part = LIVES.slice(0, calls);
      for (let at = 0; at < 6; at += 1) {
        const disk = new CrashDisk();
        await live(disk, part, () => "go");
        const left = disk.afterPowerLoss(NOTHING_SURVIVES);
        await storageOn(left.open(cutAt(at)))
          .load()
          .catch(() => undefined);
        for (const [name, luck] of LUCKS) {
          const state = await loadFrom(left.afterPowerLoss(luck));
          expect(state, `${calls} calls, step ${at}, ${name} survives`).toStrictEqual(statesOf(part).at(-1));
        }
      }
    }
  });

  it("in any life, at any step, with any luck: the same", async () => {
    const anyCrash = fc.record({
      moves: fc.array(anyMove, { maxLength: 10 }),
      cut: fc.nat(),
      picks: fc.array(fc.nat(4096), { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(anyCrash, async ({ moves, cut, picks }) => {
        const calls = callsOf(moves);
        const steps = await stepsOf(calls);
        const disk = new CrashDisk();
        const { acknowledged } = await live(disk, calls, cutAt(cut % (steps + 1)));
        await expectSurvives(disk.afterPowerLoss(luckOf(picks)), calls, acknowledged, "a random life");
      }),
      { numRuns: 200 },
    );
  });

  it("after a crash, goes on from what it found", async () => {
    const steps = await stepsOf(LIVES);
    for (let at = 0; at <= steps; at += 1) {
      const disk = new CrashDisk();
      const first = await live(disk, LIVES, cutAt(at));
      const left = disk.afterPowerLoss(luckOf([at, 1, at * 3]));
      const found = await loadFrom(left);
      const states = statesOf(LIVES);
      // The call in flight may have been kept; it is not made twice then.
      const kept = isSame(found, states[first.acknowledged + 1]) ? 1 : 0;
      const rest = LIVES.slice(first.acknowledged + kept);
      const second = await live(left, rest, () => "go");
      expect(second.error, `cut at step ${at}`).toBeNull();
      expect(await loadFrom(left.afterPowerLoss(NOTHING_SURVIVES))).toStrictEqual(states.at(-1));
    }
  });
});

describe("the disk storage, when a step fails", () => {
  it("rejects that call and all later ones in the same way, and touches the disk no more", async () => {
    const steps = await stepsOf(LIVES);
    for (let at = 0; at < steps; at += 1) {
      let failed = "";
      let later = 0;
      const { error, storage } = await live(new CrashDisk(), LIVES, (step, _name, count) => {
        if (count > at) later += 1;
        if (count !== at) return "go";
        failed = step;
        return "fail";
      });
      const code = failed === "sync" || failed === "syncDirectory" ? "storage_sync_failed" : "storage_unreadable";
      expect(error, `step ${at}, ${failed}`).toMatchObject({ code });
      for (const call of LIVES.slice(-4)) await expect(carryOut(storage, call)).rejects.toMatchObject({ code });
      await expect(storage.load()).rejects.toMatchObject({ code });
      expect(later, `step ${at}, ${failed}`).toBe(0);
      await storage.close();
    }
  });

  it("is read again by the next process, and what that one finds is on the disk", async () => {
    const steps = await stepsOf(LIVES);
    for (let at = 0; at < steps; at += 1) {
      const disk = new CrashDisk();
      const { acknowledged } = await live(disk, LIVES, (_step, _name, count) => (count === at ? "fail" : "go"));
      await expectSurvives(disk, LIVES, acknowledged, `after a fault at step ${at}`);
    }
  });

  it("fails an append whose file lost its name meanwhile: nobody would ever find the entry", async () => {
    const disk = new CrashDisk();
    const { storage } = await live(disk, LIFE.slice(0, 6), () => "go");
    await disk.open().remove("wal");
    await expect(carryOut(storage, LIFE[6] as StorageCall)).rejects.toMatchObject({ code: "storage_unreadable" });
  });
});

function isSame(found: StoredState, expected: StoredState | undefined): boolean {
  try {
    expect(found).toStrictEqual(expected);
    return true;
  } catch {
    return false;
  }
}
