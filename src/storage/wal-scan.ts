/**
 * Reads the records of a log file, and tells a torn tail from damage.
 *
 * Appends do not overlap and a failed one ends the process. So a crash can have torn one record at most, the last,
 * and nobody was ever told that it was durable. It is cut off. It looks like one of these:
 *   - the file ends inside the record's header, or before the end that an intact header announces;
 *   - the file has its full size, but from the record's start or from a sector boundary inside it to the end of the
 *     file there are only zeros: pages that were allocated and not written. JSON holds no zero byte.
 * Everything else is damage to bytes that may have been acknowledged, and ends the process.
 *
 * Invariant: whatever single bit of an acknowledged record flips, the scan throws. (The last byte of a record is a
 * brace, which is several bits away from zero; and the header's own checksum guards the length.)
 *
 * Deliberately absent: the search for later records behind a bad one, and repair. Bytes behind a bad record that are
 * not zeros already make it damage.
 */
import { crc32 } from "node:zlib";
import { MAX_WAL_RECORD_BYTES } from "../base/limits.ts";
import { corrupt } from "./failures.ts";
import { decodeFileHeader, decodeRecordHeader, FILE_HEADER_BYTES, RECORD_HEADER_BYTES } from "./wal-format.ts";

/** The smallest unit that a disk writes whole; pages and blocks are multiples of it. */
const SECTOR_BYTES = 512;

export interface WalRecord {
  readonly position: number;
  readonly payload: unknown;
}

export interface WalScan {
  readonly records: readonly WalRecord[];
  /** Bytes of a torn tail; 0 as a rule. */
  readonly tornBytes: number;
  /** Whether something was appended since the file was made, torn or not. */
  readonly appended: boolean;
}

type Read =
  | { readonly kind: "record"; readonly payload: unknown; readonly end: number }
  | { readonly kind: "torn"; readonly fact: string }
  | { readonly kind: "damaged"; readonly fact: string };

/** Throws `storage_corrupt` or `storage_version`; `path` is for messages. */
export function scanWal(bytes: Buffer, path: string): WalScan {
  const sealedBytes = decodeFileHeader(bytes, path);
  if (bytes.length < sealedBytes) throw corrupt(path, bytes.length, "the file ends inside its sealed part");
  const records: WalRecord[] = [];
  let position = FILE_HEADER_BYTES;
  while (position < bytes.length) {
    const read = readRecord(bytes, position);
    if (read.kind === "damaged" || (read.kind === "torn" && position < sealedBytes)) {
      throw corrupt(path, position, read.fact);
    }
    if (read.kind === "torn") break;
    records.push({ position, payload: read.payload });
    position = read.end;
  }
  return { records, tornBytes: bytes.length - position, appended: bytes.length > sealedBytes };
}

function readRecord(bytes: Buffer, position: number): Read {
  const left = bytes.length - position;
  if (left < RECORD_HEADER_BYTES) return { kind: "torn", fact: "the file ends inside a record's header" };
  const header = decodeRecordHeader(bytes, position);
  if (header === null) return bad(bytes, position, "a record's header does not match its checksum");
  if (header.length > MAX_WAL_RECORD_BYTES) return { kind: "damaged", fact: `a record of ${header.length} bytes` };
  const from = position + RECORD_HEADER_BYTES;
  const end = from + header.length;
  if (end > bytes.length) return { kind: "torn", fact: "the file ends inside a record" };
  const text = bytes.subarray(from, end);
  if (crc32(text) !== header.payloadCrc) return bad(bytes, position, "a record does not match its checksum");
  try {
    return { kind: "record", payload: JSON.parse(text.toString()), end };
  } catch {
    return { kind: "damaged", fact: "a record is not JSON" };
  }
}

function bad(bytes: Buffer, position: number, fact: string): Read {
  return { kind: endsUnwritten(bytes, position) ? "torn" : "damaged", fact };
}

/** Whether the record at `position` was written up to its start or up to a sector boundary, and is zeros from there. */
function endsUnwritten(bytes: Buffer, position: number): boolean {
  let zerosFrom = bytes.length;
  while (zerosFrom > position && bytes[zerosFrom - 1] === 0) zerosFrom -= 1;
  if (zerosFrom === position) return true;
  const boundary = Math.ceil(zerosFrom / SECTOR_BYTES) * SECTOR_BYTES;
  // Only the header has zeros of its own; in the JSON behind it the first zero is the first byte not written.
  const written = Math.max(zerosFrom, Math.min(boundary, position + RECORD_HEADER_BYTES));
  return boundary < bytes.length && boundary === written;
}
