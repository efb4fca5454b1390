/**
 * The bytes of the log file `wal`. All integers are big-endian; docs/reference/disk-format.md has the tables.
 *
 *     file header   "TENUREWL" | version u32 | crc32 of the 12 bytes before | sealed u32 | crc32 of the 20 before
 *     record        length u32 | crc32 of the header | crc32 of the payload | payload: JSON
 *
 * Invariant: a record's header is checked apart from its payload, and is bound to its position. So a damaged length
 * is damage, and is never taken for a record that runs past the end. `sealed` counts the bytes that were synced
 * before the file got its name: whatever is wrong below it cannot be the torn tail of an append.
 *
 * Deliberately absent: padding and preallocation. The file ends where the last record ends.
 */
import { crc32 } from "node:zlib";
import { assert } from "../base/assert.ts";
import { MAX_APPEND_ENTRIES, MAX_WAL_RECORD_BYTES } from "../base/limits.ts";
import type { Append } from "../ports/storage.ts";
import { corrupt, unknownVersion } from "./failures.ts";
import type { StoredLog } from "./log.ts";

export const RECORD_HEADER_BYTES = 12;
export const FILE_HEADER_BYTES = 24;

const VERSION = 1;
const MAGIC = Buffer.from("TENUREWL");
const VERSION_AT = 8;
const VERSION_CRC_AT = 12;
const SEALED_AT = 16;
const HEADER_CRC_AT = 20;

export interface RecordHeader {
  /** Of the payload, in bytes. */
  readonly length: number;
  readonly payloadCrc: number;
}

export function encodeRecord(payload: unknown, position: number): Buffer {
  const text = Buffer.from(JSON.stringify(payload));
  assert(text.length <= MAX_WAL_RECORD_BYTES, "a record stays below its limit");
  const record = Buffer.alloc(RECORD_HEADER_BYTES + text.length);
  const payloadCrc = crc32(text);
  record.writeUInt32BE(text.length, 0);
  record.writeUInt32BE(headerCrc(position, text.length, payloadCrc), 4);
  record.writeUInt32BE(payloadCrc, 8);
  text.copy(record, RECORD_HEADER_BYTES);
  return record;
}

/** The header at `position`, or null when its checksum does not match. */
export function decodeRecordHeader(bytes: Buffer, position: number): RecordHeader | null {
  const length = bytes.readUInt32BE(position);
  const payloadCrc = bytes.readUInt32BE(position + 8);
  const matches = bytes.readUInt32BE(position + 4) === headerCrc(position, length, payloadCrc);
  return matches ? { length, payloadCrc } : null;
}

/** A whole new file that says what `log` says: its start, then its entries in records of bounded size. */
export function encodeLog(log: StoredLog): Buffer {
  const parts: Buffer[] = [];
  let position = FILE_HEADER_BYTES;
  const add = (payload: unknown): void => {
    const record = encodeRecord(payload, position);
    parts.push(record);
    position += record.length;
  };
  add(log.start);
  for (let from = 0; from < log.entries.length; from += MAX_APPEND_ENTRIES) {
    add({ entries: log.entries.slice(from, from + MAX_APPEND_ENTRIES) } satisfies Append);
  }
  return Buffer.concat([fileHeader(position), ...parts]);
}

/** Checks the file header; returns the sealed length. Throws `storage_corrupt` or `storage_version`. */
export function decodeFileHeader(bytes: Buffer, path: string): number {
  if (bytes.length < FILE_HEADER_BYTES) throw corrupt(path, bytes.length, "the file ends inside its header");
  if (!bytes.subarray(0, VERSION_AT).equals(MAGIC)) throw corrupt(path, 0, "not a log file of tenure");
  if (bytes.readUInt32BE(VERSION_CRC_AT) !== crc32(bytes.subarray(0, VERSION_CRC_AT))) {
    throw corrupt(path, VERSION_AT, "the version's checksum does not match");
  }
  const version = bytes.readUInt32BE(VERSION_AT);
  if (version !== VERSION) throw unknownVersion(path, version, VERSION);
  if (bytes.readUInt32BE(HEADER_CRC_AT) !== crc32(bytes.subarray(0, HEADER_CRC_AT))) {
    throw corrupt(path, SEALED_AT, "the file header's checksum does not match");
  }
  return bytes.readUInt32BE(SEALED_AT);
}

function fileHeader(sealedBytes: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32BE(VERSION, VERSION_AT);
  header.writeUInt32BE(crc32(header.subarray(0, VERSION_CRC_AT)), VERSION_CRC_AT);
  header.writeUInt32BE(sealedBytes, SEALED_AT);
  header.writeUInt32BE(crc32(header.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return header;
}

/** Over the position too: a record that the disk put in the wrong place is not taken for the one that belongs there. */
function headerCrc(position: number, length: number, payloadCrc: number): number {
  const covered = Buffer.alloc(16);
  covered.writeBigUInt64BE(BigInt(position), 0);
  covered.writeUInt32BE(length, 8);
  covered.writeUInt32BE(payloadCrc, 12);
  return crc32(covered);
}
