/**
 * Frames on a byte stream: a length of four bytes, big endian, then as many bytes.
 *
 * Invariant: a reader holds at most one frame, and copies each byte a bounded number of times however the stream is
 * cut up. A length that is not allowed is found before a byte of its frame is kept.
 *
 * Deliberately absent: what the bytes mean (codec.ts).
 */
import { assert } from "../base/assert.ts";
import { TenureError } from "../base/errors.ts";
import { MAX_FRAME_BYTES } from "../base/limits.ts";

const HEADER_BYTES = 4;
/** The first room for a frame that came in part. It doubles as bytes come, so an announcement alone costs no memory. */
const FIRST_ROOM_BYTES = 4_096;

export class FrameReader {
  #limitBytes: number;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #header = 0;
  #headerBytes = 0;
  /** The part of a frame that arrived in earlier chunks; null while there is none. */
  #body: Buffer | null = null;
  #bodyBytes = 0;

  /** `limitBytes`: the longest frame to come. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Holds from the next frame on. */
  setLimit(limitBytes: number): void {
    this.#limitBytes = limitBytes;
  }

  /** Whether the stream stands inside a frame. */
  get isInside(): boolean {
    return this.#headerBytes > 0;
  }

  /** Takes the next bytes of the stream. Every frame of the chunk before must have been read. */
  add(chunk: Buffer): void {
    assert(this.#at === this.#chunk.length, "all frames of a chunk are read before the next one is added");
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next whole frame, without its length, or null when more bytes are needed. The buffer is valid until the next
   * call. Throws `frame_malformed` or `frame_too_large`; the stream is then of no use any more.
   */
  next(): Buffer | null {
    while (this.#headerBytes < HEADER_BYTES) {
      if (this.#at === this.#chunk.length) return null;
      this.#header = this.#header * 256 + this.#chunk.readUInt8(this.#at);
      this.#at += 1;
      this.#headerBytes += 1;
      if (this.#headerBytes === HEADER_BYTES) this.#check(this.#header);
    }
    const length = this.#header;
    const available = this.#chunk.length - this.#at;
    if (this.#body === null && available >= length) {
      const frame = this.#chunk.subarray(this.#at, this.#at + length);
      this.#at += length;
      this.#startAnew();
      return frame;
    }
    return this.#collect(length, Math.min(available, length - this.#bodyBytes));
  }

  #collect(length: number, take: number): Buffer | null {
    const filled = this.#bodyBytes + take;
    if (this.#body === null || this.#body.length < filled) {
      const room = Buffer.allocUnsafe(Math.min(length, Math.max(FIRST_ROOM_BYTES, 2 * filled)));
      this.#body?.copy(room, 0, 0, this.#bodyBytes);
      this.#body = room;
    }
    this.#chunk.copy(this.#body, this.#bodyBytes, this.#at, this.#at + take);
    this.#at += take;
    this.#bodyBytes = filled;
    if (filled < length) return null;
    const frame = this.#body.subarray(0, length);
    this.#startAnew();
    return frame;
  }

  #startAnew(): void {
    this.#header = 0;
    this.#headerBytes = 0;
    this.#body = null;
    this.#bodyBytes = 0;
  }

  #check(length: number): void {
    if (length === 0) throw new TenureError("frame_malformed", "a frame of length 0");
    if (length > this.#limitBytes) {
      const seen = `announced a frame of ${length} bytes, at most ${this.#limitBytes} are allowed${hintOf(length)}`;
      throw new TenureError("frame_too_large", seen);
    }
  }
}

/** Puts the length before a text. Throws `frame_too_large` above MAX_FRAME_BYTES. */
export function frameOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length > MAX_FRAME_BYTES) {
    throw new TenureError("frame_too_large", `a frame of ${length} bytes, at most ${MAX_FRAME_BYTES} can be sent`);
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/** What the four bytes of an absurd length say about who is at the other end. */
function hintOf(length: number): string {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes.writeUInt32BE(length, 0);
  const first = bytes.readUInt16BE(0);
  if (first === 0x1603 || first === 0x1503) return "; the bytes look like TLS: is only this end --insecure-peers?";
  const text = bytes.toString("latin1");
  return /^[ -~]{4}$/.test(text) ? `; the bytes read "${text}": not a tenure peer` : "";
}
