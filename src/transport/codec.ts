/**
 * Frames to values and back: JSON, checked once and here. test/golden/wire-v2.json has one of each kind.
 *
 * Invariant: for any bytes, a decoder returns a value that its schema accepts or throws a `TenureError`; nothing else.
 *
 * Deliberately absent: the handshake's rules (handshake.ts) and the cutting of the stream into frames (frame.ts).
 */
import { isUtf8 } from "node:buffer";
import * as v from "valibot";
import { TenureError } from "../base/errors.ts";
import { MAX_NAME_LENGTH, MAX_REFUSAL_LENGTH, MAX_VERSION_LENGTH } from "../base/limits.ts";
import { frameOf } from "./frame.ts";
import { groupIdSchema, memberSchema, MESSAGE_SCHEMAS, nameSchema } from "./schemas.ts";
import { MAGIC, PROTOCOL, REFUSAL_CODES } from "./wire.ts";
import type { AcceptorFrame, DiallerFrame, Hello, Pong, Refusal, Welcome, WireFrame } from "./wire.ts";

const introduction = {
  magic: v.literal(MAGIC),
  protocol: v.literal(PROTOCOL),
  version: v.pipe(v.string(), v.maxLength(MAX_VERSION_LENGTH)),
  group: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_LENGTH)),
  groupId: v.nullable(groupIdSchema),
  from: memberSchema,
  to: nameSchema,
};
const helloSchema: v.GenericSchema<unknown, Hello> = v.strictObject({ kind: v.literal("hello"), ...introduction });
const welcomeSchema: v.GenericSchema<unknown, Welcome> = v.strictObject({
  kind: v.literal("welcome"),
  ...introduction,
});

/** Loose, and forgiving of a code from a later version: a refusal must be readable between any two versions. */
const refusalSchema: v.GenericSchema<unknown, Refusal> = v.object({
  kind: v.literal("refusal"),
  code: v.fallback(v.picklist(REFUSAL_CODES), "peer_protocol"),
  message: v.pipe(
    v.string(),
    v.transform((text) => text.slice(0, MAX_REFUSAL_LENGTH)),
  ),
  from: v.fallback(v.nullable(memberSchema), null),
});

const pingSchema = v.strictObject({ kind: v.literal("ping") });
const pongSchema = v.strictObject({ kind: v.literal("pong") });

/** A map, because the kind comes from outside: an object would also know "constructor". */
const DIALLER_SCHEMAS: ReadonlyMap<string, v.GenericSchema<unknown, DiallerFrame>> = new Map<
  string,
  v.GenericSchema<unknown, DiallerFrame>
>([...Object.entries(MESSAGE_SCHEMAS), ["ping", pingSchema], ["refusal", refusalSchema]]);

/** The frame of a value. Throws `frame_too_large` above MAX_FRAME_BYTES. */
export function encode(value: WireFrame): Buffer {
  return frameOf(JSON.stringify(value));
}

/** What a dialler says first. Throws `peer_protocol` for another version or none, `frame_malformed` else. */
export function decodeHello(body: Buffer): Hello {
  const value = parse(body);
  checkProtocol(value, "dialler");
  return check(helloSchema, "hello", value);
}

/** What a dialler says once it was welcomed. Throws `frame_malformed`. */
export function decodeDiallerFrame(body: Buffer): DiallerFrame {
  const value = parse(body);
  const kind = kindOf(value);
  const schema = DIALLER_SCHEMAS.get(kind);
  if (schema === undefined) throw malformed(`no message has the kind ${quote(kind)}`);
  return check(schema, kind, value);
}

/** What an acceptor answers to a hello. Throws `peer_protocol` for another version or none, `frame_malformed` else. */
export function decodeAnswer(body: Buffer): Welcome | Refusal {
  const value = parse(body);
  if (kindOf(value) === "refusal") return check(refusalSchema, "refusal", value);
  checkProtocol(value, "acceptor");
  return check(welcomeSchema, "welcome", value);
}

/** What an acceptor says once it has welcomed. Throws `frame_malformed`. */
export function decodeAcceptorFrame(body: Buffer): Exclude<AcceptorFrame, Welcome> {
  const value = parse(body);
  if (kindOf(value) === "refusal") return check(refusalSchema, "refusal", value);
  return check<Pong>(pongSchema, "pong", value);
}

function parse(body: Buffer): unknown {
  if (!isUtf8(body)) throw malformed("not UTF-8");
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw malformed(`not JSON: ${quote(body.toString("utf8", 0, 24))}`);
  }
}

/** The message is read at both ends, so it says who is who. `sender`: of the frame. */
function checkProtocol(value: unknown, sender: "dialler" | "acceptor"): void {
  const given = isRecord(value) ? value : {};
  if (given["magic"] !== MAGIC) {
    throw new TenureError("peer_protocol", "the other end does not speak the protocol of tenure's peers");
  }
  if (given["protocol"] !== PROTOCOL) {
    const reader = sender === "dialler" ? "acceptor" : "dialler";
    const program = typeof given["version"] === "string" ? ` (tenure ${quote(given["version"])})` : "";
    const facts = `the ${sender}${program} speaks protocol ${quote(given["protocol"])}, the ${reader} ${PROTOCOL}`;
    throw new TenureError("peer_protocol", `${facts}: run the same version of tenure in every pod of the group`);
  }
}

function check<T>(schema: v.GenericSchema<unknown, T>, what: string, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw malformed(`${what}${path === null ? "" : `.${path}`}: ${issue.message.slice(0, 200)}`);
}

function malformed(why: string): TenureError {
  return new TenureError("frame_malformed", why);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function kindOf(value: unknown): string {
  const kind = isRecord(value) ? value["kind"] : undefined;
  return typeof kind === "string" ? kind : "";
}

/** Something from outside for a message: short, on one line. */
function quote(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 40);
}
