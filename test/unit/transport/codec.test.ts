/** The codec: what version 2 wrote decodes for ever, and nothing else than a message of the protocol passes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { MAX_APPEND_ENTRIES, MAX_HANDSHAKE_FRAME_BYTES, MAX_REFUSAL_LENGTH } from "../../../src/base/limits.ts";
import { decodeAnswer, decodeHello, encode } from "../../../src/transport/codec.ts";
import { MESSAGE_SCHEMAS } from "../../../src/transport/schemas.ts";
import { PROTOCOL } from "../../../src/transport/wire.ts";
import type { WireFrame } from "../../../src/transport/wire.ts";
import { DECODERS, goldenFrames } from "../../support/golden-frames.ts";
import { idOf } from "../../support/transport-recorder.ts";

const golden = goldenFrames(2);

type Values = Readonly<Record<string, unknown>>;

function sample(what: string): Values {
  const found = golden.find((each) => each.what === what);
  if (found === undefined) throw new Error(`no sample of ${what}`);
  return found.value;
}

function codeOf(by: keyof typeof DECODERS, value: unknown): string | null {
  const body = Buffer.isBuffer(value) ? value : Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  try {
    DECODERS[by](body);
    return null;
  } catch (error) {
    return error instanceof TenureError ? error.code : `not a TenureError: ${String(error)}`;
  }
}

function fieldsOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** The same value with the field at a path replaced, or removed when undefined. */
function changed(value: unknown, at: readonly (string | number)[], to: unknown): unknown {
  const [key, ...rest] = at;
  if (key === undefined) return to;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === key ? changed(item, rest, to) : item));
  }
  const entries = fieldsOf(value).map(([name, item]) => [name, name === key ? changed(item, rest, to) : item]);
  return Object.fromEntries(entries);
}

/** Every path to a value inside. */
function pathsOf(value: unknown, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return [at, ...value.flatMap((item, index) => pathsOf(item, [...at, index]))];
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...at, key]))];
}

describe("the golden frames of version 2", () => {
  it.each(golden)("$what: decodes to what was meant, and is written byte for byte as it was", (each) => {
    const bytes = Buffer.concat([Buffer.from(each.length, "hex"), Buffer.from(each.body)]);
    expect(bytes.readUInt32BE(0)).toBe(bytes.length - 4);
    const decoded: WireFrame = DECODERS[each.by](bytes.subarray(4));
    expect(decoded).toEqual(each.value);
    expect(encode(decoded).equals(bytes)).toBe(true);
  });

  it("have one of each kind", () => {
    const kinds = new Set(golden.map((each) => each.value.kind));
    for (const kind of [...Object.keys(MESSAGE_SCHEMAS), "hello", "welcome", "refusal", "ping", "pong"]) {
      expect(kinds).toContain(kind);
    }
  });
});

describe("the codec refuses", () => {
  const strict = golden.filter((each) => each.value.kind !== "refusal");

  it.each(strict)("$what: a field that is missing, more, or of another type", (each) => {
    const paths = pathsOf(each.value).filter((at) => at.length > 0);
    for (const at of paths) {
      for (const wrong of [undefined, {}, [[]], "", -1, 0.5, 2 ** 53, "x".repeat(2_000)]) {
        // Some fields may hold one of these: a time may have a fraction, a command any text, a priority any integer.
        const field = at.at(-1);
        if (field === "remainingMs" || field === "leaseDurationMs") continue;
        if (wrong === 0.5 && field === "wallSeconds") continue;
        if (wrong === "" && (field === "command" || field === "version")) continue;
        if (wrong === -1 && field === "priority") continue;
        // Protocol 1 had none.
        if (wrong === undefined && (field === "leaving" || field === "nonce")) continue;
        // Nobody asked.
        if (wrong === "" && field === "nonce") continue;
        const value = changed(each.value, at, wrong);
        expect(codeOf(each.by, value), `${at.join(".")} = ${JSON.stringify(wrong)}`).not.toBeNull();
      }
    }
    for (const at of pathsOf(each.value)) {
      const target = at.reduce<unknown>((value, key) => new Map(fieldsOf(value)).get(String(key)), each.value);
      if (typeof target !== "object" || target === null || Array.isArray(target)) continue;
      const more = changed(each.value, at, { ...target, more: 1 });
      expect(codeOf(each.by, more), `${at.join(".")} with one field more`).toBe("frame_malformed");
    }
  });

  const heartbeat = sample("appendRequest, a heartbeat");
  const noop = (index: number, term: number): Values => ({ kind: "noop", index, term });

  it.each([
    ["a gap before the entries", { entries: [noop(43, 12)] }],
    ["a gap between entries", { entries: [noop(42, 12), noop(44, 12)] }],
    ["the same entry twice", { entries: [noop(42, 12), noop(42, 12)] }],
    ["terms that fall", { entries: [noop(42, 12), noop(43, 11)] }],
    ["an entry older than the one before it", { entries: [noop(42, 10)] }],
    ["an entry of a later term than the leader's", { entries: [noop(42, 13)] }],
    ["an entry before it of a later term", { prevTerm: 13 }],
    ["no term", { term: 0 }],
    ["a lease beyond the longest", { leaseDurationMs: 3_600_002 }],
    ["a negative lease", { leaseDurationMs: -1 }],
    ["a lease without end", { leaseDurationMs: null }],
    ["a holder without a claim", { holding: 0 }],
    ["too many entries", { entries: Array.from({ length: MAX_APPEND_ENTRIES + 1 }, (_, at) => noop(42 + at, 12)) }],
    ["an entry of no kind", { entries: [{ ...noop(42, 12), kind: "constructor" }] }],
    [
      "a member twice in a configuration",
      {
        entries: [
          {
            kind: "config",
            index: 42,
            term: 12,
            configuration: { voters: [{ id: idOf(1), name: "a" }], learners: [{ id: idOf(1), name: "a" }] },
          },
        ],
      },
    ],
    [
      "a configuration without voters",
      { entries: [{ kind: "config", index: 42, term: 12, configuration: { voters: [], learners: [] } }] },
    ],
  ])("an append with %s", (_what, changes) => {
    expect(codeOf("dialler", { ...heartbeat, ...changes })).toBe("frame_malformed");
  });

  it("no append of as many entries as are allowed", () => {
    const entries = Array.from({ length: MAX_APPEND_ENTRIES }, (_, at) => noop(42 + at, 12));
    expect(codeOf("dialler", { ...heartbeat, entries })).toBeNull();
  });

  it.each([
    ["upper case", "ABCDEF".padEnd(32, "0")],
    ["31 digits", "0".repeat(31)],
    ["33 digits", "0".repeat(33)],
    ["a line break at the end", `${"0".repeat(32)}\n`],
  ])("an incarnation and a group id in %s", (_what, id) => {
    const hello = sample("a dialler in a group");
    expect(codeOf("hello", { ...hello, from: { id, name: "app-0" } })).toBe("frame_malformed");
    expect(codeOf("hello", { ...hello, groupId: id })).toBe("frame_malformed");
  });

  it("text that is not UTF-8, in the middle of good JSON", () => {
    const body = Buffer.from(JSON.stringify({ ...sample("a dialler in a group"), group: "a~p" }));
    expect(codeOf("hello", body)).toBeNull();
    body[body.indexOf("~")] = 0xff;
    expect(codeOf("hello", body)).toBe("frame_malformed");
  });

  it.each(["*", "a b", "a/b", "-a", "a.", "é", "a\n", "x".repeat(254), ""])("the name %j", (name) => {
    expect(codeOf("hello", { ...sample("a dialler in a group"), to: name })).toBe("frame_malformed");
  });

  it("a form that names a founder twice", () => {
    const propose = sample("formPropose");
    const twice = (id: number, name: string): unknown =>
      changed(propose, ["form", "founders", 2], { id: idOf(id), name });
    expect(codeOf("dialler", twice(5, "app-5"))).toBeNull();
    expect(codeOf("dialler", twice(0, "app-5"))).toBe("frame_malformed");
    expect(codeOf("dialler", twice(5, "app-0"))).toBe("frame_malformed");
  });

  it.each([
    ["no JSON", "{"],
    ["not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ["no object", "1"],
    ["null", "null"],
    ["a list", "[]"],
    ["deep nesting", "[".repeat(500_000)],
    ["no kind", "{}"],
    ["a kind of every object", '{"kind":"constructor"}'],
    ["a kind that is a list", '{"kind":["ping"]}'],
    ["a handshake frame where messages go", JSON.stringify(sample("a dialler in a group"))],
  ])("%s", (_what, body) => {
    expect(codeOf("dialler", body)).toBe("frame_malformed");
  });
});

describe("versions", () => {
  const hello = sample("a dialler in a group");

  it("tells another protocol from a frame that makes no sense", () => {
    expect(codeOf("hello", { ...hello, protocol: 1 })).toBe("peer_protocol");
    expect(codeOf("hello", { ...hello, protocol: "2" })).toBe("peer_protocol");
    expect(codeOf("hello", { magic: "tenure", protocol: 3, something: "new" })).toBe("peer_protocol");
    expect(codeOf("hello", { ...hello, magic: "other" })).toBe("peer_protocol");
    expect(codeOf("hello", "{}")).toBe("peer_protocol");
    expect(codeOf("hello", { ...hello, kind: "welcome" })).toBe("frame_malformed");
    expect(codeOf("answer", { ...sample("an acceptor in a group"), protocol: 3 })).toBe("peer_protocol");
  });

  it("reads a refusal of any later version", () => {
    const later = { kind: "refusal", code: "peer_moon", message: "m".repeat(9_000), from: 7, more: true };
    expect(decodeAnswer(Buffer.from(JSON.stringify(later)))).toEqual({
      kind: "refusal",
      code: "peer_protocol",
      message: "m".repeat(512),
      from: null,
    });
  });

  it("writes handshakes below the limit that a stranger has, however long the names", () => {
    const longest = { ...hello, group: "\u0001".repeat(253), version: "\u0001".repeat(64), to: "x".repeat(253) };
    expect(encode(longest as unknown as WireFrame).length).toBeLessThan(MAX_HANDSHAKE_FRAME_BYTES);
    expect(codeOf("hello", longest)).toBeNull();
  });

  it("names both versions, and what to do, in words that are right at either end", () => {
    const advice = "run the same version of tenure in every pod of the group";
    const messageOf = (decode: (body: Buffer) => unknown, value: object): string => {
      try {
        decode(Buffer.from(JSON.stringify(value)));
        return "nothing";
      } catch (error) {
        return error instanceof TenureError ? error.message : String(error);
      }
    };
    const later = { ...hello, protocol: 3, version: "0.9.0" };
    expect(messageOf(decodeHello, later)).toBe(
      `the dialler (tenure "0.9.0") speaks protocol 3, the acceptor ${PROTOCOL}: ${advice}`,
    );
    expect(messageOf(decodeAnswer, { ...later, kind: "welcome" })).toBe(
      `the acceptor (tenure "0.9.0") speaks protocol 3, the dialler ${PROTOCOL}: ${advice}`,
    );
    const strange = { magic: "tenure", protocol: "x".repeat(9_000), version: "y".repeat(9_000) };
    expect(messageOf(decodeHello, strange).length).toBeLessThan(MAX_REFUSAL_LENGTH);
    expect(messageOf(decodeHello, { magic: "tenure" })).toContain("the dialler speaks protocol nothing");
  });
});

describe("any input", () => {
  it("decodes to a message or to a TenureError, and what decodes is written back the same", () => {
    const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));
    const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
    const almost = fc.tuple(fc.constantFrom(...golden), fc.nat(), fc.jsonValue()).map(([each, place, value]) => {
      const paths = pathsOf(each.value);
      return Buffer.from(JSON.stringify(changed(each.value, paths[place % paths.length] ?? [], value)));
    });
    fc.assert(
      fc.property(fc.oneof(json, bytes, almost), (body) => {
        for (const decode of Object.values(DECODERS)) {
          let frame: WireFrame;
          try {
            frame = decode(body);
          } catch (error) {
            expect(error).toBeInstanceOf(TenureError);
            continue;
          }
          expect(decode(encode(frame).subarray(4))).toEqual(frame);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
