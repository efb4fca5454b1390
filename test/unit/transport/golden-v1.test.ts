/**
 * What protocol 1 wrote, for ever: its messages mean what they meant, and its handshake is refused in words that say
 * what to do. (test/golden/wire-v1.json is never written again.)
 */
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { ADDED_SINCE_1, DECODERS, goldenFrames } from "../../support/golden-frames.ts";

const golden = goldenFrames(1);
const isIntroduction = (kind: string): boolean => kind === "hello" || kind === "welcome";
const messages = golden.filter(({ value }) => !isIntroduction(value.kind));
const introductions = golden.filter(({ value }) => isIntroduction(value.kind));

describe("the golden frames of version 1", () => {
  it.each(messages)("$what: decodes to what was meant", ({ by, body, value }) => {
    expect(DECODERS[by](Buffer.from(body))).toEqual({ ...value, ...ADDED_SINCE_1.get(value.kind) });
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
