/**
 * The shapes of everything stored: the one place where bytes of the disk become typed values.
 *
 * Invariant: what is written passes the same shape as what is read, so nothing is ever stored that cannot be loaded.
 * An unknown key is a fault: it would come from another version, and ignoring it could drop what that one relied on.
 *
 * Deliberately absent: rules between values (src/storage/log.ts) and between files (src/storage/read-directory.ts).
 */
import * as v from "valibot";
import { assert } from "../base/assert.ts";
import { MAX_FOUNDERS, MAX_HISTORY, MAX_MEMBERS, MAX_NAME_LENGTH, MAX_REMOVED } from "../base/limits.ts";
import { fencingToken, isMemberId, logIndex, memberId, term } from "../base/types.ts";
import type { Entry } from "../raft/entry.ts";
import type { Append, Form, HardState, Identity, Snapshot } from "../ports/storage.ts";
import type { LogStart } from "./log.ts";

export type Shape<T> = v.GenericSchema<unknown, T>;

const countShape = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const indexShape = v.pipe(countShape, v.transform(logIndex));
const termShape = v.pipe(countShape, v.transform(term));
const idShape = v.pipe(v.string(), v.check(isMemberId, "not 32 hexadecimal digits"), v.transform(memberId));
const nameShape = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_LENGTH));
const groupIdShape = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
const memberShape = v.strictObject({ id: idShape, name: nameShape });
const membersShape = v.pipe(v.array(memberShape), v.maxLength(MAX_MEMBERS));
const configurationShape = v.pipe(
  v.strictObject({ voters: membersShape, learners: membersShape }),
  v.check(({ voters, learners }) => voters.length + learners.length <= MAX_MEMBERS, "more members than a group has"),
);

const position = { index: indexShape, term: termShape };
const entryShape: Shape<Entry> = v.variant("kind", [
  v.strictObject({ kind: v.literal("noop"), ...position }),
  v.strictObject({ kind: v.literal("claim"), ...position, holder: memberShape }),
  v.strictObject({ kind: v.literal("release"), ...position, claim: indexShape }),
  v.strictObject({ kind: v.literal("config"), ...position, configuration: configurationShape }),
  v.strictObject({ kind: v.literal("command"), ...position, command: v.string() }),
]);

const hardStateShape: Shape<HardState> = v.strictObject({
  term: termShape,
  votedFor: v.nullable(idShape),
  largestPromiseMs: v.pipe(v.number(), v.finite(), v.minValue(0)),
});

const tenureShape = v.strictObject({
  claim: indexShape,
  term: termShape,
  holder: memberShape,
  token: v.pipe(countShape, v.minValue(1), v.transform(fencingToken)),
  released: v.boolean(),
});

export const identityShape: Shape<Identity> = memberShape;

export const formShape: Shape<Form> = v.strictObject({
  groupId: groupIdShape,
  founders: v.pipe(v.array(memberShape), v.maxLength(MAX_FOUNDERS)),
  tokenBase: countShape,
});

export const snapshotShape: Shape<Snapshot> = v.strictObject({
  ...position,
  groupId: groupIdShape,
  configuration: configurationShape,
  tokenBase: countShape,
  removed: v.pipe(v.array(idShape), v.maxLength(MAX_REMOVED)),
  lock: v.pipe(v.array(tenureShape), v.maxLength(MAX_HISTORY)),
});

/** The first record of a log file. */
export const logStartShape: Shape<LogStart> = v.strictObject({
  base: v.nullable(v.strictObject(position)),
  hardState: hardStateShape,
});

/** Every further record. */
export const appendShape: Shape<Append> = v.strictObject({
  hardState: v.exactOptional(hardStateShape),
  truncateAfter: v.exactOptional(indexShape),
  entries: v.array(entryShape),
});

export type Decoded<T> =
  { readonly kind: "value"; readonly value: T } | { readonly kind: "fault"; readonly fault: string };

export function decode<T>(shape: Shape<T>, data: unknown): Decoded<T> {
  const result = v.safeParse(shape, data, { abortEarly: true });
  if (result.success) return { kind: "value", value: result.output };
  const [issue] = result.issues;
  return { kind: "fault", fault: `${v.getDotPath(issue) ?? "the data"}: ${issue.message}` };
}

/** A copy of `value` that load() will accept. Anything else is the caller's error and is never written. */
export function storable<T>(shape: Shape<T>, value: T): T {
  const decoded = decode(shape, value);
  assert(decoded.kind === "value", `what is stored can be loaded (${decoded.kind === "fault" ? decoded.fault : ""})`);
  return decoded.value;
}
