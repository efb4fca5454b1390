/**
 * The handshake between two strangers (src/transport/codec.ts, handshake.ts).
 *
 * Promises: what is no introduction is `peer_protocol` or `frame_malformed`; both ends judge alike: a hello that this
 * node accepts gets a welcome that its sender accepts, and both compute the same group id; and a refusal fits into the
 * longest frame that is read before a handshake is done, whatever the stranger said.
 */
import { MAX_HANDSHAKE_FRAME_BYTES } from "../../../src/base/limits.ts";
import { memberId } from "../../../src/base/types.ts";
import type { LocalPeer } from "../../../src/ports/transport.ts";
import { decodeAnswer, decodeHello, encode } from "../../../src/transport/codec.ts";
import * as handshake from "../../../src/transport/handshake.ts";
import type { Hello, Refusal, Welcome } from "../../../src/transport/wire.ts";
import { changeJson } from "../engine/json.ts";
import { refusal, require, same, type Target } from "../engine/target.ts";
import { goldenBodies } from "./golden.ts";

const HEADER_BYTES = 4;
const CODES = ["peer_protocol", "frame_malformed"] as const;

/** One that has a group and one that has none, as the golden frames address them. */
const LOCALS: readonly LocalPeer[] = [null, "5".repeat(32)].map((groupId) => ({
  group: "app",
  groupId,
  self: { id: memberId("e".repeat(32)), name: "app-1" },
  version: "0.1.0",
}));

/** What comes out of a frame that was sent. */
function read<T>(decode: (body: Buffer) => T, frame: Buffer): T {
  require(frame.length - HEADER_BYTES <=
    MAX_HANDSHAKE_FRAME_BYTES, "a frame of the handshake can be read by the other end");
  return decode(frame.subarray(HEADER_BYTES));
}

function greeted(local: LocalPeer, hello: Hello): string {
  const objection = handshake.objectionToHello(local, hello);
  if (objection !== null) {
    const answer = read(decodeAnswer, encode(handshake.refusalOf(local, objection)));
    require(answer.kind === "refusal" && answer.code === objection.code, "a refusal says why");
    return objection.code;
  }
  const sender: LocalPeer = { group: hello.group, groupId: hello.groupId, self: hello.from, version: hello.version };
  const welcome = read(decodeAnswer, encode(handshake.welcomeOf(local, hello.from.name)));
  require(welcome.kind === "welcome", "a hello without fault gets a welcome");
  require(handshake.objectionToWelcome(sender, hello.to, welcome) === null, "both ends accept or none");
  require(handshake.agreedGroupId(local, hello) ===
    handshake.agreedGroupId(sender, welcome), "both ends compute the same group id");
  require(same(
    read(decodeHello, encode(handshake.helloOf(sender, hello.to))),
    hello,
  ), "a hello is read as it was written");
  return handshake.isSelf(local, hello.from)
    ? "itself"
    : `welcome ${handshake.agreedGroupId(local, hello) === null ? "" : "agreed"}`;
}

function answered(local: LocalPeer, answer: Welcome | Refusal): string {
  if (answer.kind === "refusal") return `refused ${answer.code} ${handshake.isSelf(local, answer.from)}`;
  const objection = handshake.objectionToWelcome(local, "app-1", answer);
  if (objection === null) return "welcomed";
  read(decodeAnswer, encode(handshake.refusalOf(local, objection)));
  return `declined ${objection.code}`;
}

function attempt(body: Buffer): string {
  const words = [
    (): string => {
      const hello = decodeHello(body);
      return LOCALS.map((local) => greeted(local, hello)).join(", ");
    },
    (): string => {
      const answer = decodeAnswer(body);
      return LOCALS.map((local) => answered(local, answer)).join(", ");
    },
  ].map((judge) => {
    try {
      return judge();
    } catch (error) {
      return refusal(error, CODES);
    }
  });
  return words.join(" / ");
}

export function open(): Target {
  return {
    covers: ["src/transport/codec.ts", "src/transport/handshake.ts"],
    seeds: goldenBodies(["hello", "answer"]),
    mutate: changeJson,
    run: attempt,
  };
}
