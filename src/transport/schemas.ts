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
  MAX_LEASE_DURATION_MS,
  MAX_MEMBERS,
  MAX_NAME_LENGTH,
} from "../base/limits.ts";
import { isMemberId } from "../base/types.ts";
import type { LogIndex, MemberId, Term } from "../base/types.ts";
import type { Form } from "../ports/storage.ts";
import type { FormationStatus, PeerMessage } from "../ports/transport.ts";
import type { Configuration, Entry, Member } from "../raft/entry.ts";
import type { AppendRequest } from "../raft/message.ts";

type Schema<T> = v.GenericSchema<unknown, T>;

const GROUP_ID = /^[0-9a-f]{32}$/;
/** What Kubernetes allows, and a little more for names of machines; nothing that means something in a DNS name. */
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isPositive = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

const count = v.custom<number>(isCount, "must be an integer from 0");
const integer = v.custom<number>((value) => Number.isSafeInteger(value), "must be an integer");
const term = v.custom<Term>(isCount, "must be a term, from 0");
/** A term in which somebody campaigned or led. */
const liveTerm = v.custom<Term>(isPositive, "must be a term, from 1");
const index = v.custom<LogIndex>(isCount, "must be a log index, from 0");
const entryIndex = v.custom<LogIndex>(isPositive, "must be the index of an entry, from 1");
const flag = v.boolean();

/**
 * A span in ms, with fractions. One more than the longest lease: the difference of two instants may be a rounding error
 * above what was promised.
 */
const spanMs = v.custom<number>(
  (value) => typeof value === "number" && value >= 0 && value <= MAX_LEASE_DURATION_MS + 1,
  "must be a span in ms within the longest lease",
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
    tokenBase: count,
  }),
  v.check(
    ({ founders }) => distinct(founders.map(({ id }) => id)) && distinct(founders.map(({ name }) => name)),
    "must name each founder once",
  ),
);

const status: Schema<FormationStatus> = v.variant("kind", [
  v.strictObject({ kind: v.literal("empty"), wallSeconds: count }),
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
    leaseDurationMs: spanMs,
    holding: v.nullable(entryIndex),
  }),
  v.check(isContiguous, "must have entries that follow prevIndex without a gap"),
  v.check(hasRisingTerms, "must have entries whose terms rise from prevTerm to the term of the leader"),
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
  appendReply: v.strictObject({
    kind: v.literal("appendReply"),
    term,
    round: count,
    accepted: flag,
    matchIndex: index,
    eligible: flag,
    priority: integer,
  }),
  timeoutNow: v.strictObject({ kind: v.literal("timeoutNow"), term: liveTerm, certificate: v.nullable(liveTerm) }),
  formQuery: v.strictObject({ kind: v.literal("formQuery") }),
  formStatus: v.strictObject({ kind: v.literal("formStatus"), status }),
  formPropose: v.strictObject({ kind: v.literal("formPropose"), form }),
  formReply: v.strictObject({ kind: v.literal("formReply"), groupId: groupIdSchema, accepted: flag, status }),
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

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
