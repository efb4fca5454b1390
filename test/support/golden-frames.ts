/**
 * The frames of test/golden, the decoder that each of them is for, and what protocol 2 has added to those of
 * protocol 1.
 *
 * Invariant: they come as they stand in the file, in its order.
 *
 * Deliberately absent: whether they decode today, and are written as they were; the tests of each version say that.
 */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { decodeAcceptorFrame, decodeAnswer, decodeDiallerFrame, decodeHello } from "../../src/transport/codec.ts";

/** By what was sent: one half of the handshake, or a later frame of one end. */
export const DECODERS = {
  hello: decodeHello,
  answer: decodeAnswer,
  dialler: decodeDiallerFrame,
  acceptor: decodeAcceptorFrame,
} as const;

/** By kind of message: what an old sender does not say, with what was true of it. */
export const ADDED_SINCE_1: ReadonlyMap<string, object> = new Map<string, object>([
  ["appendReply", { leaving: false }],
  ["formQuery", { nonce: "" }],
  ["formStatus", { nonce: "" }],
]);

const framesSchema = v.array(
  v.object({
    by: v.picklist(["hello", "answer", "dialler", "acceptor"]),
    what: v.string(),
    /** The four bytes before the body, in hex. */
    length: v.string(),
    body: v.string(),
    value: v.looseObject({ kind: v.string() }),
  }),
);

export type GoldenFrame = v.InferOutput<typeof framesSchema>[number];

export function goldenFrames(protocol: 1 | 2): readonly GoldenFrame[] {
  const path = new URL(`../golden/wire-v${protocol}.json`, import.meta.url);
  return v.parse(framesSchema, JSON.parse(readFileSync(path, "utf8")));
}
