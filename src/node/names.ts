/**
 * The names of a StatefulSet: `<set>-0` … `<set>-<n-1>`, known from one of them and n.
 *
 * Invariant: names come from here, never from DNS.
 *
 * Deliberately absent: Deployments, whose pods have no stable names.
 */
import { assert } from "../base/assert.ts";

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

/** All names of the set but `name` itself. */
export function otherNames(name: string, replicas: number): readonly string[] {
  const parsed = parseSetName(name);
  assert(parsed !== null, "the configuration was checked for an ordinal");
  const names = Array.from({ length: replicas }, (_, ordinal) => `${parsed.set}-${ordinal}`);
  return names.filter((other) => other !== name);
}
