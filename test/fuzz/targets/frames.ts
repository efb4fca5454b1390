/**
 * A stream of frames, however it is cut up (src/transport/frame.ts).
 *
 * An input is the cuts, one byte each behind a byte with their number, then the stream. Promise: the frames are those
 * that a plain reader of the whole stream finds, whatever the cuts; the first length that is not allowed ends the
 * stream, and nothing of that frame comes out.
 */
import { TenureError } from "../../../src/base/errors.ts";
import { MAX_HANDSHAKE_FRAME_BYTES } from "../../../src/base/limits.ts";
import { FrameReader } from "../../../src/transport/frame.ts";
import { bytesMutator, either, MAX_INPUT_BYTES } from "../engine/bytes.ts";
import { changeJson } from "../engine/json.ts";
import { type Mutator, refusal, require, type Target } from "../engine/target.ts";
import { goldenBodies } from "./golden.ts";

const LIMIT = MAX_HANDSHAKE_FRAME_BYTES;
const MAX_CUTS = 8;

interface Parts {
  readonly cuts: readonly number[];
  readonly stream: Buffer;
}

function partsOf(input: Buffer): Parts {
  const count = (input[0] ?? 0) % (MAX_CUTS + 1);
  return { cuts: [...input.subarray(1, 1 + count)], stream: input.subarray(1 + count) };
}

function joined({ cuts, stream }: Parts): Buffer {
  return Buffer.concat([Buffer.from([cuts.length, ...cuts]), stream]).subarray(0, MAX_INPUT_BYTES);
}

/** What a stream holds, read in the plainest way; the last is a word for how it ends. */
function plainly(stream: Buffer): readonly string[] {
  const frames: string[] = [];
  let at = 0;
  while (stream.length - at >= 4) {
    const length = stream.readUInt32BE(at);
    if (length === 0) return [...frames, "frame_malformed"];
    if (length > LIMIT) return [...frames, "frame_too_large"];
    if (stream.length - at - 4 < length) return [...frames, "inside"];
    frames.push(stream.toString("latin1", at + 4, at + 4 + length));
    at += 4 + length;
  }
  return [...frames, at < stream.length ? "inside" : "between"];
}

function inChunks({ cuts, stream }: Parts): readonly string[] {
  const reader = new FrameReader(LIMIT);
  const frames: string[] = [];
  // A cut is a byte of 256: near both ends of short streams, and anywhere in long ones.
  const edges = cuts.map((cut) =>
    stream.length < 256 ? cut % (stream.length + 1) : Math.floor((cut / 256) * stream.length),
  );
  let from = 0;
  try {
    for (const edge of [...edges.sort((a, b) => a - b), stream.length]) {
      reader.add(stream.subarray(from, edge));
      for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame.toString("latin1"));
      from = edge;
    }
    return [...frames, reader.isInside ? "inside" : "between"];
  } catch (error) {
    refusal(error, ["frame_malformed", "frame_too_large"]);
    return [...frames, error instanceof TenureError ? error.code : ""];
  }
}

/** Changes one frame and keeps its length right, or adds or takes out a frame. */
const changeFrames: Mutator = (input, dice, others) => {
  const { cuts, stream } = partsOf(input);
  const bodies = plainly(stream).slice(0, -1);
  const at = dice.below(bodies.length);
  const old = Buffer.from(bodies[at] ?? "{}", "latin1");
  const body = dice.once(2)
    ? changeJson(old, dice, others)
    : Buffer.alloc(dice.pick([1, 3, 4, 5, 255, LIMIT - 1, LIMIT, LIMIT + 1]), 0x61);
  const next = bodies.toSpliced(at, dice.once(3) ? 0 : 1, body.toString("latin1"));
  const framed = next.map((text) => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(text.length);
    return Buffer.concat([header, Buffer.from(text, "latin1")]);
  });
  const newCuts = dice.once(2) ? cuts : Array.from({ length: dice.below(MAX_CUTS + 1) }, () => dice.below(256));
  return joined({ cuts: newCuts, stream: Buffer.concat(framed) });
};

export function open(): Target {
  const bodies = goldenBodies(["hello", "dialler"]).slice(0, 4);
  const stream = Buffer.concat(
    bodies.flatMap((body) => [Buffer.from([0, 0, body.length >> 8, body.length & 255]), body]),
  );
  return {
    covers: ["src/transport/frame.ts"],
    seeds: [
      joined({ cuts: [], stream }),
      joined({ cuts: [1, 2, 60, 200], stream }),
      Buffer.from("\0GET / HTTP/1.1\r\n"),
    ],
    mutate: either(
      [3, changeFrames],
      [2, bytesMutator(["\0\0\0\u0001", "\0\0\u0010\0", "\0\0\u0010\u0001", "\u0016\u0003\u0001"])],
    ),
    run(input) {
      const parts = partsOf(input);
      const expected = plainly(parts.stream);
      const found = inChunks(parts);
      require(found.length === expected.length, "the frames of a stream do not depend on how it is cut");
      require(found.every((frame, at) => frame === expected[at]), "a frame is what its sender wrote");
      return `${Math.min(found.length, 3)} ${found.at(-1)}`;
    },
  };
}
