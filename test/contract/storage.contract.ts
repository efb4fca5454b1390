/**
 * What every implementation of src/ports/storage.ts does: one suite, run on the disk adapter and on the fake in memory.
 *
 * Longer than 300 lines because all cases share one bench and the ways to open it again.
 *
 * Deliberately absent: files and bytes, see test/unit/storage.
 */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AssertionError } from "../../src/base/assert.ts";
import { logIndex } from "../../src/base/types.ts";
import type { Storage, StorageObserver, StoredState } from "../../src/ports/storage.ts";
import { createDiskBench, createMemoryBench, type StorageBench } from "../support/storage-benches.ts";
import {
  anyMove,
  appendOf,
  callsOf,
  FORM,
  FOUNDED,
  hardState,
  IDENTITY,
  JOINED,
  LIVES,
  noop,
  oneOfEach,
  REBORN,
  snapshotAt,
} from "../support/storage-lives.ts";
import { carryOut, EMPTY_STATE, stateAfter, statesOf, type StorageCall } from "../support/storage-model.ts";

const LOG_1_TO_4 = appendOf({ hardState: hardState(2), entries: [noop(1, 1), noop(2, 1), noop(3, 2), noop(4, 2)] });

function describeStorage(name: string, createBench: () => Promise<StorageBench>): void {
  describe(`storage contract: ${name}`, () => {
    let bench: StorageBench;
    let syncs: number[];
    const observer: StorageObserver = {
      synced: (durationMs) => syncs.push(durationMs),
      tailCut: (bytes) => expect.fail(`a tail of ${bytes} bytes was cut off`),
    };

    beforeEach(async () => {
      syncs = [];
      bench = await createBench();
    });
    afterEach(async () => bench.dispose());

    async function opened(): Promise<{ storage: Storage; state: StoredState }> {
      const storage = await bench.open(observer);
      return { storage, state: await storage.load() };
    }

    /** A loaded member with a snapshot at index 0 and whatever `calls` add. */
    async function member(...calls: readonly StorageCall[]): Promise<Storage> {
      const { storage } = await opened();
      for (const call of [...FOUNDED, ...calls]) await carryOut(storage, call);
      return storage;
    }

    async function reopened(storage: Storage): Promise<StoredState> {
      await storage.close();
      const { storage: next, state } = await opened();
      await next.close();
      return state;
    }

    it("reads as empty at first, and again when nothing was saved", async () => {
      const { storage, state } = await opened();
      expect(state).toStrictEqual(EMPTY_STATE);
      expect(await reopened(storage)).toStrictEqual(EMPTY_STATE);
    });

    it("keeps every call of a whole life, whenever it is closed or crashes", async () => {
      let { storage } = await opened();
      let expected = EMPTY_STATE;
      for (const [step, call] of LIVES.entries()) {
        await carryOut(storage, call);
        expected = stateAfter(expected, call);
        await (step % 2 === 0 ? storage.close() : bench.crash());
        const next = await opened();
        expect(next.state, `after call ${step}, ${call.kind}`).toStrictEqual(expected);
        storage = next.storage;
      }
      await storage.close();
    });

    it("keeps an append in flight as a whole, or not at all, when it crashes", async () => {
      const storage = await member(LOG_1_TO_4);
      const inFlight = storage.append({ hardState: hardState(3), truncateAfter: logIndex(3), entries: [noop(4, 3)] });
      // It may never settle: the process is dead.
      inFlight.catch(() => undefined);
      await bench.crash();
      const { storage: next, state } = await opened();
      const found = [state.hardState.term, state.entries.length, state.entries.at(-1)?.term];
      expect([
        [2, 4, 2],
        [3, 4, 3],
      ]).toContainEqual(found);
      await next.close();
    });

    it("keeps any sequence of appends and snapshots", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyMove, { maxLength: 12 }), fc.boolean(), async (moves, crashes) => {
          const other = await createBench();
          try {
            const storage = await other.open(observer);
            await storage.load();
            const calls = callsOf(moves);
            for (const call of calls) await carryOut(storage, call);
            await (crashes ? other.crash() : storage.close());
            const again = await other.open(observer);
            expect(await again.load()).toStrictEqual(statesOf(calls).at(-1));
            await again.close();
          } finally {
            await other.dispose();
          }
        }),
        { numRuns: 40 },
      );
    });

    it("keeps a form", async () => {
      const storage = await member({ kind: "saveForm", form: FORM });
      expect((await reopened(storage)).form).toStrictEqual(FORM);
    });

    it("takes entries of every kind and gives them back as they were", async () => {
      const storage = await member({ kind: "append", batch: { hardState: hardState(3), entries: oneOfEach(1, 3) } });
      expect((await reopened(storage)).entries).toStrictEqual(oneOfEach(1, 3));
    });

    it("cuts off what a batch truncates before it takes the batch's entries", async () => {
      const storage = await member(LOG_1_TO_4);
      await storage.append({ hardState: hardState(3), truncateAfter: logIndex(2), entries: [noop(3, 3)] });
      expect((await reopened(storage)).entries).toStrictEqual([noop(1, 1), noop(2, 1), noop(3, 3)]);
    });

    it("cuts off down to the snapshot, and without entries of its own", async () => {
      const storage = await member(LOG_1_TO_4);
      await storage.append({ truncateAfter: logIndex(0), entries: [] });
      const state = await reopened(storage);
      expect(state.entries).toStrictEqual([]);
      expect(state.hardState).toStrictEqual(hardState(2));
    });

    it.each([
      ["in the middle of the log: the entries behind it stay", 2, 1, [noop(3, 2), noop(4, 2)]],
      ["at the end of the log: none stay", 4, 2, []],
      ["beyond the end of the log: none stay", 9, 2, []],
      ["of another history than the log: none stay", 2, 2, []],
    ])("saves a snapshot %s (Raft paper, figure 13)", async (_case, index, atTerm, expected) => {
      const storage = await member(LOG_1_TO_4);
      await storage.saveSnapshot(snapshotAt(index, atTerm));
      const state = await reopened(storage);
      expect(state.snapshot).toStrictEqual(snapshotAt(index, atTerm));
      expect(state.entries).toStrictEqual(expected);
      expect(state.hardState).toStrictEqual(hardState(2));
    });

    it("goes on behind a snapshot, before and after it is opened again", async () => {
      const storage = await member(LOG_1_TO_4, { kind: "saveSnapshot", snapshot: snapshotAt(3, 2) });
      await storage.append({ entries: [noop(5, 2)] });
      await storage.close();
      const { storage: second } = await opened();
      await second.append({ entries: [noop(6, 2)] });
      expect((await reopened(second)).entries).toStrictEqual([noop(4, 2), noop(5, 2), noop(6, 2)]);
    });

    it("saves a snapshot of another group, made by hand of one that is lost, in place of the whole log", async () => {
      const storage = await member(LOG_1_TO_4);
      const rescued = { ...snapshotAt(5, 3), groupId: "9".repeat(32), tokenBase: FORM.tokenBase + 2 ** 32 };
      await expect(storage.saveSnapshot({ ...rescued, index: logIndex(4) })).rejects.toThrow(AssertionError);
      await storage.close();
      const { storage: second } = await opened();
      await second.saveSnapshot(rescued);
      const state = await reopened(second);
      expect(state).toStrictEqual({ ...statesOf([...FOUNDED, LOG_1_TO_4]).at(-1), snapshot: rescued, entries: [] });
    });

    it("saves a snapshot of a later term than its own, and goes on in that term: a node that joins", async () => {
      const { storage } = await opened();
      for (const call of JOINED) await carryOut(storage, call);
      await storage.close();
      const { storage: second, state } = await opened();
      expect(state).toStrictEqual({ ...EMPTY_STATE, identity: REBORN, snapshot: snapshotAt(40, 7) });
      await expect(second.append({ entries: [noop(41, 8)] })).rejects.toThrow(AssertionError);
      await second.close();
      const { storage: third } = await opened();
      await third.append({ entries: [noop(41, 7)] });
      await third.append({ hardState: hardState(8, 1), entries: [noop(42, 8)] });
      const last = await reopened(third);
      expect(last.entries).toStrictEqual([noop(41, 7), noop(42, 8)]);
      expect(last.hardState).toStrictEqual(hardState(8, 1));
    });

    it("is empty once it is wiped, and takes a new incarnation without being opened again", async () => {
      const storage = await member(LOG_1_TO_4, { kind: "saveForm", form: FORM });
      await storage.wipe();
      await expect(storage.append({ hardState: hardState(3), entries: [] })).rejects.toThrow(AssertionError);
      expect(await reopened(storage)).toStrictEqual(EMPTY_STATE);
      const { storage: second } = await opened();
      for (const call of FOUNDED) await carryOut(second, call);
      await second.wipe();
      for (const call of JOINED) await carryOut(second, call);
      expect(await reopened(second)).toStrictEqual(statesOf(JOINED).at(-1));
    });

    it("keeps a log much longer than one frame", async () => {
      const entries = Array.from({ length: 1000 }, (_, at) => noop(at + 1, 1));
      const storage = await member(appendOf({ hardState: hardState(1), entries }));
      await storage.saveSnapshot(snapshotAt(1, 1));
      expect((await reopened(storage)).entries).toStrictEqual(entries.slice(1));
      expect((await reopened((await opened()).storage)).entries).toStrictEqual(entries.slice(1));
    });

    it("hands out a state that later calls do not change", async () => {
      const first = await member(LOG_1_TO_4);
      await first.close();
      const { storage, state } = await opened();
      const copy = structuredClone(state);
      await storage.append({ truncateAfter: logIndex(1), entries: [noop(2, 2)] });
      expect(state).toStrictEqual(copy);
      await storage.close();
    });

    it("reports the duration of the sync of every append", async () => {
      const storage = await member();
      for (const index of [1, 2, 3]) {
        syncs = [];
        await storage.append({ hardState: hardState(1), entries: [noop(index, 1)] });
        expect(syncs).toHaveLength(1);
        expect(syncs[0]).toBeGreaterThanOrEqual(0);
      }
      await storage.close();
    });

    it("refuses a second storage on the same disk until the first is closed or dead", async () => {
      const storage = await member();
      await expect(bench.open(observer)).rejects.toMatchObject({ code: "storage_in_use" });
      await storage.close();
      await (await opened()).storage.close();
      await opened();
      await bench.crash();
      await (await opened()).storage.close();
    });

    it("asserts that calls do not overlap", async () => {
      const storage = await member();
      const first = storage.append({ hardState: hardState(1), entries: [noop(1, 1)] });
      // Legal but for their moment, so that nothing else refuses them.
      const others = [storage.append({ hardState: hardState(1), entries: [] }), storage.saveForm(FORM)];
      await Promise.all(others.map(async (other) => expect(other).rejects.toThrow("do not overlap")));
      await first;
      expect((await reopened(storage)).entries).toStrictEqual([noop(1, 1)]);
    });

    it("closes after the append in flight, and closes twice", async () => {
      const storage = await member();
      let done = false;
      const append = storage.append({ hardState: hardState(1), entries: [noop(1, 1)] }).then(() => (done = true));
      await storage.close();
      expect(done).toBe(true);
      await append;
      await storage.close();
      const { state } = await opened();
      expect(state.entries).toStrictEqual([noop(1, 1)]);
    });

    it("asserts that it is loaded once, first, and not used after close", async () => {
      const unloaded = await bench.open(observer);
      await expect(unloaded.saveIdentity(IDENTITY)).rejects.toThrow(AssertionError);
      await unloaded.close();
      const { storage } = await opened();
      await expect(storage.load()).rejects.toThrow(AssertionError);
      await storage.close();
      await expect(storage.saveIdentity(IDENTITY)).rejects.toThrow(AssertionError);
    });

    it.each<[string, StorageCall]>([
      ["a second identity", { kind: "saveIdentity", identity: IDENTITY }],
      ["a gap in the log", appendOf({ entries: [noop(6, 2)] })],
      ["an entry that is there already", appendOf({ entries: [noop(4, 2)] })],
      ["a gap inside a batch", appendOf({ entries: [noop(5, 2), noop(7, 2)] })],
      ["a term that falls along the log", appendOf({ entries: [noop(5, 1)] })],
      ["a term that falls inside a batch", appendOf({ hardState: hardState(3), entries: [noop(5, 3), noop(6, 2)] })],
      ["an entry of a term to come", appendOf({ entries: [noop(5, 3)] })],
      ["a current term that falls", appendOf({ hardState: hardState(1), entries: [] })],
      ["a smaller largest promise", appendOf({ hardState: hardState(2, null, 1999), entries: [] })],
      ["a cut beyond the end", appendOf({ truncateAfter: logIndex(5), entries: [] })],
      ["a snapshot that goes back", { kind: "saveSnapshot", snapshot: { ...snapshotAt(0, 0), index: logIndex(1) } }],
    ])("refuses %s as the caller's error", async (_case, call) => {
      const storage = await member(LOG_1_TO_4, { kind: "saveSnapshot", snapshot: snapshotAt(2, 1) });
      await expect(carryOut(storage, call)).rejects.toThrow(AssertionError);
      const state = await reopened(storage);
      expect(state.entries).toStrictEqual([noop(3, 2), noop(4, 2)]);
      expect(state.hardState).toStrictEqual(hardState(2));
    });

    it("refuses to cut off what a snapshot covers", async () => {
      const storage = await member(LOG_1_TO_4, { kind: "saveSnapshot", snapshot: snapshotAt(2, 1) });
      await expect(storage.append({ truncateAfter: logIndex(1), entries: [] })).rejects.toThrow(AssertionError);
      await storage.close();
    });

    it.each<[string, 0 | 1 | null]>([
      ["to another candidate", 1],
      ["back to none", null],
    ])("refuses a vote that changes %s within its term", async (_case, vote) => {
      const storage = await member(appendOf({ hardState: hardState(2, 0), entries: [] }));
      await expect(storage.append({ hardState: hardState(2, vote), entries: [] })).rejects.toThrow(AssertionError);
      expect((await reopened(storage)).hardState).toStrictEqual(hardState(2, 0));
    });

    it("refuses every write without an identity, and entries without a snapshot", async () => {
      const early: readonly StorageCall[] = [
        { kind: "saveForm", form: FORM },
        { kind: "saveSnapshot", snapshot: snapshotAt(0, 0) },
        appendOf({ hardState: hardState(1), entries: [] }),
        { kind: "wipe" },
      ];
      for (const call of early) {
        const { storage } = await opened();
        await expect(carryOut(storage, call)).rejects.toThrow(AssertionError);
        expect(await reopened(storage)).toStrictEqual(EMPTY_STATE);
      }
      const { storage } = await opened();
      await storage.saveIdentity(IDENTITY);
      await expect(storage.append({ hardState: hardState(1), entries: [noop(1, 1)] })).rejects.toThrow(AssertionError);
      await storage.close();
    });
  });
}

describeStorage("disk", createDiskBench);
describeStorage("memory", createMemoryBench);
