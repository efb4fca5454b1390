/**
 * Assertions that stay on in production.
 *
 * Invariant: a failed assertion is a programmer's error. It is never caught and repaired: the process ends and the
 * lease then lapses by itself, which is the safe outcome. Operating errors (a refused connection, a full disk) are
 * `TenureError`s instead, see errors.ts.
 *
 * Deliberately absent: levels, and a switch to turn assertions off.
 */

export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Ends the current step with an `AssertionError` unless `condition` holds. State one fact per call. */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new AssertionError(`assertion failed: ${fact}`);
}

/** Closes a `switch` over a union: compiles only when every case is handled. */
export function unreachable(value: never): never {
  throw new AssertionError(`assertion failed: unexpected value ${JSON.stringify(value)}`);
}

/** Narrows away `undefined` where the surrounding code has made it impossible. */
export function present<T>(value: T | undefined | null, fact: string): T {
  assert(value !== undefined && value !== null, fact);
  return value;
}
