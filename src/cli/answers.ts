/**
 * The answers of the lock API as commands read them.
 *
 * Invariant: what a command shows was checked here; fields that are not known stay, so that --json loses nothing.
 *
 * Deliberately absent: the types of src/ports. A command may talk to a sidecar of another version, so it asks for no
 * more than it shows.
 */
import * as v from "valibot";
import { REASONS } from "../ports/application.ts";

const NAME = v.nullable(v.string());
const COUNT = v.number();

export const LeaderSchema = v.looseObject({
  isLeader: v.boolean(),
  name: NAME,
  self: v.string(),
  token: v.nullable(COUNT),
  remainingMs: COUNT,
  reason: v.picklist(REASONS),
  index: COUNT,
});
export type Leader = v.InferOutput<typeof LeaderSchema>;

const MemberSchema = v.looseObject({
  name: v.string(),
  id: v.string(),
  role: v.string(),
  voter: v.boolean(),
  self: v.boolean(),
  connected: v.boolean(),
  lastContactMs: v.nullable(COUNT),
  version: NAME,
  matchIndex: v.nullable(COUNT),
  eligible: v.nullable(v.boolean()),
});
export type ListedMember = v.InferOutput<typeof MemberSchema>;

export const ClusterSchema = v.looseObject({
  group: v.string(),
  groupId: NAME,
  self: v.string(),
  term: COUNT,
  holder: NAME,
  holderForMs: v.optional(v.nullable(COUNT), null),
  leaseDurationMs: COUNT,
  trouble: NAME,
  members: v.array(MemberSchema),
});
export type Cluster = v.InferOutput<typeof ClusterSchema>;

const TenureSchema = v.looseObject({ name: v.string(), id: v.string(), token: COUNT, term: COUNT, end: v.string() });

export const HistorySchema = v.looseObject({ group: v.string(), tenures: v.array(TenureSchema) });
export type History = v.InferOutput<typeof HistorySchema>;

export const ReleasedSchema = v.looseObject({ released: v.literal(true) });

export const FormedSchema = v.looseObject({ formed: v.literal(true) });

export const RescuedSchema = v.looseObject({ rescued: v.literal(true) });

export const ErrorSchema = v.object({ error: v.object({ code: v.string(), message: v.string() }) });

/** The present tenure, as this pod knows it. */
export interface Holder {
  readonly name: string;
  readonly token: number | null;
  /** For how long this pod has known of it, in ms. */
  readonly forMs: number | null;
}

/** Several answers that belong to one state of the sidecar. */
export interface Picture {
  readonly leader: Leader;
  readonly cluster: Cluster;
  readonly holder: Holder | null;
}
