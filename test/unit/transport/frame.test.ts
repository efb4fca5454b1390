/** Frames: any chunking gives the same frames, and a length that is not allowed costs nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { MAX_FRAME_BYTES } from "../../../src/base/limits.ts";
import { FrameReader, frameOf } from "../../../src/transport/frame.ts";
import { rawFrame } from "../../support/raw-peer.ts";

const LIMIT = 20_000;

function readAll(reader: FrameReader, chunks: readonly Buffer[]): string[] {
  const frames: string[] = [];
  for (const chunk of chunks) {
    reader.add(chunk);
    for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame.toString("latin1"));
  }
  return frames;
}

function codeOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return error instanceof TenureError ? error.code : `not a TenureError: ${String(error)}`;
  }
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...[...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
}

describe("frames", () => {
  it("are the same however the stream is cut", () => {
    const bodies = fc.array(fc.string({ minLength: 1, maxLength: 9_000, unit: "binary-ascii" }), { maxLength: 8 });
    const places = fc.array(fc.nat(), { maxLength: 40 });
    fc.assert(
      fc.property(bodies, places, (texts, at) => {
        const stream = Buffer.concat(texts.map(rawFrame));
        expect(readAll(new FrameReader(LIMIT), cut(stream, at))).toEqual(texts);
      }),
      { numRuns: 300 },
    );
  });

  it("come one byte at a time", () => {
    const stream = Buffer.concat(["a", "bc", "d".repeat(5_000)].map(rawFrame));
    const chunks = [...stream].map((byte) => Buffer.from([byte]));
    expect(readAll(new FrameReader(LIMIT), chunks)).toEqual(["a", "bc", "d".repeat(5_000)]);
  });

  it("are written with the length first, in bytes and not in characters", () => {
    expect(frameOf("é")).toEqual(Buffer.from([0, 0, 0, 2, 0xc3, 0xa9]));
  });

  it("of the limit pass, of one byte more do not", () => {
    const reader = new FrameReader(10);
    expect(readAll(reader, [rawFrame("x".repeat(10))])).toEqual(["x".repeat(10)]);
    expect(codeOf(() => readAll(reader, [rawFrame("x".repeat(11))]))).toBe("frame_too_large");
  });

  it("of length 0 are malformed", () => {
    expect(codeOf(() => readAll(new FrameReader(LIMIT), [Buffer.alloc(4)]))).toBe("frame_malformed");
  });

  it("that are too large are found by their length alone, before a byte of them", () => {
    const reader = new FrameReader(LIMIT);
    const header = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    expect(readAll(reader, [header.subarray(0, 3)])).toEqual([]);
    expect(codeOf(() => readAll(reader, [header.subarray(3)]))).toBe("frame_too_large");
  });

  it("obey a new limit from the next frame on", () => {
    const reader = new FrameReader(4);
    reader.add(Buffer.concat([rawFrame("abcd"), rawFrame("x".repeat(100))]));
    expect(reader.next()?.toString()).toBe("abcd");
    reader.setLimit(100);
    expect(reader.next()?.length).toBe(100);
  });

  it("take memory as bytes come, not as they are announced", () => {
    const reader = new FrameReader(MAX_FRAME_BYTES);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(MAX_FRAME_BYTES);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 64 }, () => new FrameReader(MAX_FRAME_BYTES));
    for (const each of [reader, ...readers]) readAll(each, [header, Buffer.from("x")]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MAX_FRAME_BYTES);
    expect(reader.isInside).toBe(true);
  });

  it("of a dripping megabyte are not copied over and over", () => {
    const reader = new FrameReader(MAX_FRAME_BYTES);
    const stream = rawFrame("x".repeat(MAX_FRAME_BYTES));
    const chunks = Array.from({ length: Math.ceil(stream.length / 16) }, (_, at) =>
      stream.subarray(at * 16, at * 16 + 16),
    );
    const startMs = performance.now();
    expect(readAll(reader, chunks)).toHaveLength(1);
    // 65,536 chunks: a copy of everything so far at each of them would be 34 GB, at 10 GB/s 3.4 s.
    expect(performance.now() - startMs).toBeLessThan(1_500);
  });

  it("tell who may be speaking when the length is absurd", () => {
    const messageOf = (bytes: Buffer): string => {
      try {
        readAll(new FrameReader(LIMIT), [bytes]);
        return "";
      } catch (error) {
        return String(error);
      }
    };
    expect(messageOf(Buffer.from("GET / HTTP/1.1\r\n"))).toContain('"GET "');
    expect(messageOf(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]))).toContain("TLS");
    expect(messageOf(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02]))).toContain("TLS");
    expect(messageOf(Buffer.from([0xfe, 0x03, 0x03, 0x00, 0x02]))).not.toContain("bytes read");
  });

  it("never throw anything but a TenureError, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, at) => {
        const code = codeOf(() => readAll(new FrameReader(64), cut(Buffer.from(bytes), at)));
        expect([null, "frame_malformed", "frame_too_large"]).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  it("above the largest are not written", () => {
    expect(frameOf("x".repeat(MAX_FRAME_BYTES)).length).toBe(MAX_FRAME_BYTES + 4);
    expect(codeOf(() => frameOf("x".repeat(MAX_FRAME_BYTES + 1)))).toBe("frame_too_large");
  });
});
