/**
 * Torn tails: what a crash leaves of an append that nobody was told of is cut off, and everything before it stays. And
 * intact files of another version, which are no damage.
 */
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeRecord, FILE_HEADER_BYTES, RECORD_HEADER_BYTES } from "../../../src/storage/wal-format.ts";
import {
  bytesOf,
  commandOfRecord,
  contentsAfter,
  corruptAt,
  load,
  longLog,
  withFile,
} from "../../support/storage-contents.ts";
import { IDENTITY, LIFE } from "../../support/storage-lives.ts";

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
    for (let inside = 1; inside < RECORD_HEADER_BYTES; inside += 1) {
      const start = 1024 - inside;
      const first = encodeRecord({ entries: [commandOfRecord(start - base.length, base.length)] }, base.length);
      // A length of 00 00 01 00: the header has zeros of its own in front of those that were never overwritten.
      const second = encodeRecord({ entries: [commandOfRecord(RECORD_HEADER_BYTES + 256, start)] }, start);
      expect(second.readUInt32BE(0)).toBe(256);
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
