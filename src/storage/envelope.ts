/**
 * The envelope of the small files: one line of JSON that carries a format version and a checksum.
 *
 *     {"version":1,"crc32":"9bd366ae","data":{…}}
 *
 * Invariant: no byte of the file is outside the checksum or the fixed text around it, so every flipped bit shows. The
 * envelope itself never changes, so that each version can name the version of any other.
 *
 * Deliberately absent: tolerance. The file was synced before it got its name, so whatever is wrong with it is damage.
 */
import { crc32 } from "node:zlib";
import { corrupt, unknownVersion } from "./failures.ts";

const VERSION = 1;
const HEAD = /^\{"version":(\d{1,9}),"crc32":"([0-9a-f]{8})","data":/;
/** The longest head that HEAD matches is 54 bytes. */
const MAX_HEAD_BYTES = 64;
const FOOT = "}\n";

export function encodeEnvelope(data: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(data));
  const sum = checksum(String(VERSION), text);
  return Buffer.concat([Buffer.from(`{"version":${VERSION},"crc32":"${sum}","data":`), text, Buffer.from(FOOT)]);
}

/** The data, not yet checked for its shape. Throws `storage_corrupt` or `storage_version`; `path` is for messages. */
export function decodeEnvelope(bytes: Buffer, path: string): unknown {
  const head = HEAD.exec(bytes.toString("latin1", 0, MAX_HEAD_BYTES));
  const foot = bytes.toString("latin1", Math.max(0, bytes.length - FOOT.length));
  if (head === null || foot !== FOOT) throw corrupt(path, 0, "not an envelope of tenure");
  const [{ length }, version = "", sum = ""] = head;
  const text = bytes.subarray(length, bytes.length - FOOT.length);
  if (checksum(version, text) !== sum) throw corrupt(path, length, "the checksum does not match");
  if (version !== String(VERSION)) throw unknownVersion(path, Number(version), VERSION);
  try {
    return JSON.parse(text.toString());
  } catch {
    throw corrupt(path, length, "the data is not JSON");
  }
}

/** Over the version too, so that a flipped bit in it is damage and not another version. */
function checksum(version: string, text: Buffer): string {
  return crc32(text, crc32(`${version}:`))
    .toString(16)
    .padStart(8, "0");
}
