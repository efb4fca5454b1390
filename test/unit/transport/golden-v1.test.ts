/**
 * What protocol 1 wrote, for ever: its messages mean what they meant, and its handshake is refused in words that say
 * what to do. (test/golden/wire-v1.json is never written again.)
 */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { decodeAcceptorFrame, decodeAnswer, decodeDiallerFrame, decodeHello } from "../../../src/transport/codec.ts";

const DECODERS = {
  hello: decodeHello,
  answer: decodeAnswer,
  dialler: decodeDiallerFrame,
  acceptor: decodeAcceptorFrame,
} as const;

const goldenSchema = v.array(
  v.object({
    by: v.picklist(["hello", "answer", "dialler", "acceptor"]),
    what: v.string(),
    body: v.string(),
    value: v.looseObject({ kind: v.string() }),
  }),
);
const path = new URL("../../golden/wire-v1.json", import.meta.url);
const golden = v.parse(goldenSchema, JSON.parse(readFileSync(path, "utf8")));

const isIntroduction = (kind: string): boolean => kind === "hello" || kind === "welcome";
const messages = golden.filter(({ value }) => !isIntroduction(value.kind));
const introductions = golden.filter(({ value }) => isIntroduction(value.kind));

const ADDED: ReadonlyMap<string, object> = new Map<string, object>([
  ["appendReply", { leaving: false }],
  ["formQuery", { nonce: "" }],
  ["formStatus", { nonce: "" }],
]);

describe("the golden frames of version 1", () => {
  it.each(messages)("$what: decodes to what was meant", ({ by, body, value }) => {
    // What protocol 2 has added says of an old sender what was true of it.
    expect(DECODERS[by](Buffer.from(body))).toEqual({ ...value, ...ADDED.get(value.kind) });
  });

  it.each(introductions)("$what: is refused, and both versions are named", ({ by, body }) => {
    const decode = (): unknown => DECODERS[by](Buffer.from(body));
    expect(decode).toThrow(TenureError);
    expect(decode).toThrow(/\(tenure "0\.1\.0"\) speaks protocol 1, the (acceptor|dialler) 2: run the same version/);
  });

  it("are all there", () => {
    expect([messages.length, introductions.length]).toEqual([21, 4]);
  });
});
