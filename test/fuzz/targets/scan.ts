/**
 * The bytes of a log file, whatever they are (src/storage/wal-scan.ts, wal-format.ts).
 *
 * Promise: `storage_corrupt`, `storage_version`, or records that stand in the file one behind the other, each with the
 * text that its checksum covers, up to a tail that is torn.
 */
import { crc32 } from "node:zlib";
import { readFileSync } from "node:fs";
import { scanWal } from "../../../src/storage/wal-scan.ts";
import { bytesMutator, either } from "../engine/bytes.ts";
import { type Mutator, refusal, require, type Target } from "../engine/target.ts";

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 12;

/** Makes every checksum right that stands where one belongs, so that what it covers is looked at. */
const repair: Mutator = (input) => {
  const bytes = Buffer.from(input);
  if (bytes.length < FILE_HEADER_BYTES) return bytes;
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12)), 12);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 20)), 20);
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const text = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    bytes.writeUInt32BE(crc32(text), at + 8);
    const covered = Buffer.alloc(16);
    covered.writeBigUInt64BE(BigInt(at), 0);
    bytes.copy(covered, 8, at, at + 4);
    bytes.copy(covered, 12, at + 8, at + 12);
    bytes.writeUInt32BE(crc32(covered), at + 4);
    at += RECORD_HEADER_BYTES + length;
  }
  return bytes;
};

const changeBytes = bytesMutator(["TENUREWL", "\0".repeat(512), "\0\0\0\u0001", "{}", "null", '{"entries":[]}']);

export function open(): Target {
  const wal = readFileSync(new URL("../../golden/disk-v1/wal", import.meta.url));
  const other = readFileSync(new URL("../../golden/disk-v1-wipe/wal", import.meta.url));
  return {
    covers: ["src/storage/wal"],
    seeds: [wal, other, Buffer.concat([wal, Buffer.alloc(600)]), wal.subarray(0, wal.length - 5)],
    mutate: either(
      [2, changeBytes],
      [3, (input, dice, others) => repair(changeBytes(input, dice, others), dice, others)],
    ),
    run(input) {
      try {
        const { records, tornBytes, appended } = scanWal(input, "/data/wal");
        let end = FILE_HEADER_BYTES;
        for (const { position, payload } of records) {
          require(position === end, "a record begins where the one before it ends");
          end = position + RECORD_HEADER_BYTES + input.readUInt32BE(position);
          const text = input.subarray(position + RECORD_HEADER_BYTES, end);
          require(crc32(text) === input.readUInt32BE(position + 8), "a record is what its checksum covers");
          require(JSON.stringify(JSON.parse(text.toString())) === JSON.stringify(payload), "a record is what it says");
        }
        require(end + tornBytes === input.length, "every byte is in a record or in the torn tail");
        require(appended === input.length > input.readUInt32BE(16), "what was appended stands behind the seal");
        return `${Math.min(records.length, 3)} records${tornBytes === 0 ? "" : ", torn"}${appended ? "" : ", as made"}`;
      } catch (error) {
        return refusal(error, ["storage_corrupt", "storage_version"]);
      }
    },
  };
}
