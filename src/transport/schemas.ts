/**
 * What each message must look like, field by field.
 *
 * Invariant: exact. A value that passes has every field in its range and no other field; lists are bounded; the
 * entries of an append follow each other without a gap. What the core asserts about a message is true of it.
 *
 * Deliberately absent: rules that need a state, such as whether a term is still current. They are the core's.
 */
import * as v from "valibot";
import {
  MAX_APPEND_ENTRIES,
  MAX_COMMAND_LENGTH,
  MAX_FOUNDERS,
  MAX_HISTORY,
  MAX_LEASE_DURATION_MS,
  MAX_MEMBERS,
  MAX_NAME_LENGTH,
  MAX_TOKEN_BASE,
  MAX_REMOVED,
} from "../base/limits.ts";
import { isMemberId } from "../base/types.ts";
import type { FencingToken, LogIndex, MemberId, Term } from "../base/types.ts";
import type { LockState } from "../lease/register.ts";
import type { Form, Snapshot } from "../ports/storage.ts";
import type { FormationStatus, PeerMessage } from "../ports/transport.ts";
import type { Configuration, CoreSnapshot, Entry, Member } from "../raft/entry.ts";
import type { AppendReply, AppendRequest, InstallSnapshot } from "../raft/message.ts";

type Schema<T> = v.GenericSchema<unknown, T>;

const GROUP_ID = /^[0-9a-f]{32}$/;
/** What Kubernetes allows, and a little more for names of machines; nothing that means something in a DNS name. */
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isPositive = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

const count = v.custom<number>(isCount, "must be an integer from 0");
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const integer = v.custom<number>((value) => Number.isSafeInteger(value), "must be an integer");
const term = v.custom<Term>(isCount, "must be a term, from 0");
/** A term in which somebody campaigned or led. */
const liveTerm = v.custom<Term>(isPositive, "must be a term, from 1");
const index = v.custom<LogIndex>(isCount, "must be a log index, from 0");
const entryIndex = v.custom<LogIndex>(isPositive, "must be the index of an entry, from 1");
const token = v.custom<FencingToken>(isPositive, "must be a fencing token, from 1");
const flag = v.boolean();
const tokenBase = v.custom<number>(
  (value) => isCount(value) && value <= MAX_TOKEN_BASE,
  "must be a token base, with room for tokens below 2^53",
);

/**
 * A span in ms, with fractions. One more than the longest lease: the difference of two instants may be a rounding error
 * above what was promised.
 */
const spanMs = v.custom<number>(
  (value) => typeof value === "number" && value >= 0 && value <= MAX_LEASE_DURATION_MS + 1,
  "must be a span in ms within the longest lease",
);

/** D of a leader: above 0, or no promise could be made of it. */
const leaseMs = v.pipe(
  spanMs,
  v.check((value) => value > 0, "must be a lease duration in ms, above 0"),
);

const memberId = v.custom<MemberId>(
  (value) => typeof value === "string" && isMemberId(value),
  "must be 32 hexadecimal digits",
);

export const groupIdSchema = v.custom<string>(
  (value) => typeof value === "string" && GROUP_ID.test(value),
  "must be 32 hexadecimal digits",
);

export const nameSchema = v.custom<string>(
  (value) => typeof value === "string" && value.length <= MAX_NAME_LENGTH && NAME.test(value),
  "must be the name of a pod",
);

/** Counts before it looks at items, so that a list that is too long costs nothing. */
function list<T>(item: Schema<T>, fewest: number, most: number): Schema<readonly T[]> {
  const isWithin = (value: unknown): boolean => Array.isArray(value) && value.length >= fewest && value.length <= most;
  return v.pipe(v.custom<unknown>(isWithin, `must be a list of ${fewest} to ${most}`), v.array(item));
}

export const memberSchema: Schema<Member> = v.strictObject({ id: memberId, name: nameSchema });

const configuration: Schema<Configuration> = v.pipe(
  v.strictObject({
    voters: list(memberSchema, 1, MAX_FOUNDERS),
    learners: list(memberSchema, 0, MAX_MEMBERS),
  }),
  v.check(
    ({ voters, learners }) => distinct([...voters, ...learners].map((member) => member.id)),
    "must name each member once",
  ),
  v.check(({ voters, learners }) => voters.length + learners.length <= MAX_MEMBERS, "must not have more members"),
);

const position = { index: entryIndex, term: liveTerm };

const entry: Schema<Entry> = v.variant("kind", [
  v.strictObject({ kind: v.literal("noop"), ...position }),
  v.strictObject({ kind: v.literal("claim"), ...position, holder: memberSchema }),
  v.strictObject({ kind: v.literal("release"), ...position, claim: entryIndex }),
  v.strictObject({ kind: v.literal("config"), ...position, configuration }),
  v.strictObject({
    kind: v.literal("command"),
    ...position,
    command: v.pipe(v.string(), v.maxLength(MAX_COMMAND_LENGTH)),
  }),
]);

const form: Schema<Form> = v.pipe(
  v.strictObject({
    groupId: groupIdSchema,
    founders: list(memberSchema, 1, MAX_FOUNDERS),
    tokenBase,
  }),
  v.check(
    ({ founders }) => distinct(founders.map(({ id }) => id)) && distinct(founders.map(({ name }) => name)),
    "must name each founder once",
  ),
);

/** Protocol 1 had none. */
const nonce = v.optional(
  v.custom<string>((value) => value === "" || (typeof value === "string" && GROUP_ID.test(value)), "must be a nonce"),
  "",
);

const status: Schema<FormationStatus> = v.variant("kind", [
  v.strictObject({ kind: v.literal("empty"), wallSeconds: seconds }),
  v.strictObject({ kind: v.literal("accepted"), form }),
  v.strictObject({ kind: v.literal("member"), groupId: groupIdSchema }),
]);

const appendRequest: Schema<AppendRequest> = v.pipe(
  v.strictObject({
    kind: v.literal("appendRequest"),
    term: liveTerm,
    round: count,
    prevIndex: index,
    prevTerm: term,
    entries: list(entry, 0, MAX_APPEND_ENTRIES),
    commitIndex: index,
    leaseDurationMs: leaseMs,
    holding: v.nullable(entryIndex),
  }),
  v.check(isContiguous, "must have entries that follow prevIndex without a gap"),
  v.check(hasRisingTerms, "must have entries whose terms rise from prevTerm to the term of the leader"),
);

/** Optional when read: protocol 1 had no such field, and its nodes did not leave. */
const appendReply: Schema<AppendReply> = v.strictObject({
  kind: v.literal("appendReply"),
  term,
  round: count,
  accepted: flag,
  matchIndex: index,
  eligible: flag,
  priority: integer,
  leaving: v.optional(flag, false),
});

const lock: Schema<LockState> = v.pipe(
  list(
    v.strictObject({ claim: entryIndex, term: liveTerm, holder: memberSchema, token, released: flag }),
    0,
    MAX_HISTORY,
  ),
  v.check(isNewestFirst, "must have tenures whose claims and tokens fall"),
);

const stateOfCore = { index, term, configuration, removed: list(memberId, 0, MAX_REMOVED), lock };
const coreSnapshot: Schema<CoreSnapshot> = v.pipe(
  v.strictObject(stateOfCore),
  v.check(coversItsTenures, "must not have a tenure that comes after it"),
);
const snapshot: Schema<Snapshot> = v.pipe(
  v.strictObject({ ...stateOfCore, groupId: groupIdSchema, tokenBase }),
  v.check<Snapshot, string>(coversItsTenures, "must not have a tenure that comes after it"),
  v.check<Snapshot, string>(
    ({ lock: [newest], tokenBase: base, index: last }) => newest === undefined || newest.token <= base + last,
    "must not have a token above those of its group",
  ),
);

const installSnapshot: Schema<InstallSnapshot> = v.pipe(
  v.strictObject({
    kind: v.literal("installSnapshot"),
    term: liveTerm,
    round: count,
    snapshot: coreSnapshot,
    leaseDurationMs: leaseMs,
    holding: v.nullable(entryIndex),
  }),
  v.check(
    (message) => message.snapshot.term <= message.term,
    "must not have a snapshot of a later term than the leader",
  ),
);

/** A schema per kind: a kind that is added to the port does not compile until it has one. */
export const MESSAGE_SCHEMAS: {
  readonly [Kind in PeerMessage["kind"]]: Schema<Extract<PeerMessage, { readonly kind: Kind }>>;
} = {
  preVoteRequest: v.strictObject({
    kind: v.literal("preVoteRequest"),
    term: liveTerm,
    lastIndex: index,
    lastTerm: term,
    priority: integer,
  }),
  preVoteReply: v.strictObject({ kind: v.literal("preVoteReply"), term, granted: flag }),
  voteRequest: v.strictObject({ kind: v.literal("voteRequest"), term: liveTerm, lastIndex: index, lastTerm: term }),
  voteReply: v.strictObject({
    kind: v.literal("voteReply"),
    term,
    granted: flag,
    remainingMs: spanMs,
    promiseTerm: v.nullable(term),
  }),
  appendRequest,
  appendReply,
  installSnapshot,
  timeoutNow: v.strictObject({ kind: v.literal("timeoutNow"), term: liveTerm, certificate: v.nullable(liveTerm) }),
  formQuery: v.strictObject({ kind: v.literal("formQuery"), nonce }),
  formStatus: v.strictObject({ kind: v.literal("formStatus"), nonce, status }),
  formPropose: v.strictObject({ kind: v.literal("formPropose"), form }),
  formReply: v.strictObject({ kind: v.literal("formReply"), groupId: groupIdSchema, accepted: flag, status }),
  joinRequest: v.strictObject({ kind: v.literal("joinRequest") }),
  joinAccepted: v.strictObject({ kind: v.literal("joinAccepted"), snapshot }),
  removed: v.strictObject({ kind: v.literal("removed"), groupId: groupIdSchema, member: memberId }),
};

/** Raft paper, 5.3: an append carries the entries right after `prevIndex`. */
function isContiguous({ prevIndex, entries }: AppendRequest): boolean {
  return entries.every((each, at) => each.index === prevIndex + 1 + at);
}

/** Raft paper, 5.3: terms never fall along a log, and no leader has an entry of a later term. */
function hasRisingTerms({ term: leaderTerm, prevTerm, entries }: AppendRequest): boolean {
  let lastTerm: number = prevTerm;
  for (const each of entries) {
    if (each.term < lastTerm) return false;
    lastTerm = each.term;
  }
  return lastTerm <= leaderTerm;
}

/** src/lease/register.ts: tokens strictly fall from the newest tenure to the oldest. */
function isNewestFirst(tenures: LockState): boolean {
  return tenures.every((tenure, at) => {
    const older = tenures[at + 1];
    return (
      older === undefined || (older.claim < tenure.claim && older.token < tenure.token && older.term <= tenure.term)
    );
  });
}

function coversItsTenures({ index: last, term: lastTerm, lock: [newest] }: CoreSnapshot): boolean {
  return newest === undefined || (newest.claim <= last && newest.term <= lastTerm);
}

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
