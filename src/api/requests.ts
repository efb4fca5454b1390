/**
 * What the bodies of POST and PUT may be.
 *
 * Invariant: a key that is not known is refused. A misspelt `to` that is ignored would hand the lock to a pod that
 * nobody chose.
 *
 * Deliberately absent: whether the pod named exists; the node knows that.
 */
import { TenureError } from "../base/errors.ts";
import { MAX_MEMBERS, MAX_NAME_LENGTH } from "../base/limits.ts";

/** The target named by the body of a resignation or a transfer; null for "any". Throws `body_invalid`. */
export function parseTarget(body: unknown): string | null {
  if (body === undefined) return null;
  const { to, ...rest } = object(body);
  const nameGiven = isName(to);
  if (Object.keys(rest).length > 0 || !(nameGiven || to === undefined || to === null)) {
    throw new TenureError("body_invalid", 'the body is {"to":"<name of a pod>"}, {} or nothing');
  }
  return nameGiven ? to : null;
}

export interface RescueOrder {
  readonly confirm: string;
  readonly lost: readonly string[];
}

/** Throws `body_invalid`. */
export function parseRescue(body: unknown): RescueOrder {
  const { confirm, lost = [], ...rest } = object(body ?? {});
  const areNames = Array.isArray(lost) && lost.length <= MAX_MEMBERS && lost.every(isName);
  if (Object.keys(rest).length > 0 || !isName(confirm) || !areNames) {
    throw new TenureError("body_invalid", 'the body is {"confirm":"<id of the group>","lost":["<name of a pod>"]}');
  }
  return { confirm, lost };
}

/** Nothing, or an object without a key. Throws `body_invalid`. */
export function parseNothing(body: unknown): void {
  if (Object.keys(object(body ?? {})).length > 0) throw new TenureError("body_invalid", "the body is {} or nothing");
}

/** Throws `body_invalid`. */
export function parseEligibility(body: unknown): boolean {
  const { eligible, ...rest } = object(body ?? {});
  if (Object.keys(rest).length > 0 || typeof eligible !== "boolean") {
    throw new TenureError("body_invalid", 'the body is {"eligible":true} or {"eligible":false}');
  }
  return eligible;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TenureError("body_invalid", "the body is a JSON object");
  }
  return { ...value };
}
