/**
 * The names of a StatefulSet: `<set>-0` … `<set>-<n-1>`, known from one of them and n.
 *
 * Invariant: names come from here, never from DNS.
 *
 * Deliberately absent: Deployments, whose pods have no stable names.
 */
import { assert } from "../base/assert.ts";
import type { Member } from "../base/types.ts";

export interface SetName {
  readonly set: string;
  readonly ordinal: number;
}

const ORDINAL_NAME = /^(?<set>.+)-(?<ordinal>0|[1-9]\d*)$/;

/** Null for a name without an ordinal. */
export function parseSetName(name: string): SetName | null {
  const groups = ORDINAL_NAME.exec(name)?.groups;
  if (groups === undefined) return null;
  const { set, ordinal } = groups;
  assert(set !== undefined && ordinal !== undefined, "both groups are part of every match");
  return { set, ordinal: Number(ordinal) };
}

/** In the order of the ordinals; names without one come last, by name. */
export function byOrdinal(a: Member, b: Member): number {
  const ordinalOf = ({ name }: Member): number => parseSetName(name)?.ordinal ?? Number.MAX_SAFE_INTEGER;
  return ordinalOf(a) - ordinalOf(b) || (a.name < b.name ? -1 : 1);
}

/** Whether both belong to one set. */
export function isOfSameSet(a: string, b: string): boolean {
  const set = parseSetName(a)?.set;
  return set !== undefined && set === parseSetName(b)?.set;
}

/** All names of the set but `name` itself. */
export function otherNames(name: string, replicas: number): readonly string[] {
  const parsed = parseSetName(name);
  assert(parsed !== null, "the configuration was checked for an ordinal");
  const names = Array.from({ length: replicas }, (_, ordinal) => `${parsed.set}-${ordinal}`);
  return names.filter((other) => other !== name);
}
