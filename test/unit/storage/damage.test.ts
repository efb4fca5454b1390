/**
 * Torn tails and damage: a tail that nobody was told of is cut off, a bit that somebody relied on is never dropped.
 */
import fc from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { MAX_WAL_RECORD_BYTES } from "../../../src/base/limits.ts";
import type { StorageObserver, StoredState } from "../../../src/ports/storage.ts";
import { DiskStorage } from "../../../src/storage/disk-storage.ts";
import { encodeEnvelope } from "../../../src/storage/envelope.ts";
import { encodeRecord, FILE_HEADER_BYTES, RECORD_HEADER_BYTES } from "../../../src/storage/wal-format.ts";
import { CrashDisk } from "../../support/crash-files.ts";
import { anyMove, callsOf, hardState, IDENTITY, LIFE, noop } from "../../support/storage-lives.ts";
import { carryOut, statesOf, type StorageCall } from "../../support/storage-model.ts";

type Contents = ReadonlyMap<string, Buffer>;

const SMALL_FILES = ["identity.json", "form.json", "snapshot.json"];
const BATCHES_FROM = 5;
/** Up to and with the long batch: its log holds five batches. */
const CALLS = LIFE.slice(0, 10);

async function contentsAfter(calls: readonly StorageCall[]): Promise<Contents> {
  const disk = new CrashDisk();
  const observer: StorageObserver = { synced: () => undefined, tailCut: () => undefined };
  const storage = new DiskStorage(disk.open(), observer, async () => undefined);
  await storage.load();
  for (const call of calls) await carryOut(storage, call);
  return disk.contents();
}

interface Loaded {
  readonly state: StoredState;
  readonly cut: number;
  readonly contents: Contents;
}

async function load(contents: Contents): Promise<Loaded> {
  const disk = CrashDisk.of(contents);
  let cut = 0;
  const observer: StorageObserver = { synced: () => undefined, tailCut: (bytes) => (cut += bytes) };
  const state = await new DiskStorage(disk.open(), observer, async () => undefined).load();
  return { state, cut, contents: disk.contents() };
}

function withFile(contents: Contents, name: string, bytes: Buffer): Contents {
  return new Map([...contents, [name, bytes]]);
}

function bytesOf(contents: Contents, name: string): Buffer {
  return Buffer.from(contents.get(name) ?? expect.fail(`there is no ${name}`));
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

const corruptAt = (name: string) => ({
  code: "storage_corrupt",
  message: expect.stringMatching(new RegExp(`^/data/${name}.*Restore the disk, or empty the directory`)) as string,
});

/** The same as `corruptAt`, quick enough for every bit. */
function isCorruption(outcome: unknown, name: string): boolean {
  if (!(outcome instanceof TenureError) || outcome.code !== "storage_corrupt") return false;
  return outcome.message.startsWith(`/data/${name}`);
}

interface LongLog {
  readonly contents: Contents;
  readonly wal: Buffer;
  /** Where each record ends; the first is the end of the sealed part. */
  readonly ends: readonly number[];
  /** The state at each of these ends. */
  readonly states: readonly StoredState[];
}

async function longLog(): Promise<LongLog> {
  const contents = await contentsAfter(CALLS);
  const ends: number[] = [];
  const states = statesOf(CALLS).slice(BATCHES_FROM);
  for (let calls = BATCHES_FROM; calls <= CALLS.length; calls += 1) {
    ends.push(bytesOf(await contentsAfter(CALLS.slice(0, calls)), "wal").length);
  }
  return { contents, wal: bytesOf(contents, "wal"), ends, states };
}

describe("damage", () => {
  it.each([10, LIFE.length])("to any single bit of any file ends the load (a life of %i calls)", async (calls) => {
    const contents = await contentsAfter(LIFE.slice(0, calls));
    expect([...contents.keys()].sort()).toStrictEqual([...SMALL_FILES, "wal"].sort());
    for (const name of contents.keys()) {
      const bytes = bytesOf(contents, name);
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const outcome = await load(withFile(contents, name, flipped(bytes, bit))).catch((error: unknown) => error);
        if (isCorruption(outcome, name)) continue;
        expect(outcome, `${name}, bit ${bit}`).toMatchObject(corruptAt(name));
      }
    }
  });

  it("to any bits of any life ends the load, or changes nothing", async () => {
    const damage = fc.record({
      moves: fc.array(anyMove, { maxLength: 8 }),
      file: fc.nat(3),
      bits: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ moves, file, bits }) => {
        const calls = callsOf(moves);
        const contents = await contentsAfter(calls);
        const [name, bytes] = [...contents][file % contents.size] ?? expect.fail("there are files");
        const damaged = bits.reduce((rest, bit) => flipped(rest, bit % (bytes.length * 8)), bytes);
        const outcome = await load(withFile(contents, name, damaged)).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "storage_corrupt" });
        else expect(outcome).toMatchObject({ state: statesOf(calls).at(-1), cut: 0 });
      }),
      { numRuns: 300 },
    );
  });

  it("to a small file is any truncation of it", async () => {
    const contents = await contentsAfter(LIFE);
    for (const name of SMALL_FILES) {
      const bytes = bytesOf(contents, name);
      for (let length = 0; length < bytes.length; length += 1) {
        const cut = load(withFile(contents, name, bytes.subarray(0, length)));
        await expect(cut, `${name}, ${length} bytes`).rejects.toMatchObject(corruptAt(name));
      }
    }
  });

  it("is a record in another record's place, or twice", async () => {
    const { contents, wal, ends } = await longLog();
    const last = wal.subarray(ends.at(-2), ends.at(-1));
    await expect(load(withFile(contents, "wal", Buffer.concat([wal, last])))).rejects.toMatchObject(corruptAt("wal"));
  });

  it("is a run of zeros that does not begin where a write could have ended", async () => {
    const { contents, wal, ends } = await longLog();
    const start = ends.at(-2) ?? 0;
    for (let from = start + RECORD_HEADER_BYTES + 1; from < wal.length; from += 1) {
      if (from % 512 === 0) continue;
      const zeroed = load(withFile(contents, "wal", Buffer.from(wal).fill(0, from)));
      await expect(zeroed, `zeros from ${from}`).rejects.toMatchObject(corruptAt("wal"));
    }
  });

  it("is a run of zeros with anything behind it", async () => {
    const { contents, wal, ends } = await longLog();
    const [, , start = 0, end = 0] = ends;
    const hole = Buffer.from(wal).fill(0, start, end);
    await expect(load(withFile(contents, "wal", hole))).rejects.toMatchObject(corruptAt(`wal, byte ${start}`));
  });

  it.each([
    ["a gap in the log", { entries: [noop(9, 2)] }, "entry 9 follows entry 7"],
    ["a term that falls", { entries: [noop(8, 1)] }, "the term falls from 2 to 1"],
    ["an entry of a term to come", { entries: [noop(8, 9)] }, "newer than the term 2"],
    ["a vote that changes", { hardState: hardState(2, 2, 2500.5), entries: [] }, "the vote of term 2 changes"],
    ["a smaller promise", { hardState: hardState(3, 2, 1), entries: [] }, "the largest promise shrinks"],
    ["a cut below any log", { truncateAfter: -1, entries: [] }, "truncateAfter"],
    ["a cut beyond the end", { truncateAfter: 8, entries: [] }, "cut off after 8"],
    ["an unknown key", { entries: [], epoch: 1 }, "epoch"],
    ["an unknown kind of entry", { entries: [{ ...noop(8, 2), kind: "lock" }] }, "kind"],
    ["a member id that is none", { hardState: { term: 3, votedFor: "app-1", largestPromiseMs: 2500.5 }, entries: [] }, "votedFor"],
    ["no batch at all", 7, "Object"],
  ])("is a record with right checksums that does not make sense: %s", async (_case, payload, fact) => {
    const { contents, wal } = await longLog();
    const added = Buffer.concat([wal, encodeRecord(payload, wal.length)]);
    const outcome = load(withFile(contents, "wal", added));
    await expect(outcome).rejects.toMatchObject(corruptAt(`wal, byte ${wal.length}`));
    await expect(outcome).rejects.toThrow(fact);
  });

  it("is a small file with a right checksum that does not make sense", async () => {
    const contents = await contentsAfter(LIFE);
    for (const name of SMALL_FILES) {
      const foreign = load(withFile(contents, name, encodeEnvelope({ ...IDENTITY, more: 1 })));
      await expect(foreign).rejects.toMatchObject(corruptAt(name));
    }
    const unnamed = load(withFile(contents, "identity.json", encodeEnvelope({ ...IDENTITY, name: "" })));
    await expect(unnamed).rejects.toThrow("name: ");
  });

  it("is a record above the limit, even if its checksum is right", async () => {
    const { contents, wal } = await longLog();
    const giant = encodeRecord("x".repeat(MAX_WAL_RECORD_BYTES - 2), wal.length);
    // The same header rule, on a length that no writer may use.
    const covered = Buffer.alloc(16);
    covered.writeBigUInt64BE(BigInt(wal.length), 0);
    covered.writeUInt32BE(MAX_WAL_RECORD_BYTES + 1, 8);
    giant.copy(covered, 12, 8, 12);
    giant.writeUInt32BE(MAX_WAL_RECORD_BYTES + 1, 0);
    giant.writeUInt32BE(crc32(covered), 4);
    const outcome = load(withFile(contents, "wal", Buffer.concat([wal, giant])));
    await expect(outcome).rejects.toMatchObject(corruptAt(`wal, byte ${wal.length}`));
  });
});

describe("a torn tail", () => {
  it("at any byte is cut off, and whole batches stay; what was sealed is never a tail", async () => {
    const { contents, wal, ends, states } = await longLog();
    const [sealed = 0] = ends;
    expect(ends).toHaveLength(6);
    for (let length = 0; length <= wal.length; length += 1) {
      const cut = withFile(contents, "wal", wal.subarray(0, length));
      if (length < sealed) {
        await expect(load(cut), `${length} bytes`).rejects.toMatchObject(corruptAt("wal"));
        continue;
      }
      const loaded = await load(cut);
      const batches = ends.findLastIndex((end) => end <= length);
      expect(loaded.state, `${length} bytes`).toStrictEqual(states[batches]);
      expect(loaded.cut, `${length} bytes`).toBe(length - (ends[batches] ?? 0));
      const again = await load(loaded.contents);
      expect(again).toMatchObject({ state: loaded.state, cut: 0 });
    }
  });

  it("of zeros, from the record's start or from a sector inside it, is cut off", async () => {
    const { contents, wal, ends, states } = await longLog();
    const start = ends.at(-2) ?? 0;
    const boundaries = [start];
    for (let from = Math.ceil((start + 1) / 512) * 512; from < wal.length; from += 512) boundaries.push(from);
    expect(boundaries.length).toBeGreaterThan(2);
    for (const from of boundaries) {
      const loaded = await load(withFile(contents, "wal", Buffer.from(wal).fill(0, from)));
      expect(loaded, `zeros from ${from}`).toMatchObject({ state: states.at(-2), cut: wal.length - start });
    }
  });

  it("of zeros that begin inside the record's header, at a sector boundary, is cut off", async () => {
    const contents = await contentsAfter(LIFE.slice(0, 6));
    const base = bytesOf(contents, "wal");
    // Grow the log until a record's header lies across a sector boundary, at every offset inside it.
    for (let inside = 1; inside < RECORD_HEADER_BYTES; inside += 1) {
      const command = (length: number) => [{ ...noop(1, 1), kind: "command", command: "x".repeat(length) }];
      const unpadded = encodeRecord({ entries: command(0) }, base.length).length;
      const target = Math.ceil((base.length + unpadded + inside) / 512) * 512 - inside;
      const first = encodeRecord({ entries: command(target - base.length - unpadded) }, base.length);
      const second = encodeRecord({ entries: [noop(2, 1), noop(3, 1)] }, target);
      second.fill(0, inside);
      const loaded = await load(withFile(contents, "wal", Buffer.concat([base, first, second])));
      expect(loaded.cut, `${inside} bytes of the header`).toBe(second.length);
      expect(loaded.state.entries).toHaveLength(1);
    }
  });
});

describe("another version", () => {
  const VERSION_2 = { code: "storage_version", message: expect.stringContaining("version 2") as string };

  it("of a small file is named, and is no damage", async () => {
    const data = JSON.stringify(IDENTITY);
    const sum = crc32(`2:${data}`).toString(16).padStart(8, "0");
    const contents = await contentsAfter(LIFE);
    const later = withFile(contents, "identity.json", Buffer.from(`{"version":2,"crc32":"${sum}","data":${data}}\n`));
    await expect(load(later)).rejects.toMatchObject(VERSION_2);
  });

  it("of the log is named, and is no damage", async () => {
    const contents = await contentsAfter(LIFE);
    const wal = bytesOf(contents, "wal");
    wal.writeUInt32BE(2, 8);
    wal.writeUInt32BE(crc32(wal.subarray(0, 12)), 12);
    wal.fill(7, 16, FILE_HEADER_BYTES);
    await expect(load(withFile(contents, "wal", wal))).rejects.toMatchObject(VERSION_2);
  });
});
