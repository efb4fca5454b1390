/**
 * What the bodies of `POST /resign` and `PUT /eligibility` may be.
 *
 * Invariant: a key that is not known is refused. A misspelt `to` that is ignored would hand the lock to a pod that
 * nobody chose.
 *
 * Deliberately absent: whether the pod named exists; the node knows that.
 */
import { TenureError } from "../base/errors.ts";
import { MAX_NAME_LENGTH } from "../base/limits.ts";

/** The target named by the body of a resignation; null for "any". Throws `body_invalid`. */
export function parseResign(body: unknown): string | null {
  if (body === undefined) return null;
  const { to, ...rest } = object(body);
  const nameGiven = typeof to === "string" && to.length > 0 && to.length <= MAX_NAME_LENGTH;
  if (Object.keys(rest).length > 0 || !(nameGiven || to === undefined || to === null)) {
    throw new TenureError("body_invalid", 'the body is {"to":"<name of a pod>"}, {} or nothing');
  }
  return nameGiven ? to : null;
}

/** Throws `body_invalid`. */
export function parseEligibility(body: unknown): boolean {
  const { eligible, ...rest } = object(body ?? {});
  if (Object.keys(rest).length > 0 || typeof eligible !== "boolean") {
    throw new TenureError("body_invalid", 'the body is {"eligible":true} or {"eligible":false}');
  }
  return eligible;
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TenureError("body_invalid", "the body is a JSON object");
  }
  return { ...value };
}
