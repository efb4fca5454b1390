/**
 * Damage: whatever happens to bytes that somebody relied on, the load ends with `storage_corrupt` and never with less
 * than was acknowledged.
 */
import fc from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { MAX_WAL_RECORD_BYTES } from "../../../src/base/limits.ts";
import { encodeEnvelope } from "../../../src/storage/envelope.ts";
import { encodeRecord, RECORD_HEADER_BYTES } from "../../../src/storage/wal-format.ts";
import {
  bytesOf,
  commandOfRecord,
  contentsAfter,
  corruptAt,
  load,
  longLog,
  withFile,
} from "../../support/storage-contents.ts";
import {
  anyMove,
  appendOf,
  callsOf,
  FOUNDED,
  hardState,
  IDENTITY,
  LIFE,
  noop,
  snapshotAt,
} from "../../support/storage-lives.ts";
import { statesOf, type StorageCall } from "../../support/storage-model.ts";

const SMALL_FILES = ["identity.json", "form.json", "snapshot.json"];

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

/** The same as `corruptAt`, quick enough for every bit. */
function isCorruption(outcome: unknown, name: string): boolean {
  if (!(outcome instanceof TenureError) || outcome.code !== "storage_corrupt") return false;
  return outcome.message.startsWith(`/data/${name}`);
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

  it("is a record that ends with a sector and fails its checksum: there are no zeros", async () => {
    const contents = await contentsAfter(LIFE.slice(0, 6));
    const base = bytesOf(contents, "wal");
    const record = encodeRecord({ entries: [commandOfRecord(1024 - base.length, base.length)] }, base.length);
    const wal = Buffer.concat([base, record]);
    expect(wal.length).toBe(1024);
    expect((await load(withFile(contents, "wal", wal))).state.entries).toHaveLength(1);
    for (const byte of [base.length, base.length + 8, 1000, 1023]) {
      const damaged = load(withFile(contents, "wal", flipped(wal, byte * 8)));
      await expect(damaged, `byte ${byte}`).rejects.toMatchObject(corruptAt(`wal, byte ${base.length}`));
    }
  });

  it("is anything missing from what was there when the file got its name", async () => {
    const batch = { hardState: hardState(1), entries: [noop(1, 1), noop(2, 1), noop(3, 1)] };
    const cut: StorageCall = { kind: "saveSnapshot", snapshot: snapshotAt(1, 1) };
    const contents = await contentsAfter([...FOUNDED, appendOf(batch), cut]);
    const wal = bytesOf(contents, "wal");
    expect((await load(contents)).state.entries).toHaveLength(2);
    for (let length = 0; length < wal.length; length += 1) {
      const shorter = load(withFile(contents, "wal", wal.subarray(0, length)));
      await expect(shorter, `${length} bytes`).rejects.toMatchObject(corruptAt("wal"));
      const zeroed = load(withFile(contents, "wal", Buffer.from(wal).fill(0, length)));
      await expect(zeroed, `zeros from ${length}`).rejects.toMatchObject(corruptAt("wal"));
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
    [
      "a member id that is none",
      { hardState: { term: 3, votedFor: "app-1", largestPromiseMs: 2500.5 }, entries: [] },
      "votedFor",
    ],
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
