/**
 * The length of the log file, and of what is in the other files: bounded for ever, also where nothing is committed and
 * no snapshot comes.
 */
import { describe, expect, it } from "vitest";
import { AssertionError } from "../../../src/base/assert.ts";
import {
  MAX_HISTORY,
  MAX_MEMBERS,
  MAX_REMOVED,
  WAL_REWRITE_BYTES,
  WAL_REWRITE_FACTOR,
} from "../../../src/base/limits.ts";
import { fencingToken, logIndex, memberId, term } from "../../../src/base/types.ts";
import type { Snapshot, StorageObserver, StoredState } from "../../../src/ports/storage.ts";
import type { Entry, Member } from "../../../src/raft/entry.ts";
import { DiskStorage } from "../../../src/storage/disk-storage.ts";
import { CrashDisk, luckOf, NOTHING_SURVIVES, type Script } from "../../support/crash-files.ts";
import { appendOf, FOUNDED, hardState, snapshotAt } from "../../support/storage-lives.ts";
import { carryOut, statesOf, type StorageCall } from "../../support/storage-model.ts";

const NOBODY: StorageObserver = { synced: () => undefined, tailCut: () => undefined };

function storageOn(disk: CrashDisk, script?: Script): DiskStorage {
  return new DiskStorage(disk.open(script), NOBODY, async () => undefined);
}

async function loaded(disk: CrashDisk): Promise<StoredState> {
  return storageOn(disk).load();
}

async function founded(disk: CrashDisk, script?: Script): Promise<DiskStorage> {
  const storage = storageOn(disk, script);
  await storage.load();
  for (const call of FOUNDED) await carryOut(storage, call);
  return storage;
}

function walBytes(disk: CrashDisk): number {
  return disk.contents().get("wal")?.length ?? 0;
}

/** 64 KiB of entries from `index` on. */
function block(index: number, atTerm: number): readonly Entry[] {
  return Array.from({ length: 64 }, (_, at) => {
    return { kind: "command", index: logIndex(index + at), term: term(atTerm), command: "x".repeat(1_024) };
  });
}

/** What a leader that never commits makes a follower write: the same entries in ever new terms. */
function replaced(atTerm: number): StorageCall {
  return appendOf({ hardState: hardState(atTerm), truncateAfter: logIndex(0), entries: block(1, atTerm) });
}

describe("the log file", () => {
  it("stays below its bound however often entries are replaced, and holds what it should", async () => {
    const disk = new CrashDisk();
    const storage = await founded(disk);
    const [first, second] = [replaced(1), replaced(2)];
    let longest = 0;
    let rewrites = 0;
    for (let atTerm = 1; atTerm <= 100; atTerm += 1) {
      const before = walBytes(disk);
      await carryOut(storage, replaced(atTerm));
      longest = Math.max(longest, walBytes(disk));
      if (walBytes(disk) < before) rewrites += 1;
    }
    expect(longest).toBeLessThanOrEqual(WAL_REWRITE_BYTES);
    expect(rewrites).toBeGreaterThan(4);
    const expected = statesOf([...FOUNDED, first, second, replaced(100)]).at(-1);
    expect(await loaded(disk.afterPowerLoss(NOTHING_SURVIVES))).toStrictEqual(expected);
  });

  it("stays below its bound when there is nothing but terms and votes: elections that nobody wins", async () => {
    const disk = new CrashDisk();
    const storage = await founded(disk);
    // Close to the bound at once; the elections do the rest.
    for (let atTerm = 1; walBytes(disk) + 80_000 < WAL_REWRITE_BYTES; atTerm += 1) {
      await carryOut(storage, replaced(atTerm));
    }
    await storage.append({ truncateAfter: logIndex(0), entries: [] });
    let atTerm = 100;
    for (const full = walBytes(disk); walBytes(disk) >= full; atTerm += 1) {
      await storage.append({ hardState: hardState(atTerm, 1), entries: [] });
      expect(walBytes(disk)).toBeLessThanOrEqual(WAL_REWRITE_BYTES);
    }
    expect(walBytes(disk)).toBeLessThan(300);
    const state = await loaded(disk.afterPowerLoss(NOTHING_SURVIVES));
    expect(state).toMatchObject({ hardState: hardState(atTerm - 1, 1), entries: [] });
  });

  it("that is long because it holds much is written anew a few times in all, not at every append", async () => {
    const disk = new CrashDisk();
    let created = 0;
    const storage = await founded(disk, (step, name) => {
      if (step === "create" && name === "wal.tmp") created += 1;
      return "go";
    });
    created = 0;
    for (let nth = 0; nth < 80; nth += 1) {
      await storage.append({ hardState: hardState(1), entries: block(1 + 64 * nth, 1) });
    }
    expect(walBytes(disk)).toBeGreaterThan(WAL_REWRITE_FACTOR * WAL_REWRITE_BYTES);
    // At 1 MiB, and at four times what it had then.
    expect(created).toBe(2);
    expect((await loaded(disk)).entries).toHaveLength(80 * 64);
  });

  it("keeps all that was acknowledged wherever the power goes while it is written anew", async () => {
    const calls = [...FOUNDED, ...Array.from({ length: 16 }, (_, at) => replaced(1 + at))];
    const last = calls.length - 1;
    const states = statesOf(calls);
    const outcomes = new Set<number>();
    for (let at = 0; at < 8; at += 1) {
      const disk = new CrashDisk();
      let left = Infinity;
      const storage = storageOn(disk, () => (left-- > 0 ? "go" : "powerCut"));
      await storage.load();
      for (const call of calls.slice(0, last)) await carryOut(storage, call);
      const before = walBytes(disk);
      left = at;
      const isDone = await carryOut(storage, calls[last] ?? expect.fail("there is a last call")).then(
        () => true,
        () => false,
      );
      if (isDone) expect(walBytes(disk)).toBeLessThan(before);
      for (const order of ["journal", "none"] as const) {
        for (let seed = 0; seed < 8; seed += 1) {
          const found = await loaded(disk.afterPowerLoss(luckOf([seed, seed >> 1, 60_000 * seed, seed >> 2]), order));
          const kept = found.hardState.term === states[last + 1]?.hardState.term ? 1 : 0;
          expect(found, `cut at ${at}, seed ${seed}`).toStrictEqual(states[last + kept]);
          if (isDone) expect(kept).toBe(1);
          outcomes.add(kept);
        }
      }
    }
    expect(outcomes).toStrictEqual(new Set([0, 1]));
  });
});

describe("a snapshot", () => {
  const members = (count: number, from = 0): Member[] =>
    Array.from({ length: count }, (_, at) => {
      return { id: memberId((from + at).toString(16).padStart(32, "0")), name: `app-${from + at}` };
    });
  const tenures = (count: number): Snapshot["lock"] =>
    Array.from({ length: count }, (_, at) => {
      const claim = 1_000 - at;
      const holder = { id: memberId("a".repeat(32)), name: "app-0" };
      return { claim: logIndex(claim), term: term(1), holder, token: fencingToken(claim), released: true };
    });
  const ids = (count: number): Snapshot["removed"] => members(count, 500).map(({ id }) => id);
  const largest: Snapshot = {
    ...snapshotAt(1_000, 7),
    configuration: { voters: members(5), learners: members(MAX_MEMBERS - 5, 5) },
    removed: ids(MAX_REMOVED),
    lock: tenures(MAX_HISTORY),
  };

  it("of the largest group is kept", async () => {
    const disk = new CrashDisk();
    const storage = await founded(disk);
    await storage.saveSnapshot(largest);
    expect((await loaded(disk)).snapshot).toStrictEqual(largest);
  });

  it.each<[string, Partial<Snapshot>]>([
    ["voters", { configuration: { voters: members(MAX_MEMBERS + 1), learners: [] } }],
    ["learners", { configuration: { voters: [], learners: members(MAX_MEMBERS + 1) } }],
    ["members", { configuration: { voters: members(5), learners: members(MAX_MEMBERS - 4, 5) } }],
    ["removed ids", { removed: ids(MAX_REMOVED + 1) }],
    ["tenures", { lock: tenures(MAX_HISTORY + 1) }],
  ])("with more %s than there may be is the caller's error", async (_what, changes) => {
    const disk = new CrashDisk();
    const storage = await founded(disk);
    await expect(storage.saveSnapshot({ ...largest, ...changes })).rejects.toThrow(AssertionError);
    expect((await loaded(disk)).snapshot).toStrictEqual(snapshotAt(0, 0));
  });
});
