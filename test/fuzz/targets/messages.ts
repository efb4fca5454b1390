/**
 * What a peer sends after its handshake: the body of one frame (src/transport/codec.ts, schemas.ts).
 *
 * Promise: a message is what its schema says, or `frame_malformed`; and what was decoded is written and read again as
 * the same message, so that nothing means one thing to this node and another to the next.
 */
import { decodeAcceptorFrame, decodeDiallerFrame, encode } from "../../../src/transport/codec.ts";
import type { WireFrame } from "../../../src/transport/wire.ts";
import { ADDED_SINCE_1 } from "../../support/golden-frames.ts";
import { changeJson } from "../engine/json.ts";
import { refusal, require, same, type Target } from "../engine/target.ts";
import { goldenBodies } from "./golden.ts";

const HEADER_BYTES = 4;

/** The value of the frame, with what a sender of protocol 1 has left out. */
function asSent(body: Buffer): unknown {
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== "object" || value === null) return value;
  const added = ADDED_SINCE_1.get(String(Reflect.get(value, "kind")));
  return added === undefined ? value : { ...added, ...value };
}

function decoded(body: Buffer, decode: (body: Buffer) => WireFrame): string {
  try {
    const value = decode(body);
    const again = decode(encode(value).subarray(HEADER_BYTES));
    require(same(value, again), "a message that was decoded is written and read as the same message");
    require(value.kind === "refusal" || same(value, asSent(body)), "a message is what its sender wrote, all of it");
    return value.kind;
  } catch (error) {
    return refusal(error, ["frame_malformed"]);
  }
}

export function open(): Target {
  return {
    covers: ["src/transport/codec.ts", "src/transport/schemas.ts"],
    seeds: goldenBodies(["dialler", "acceptor"]),
    mutate: changeJson,
    run(body) {
      const answer = decoded(body, decodeAcceptorFrame);
      return `${decoded(body, decodeDiallerFrame)}${answer.startsWith("frame_malformed") ? "" : ` / ${answer}`}`;
    },
  };
}
