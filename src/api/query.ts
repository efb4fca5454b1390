/**
 * The query of a long poll: `?index=N&wait=30s`.
 *
 * Invariant: what is accepted is exact and in range; everything else is refused with the name, what was given and
 * what is allowed, because a client whose wait is silently taken for another polls in a busy loop.
 *
 * Deliberately absent: other parameters. They are ignored, so that a later version may add some.
 */
import { TenureError } from "../base/errors.ts";
import { DEFAULT_WAIT_MS, MAX_WAIT_MS } from "../base/limits.ts";

export interface LongPollQuery {
  /** The change counter that the client has seen. */
  readonly index: number;
  readonly waitMs: number;
}

const DIGITS = /^\d{1,16}$/;
const DURATION = /^(\d{1,9})(ms|s|m)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const WAIT_ALLOWED = `a duration such as 30s or 500ms, from 0s to ${MAX_WAIT_MS / 1_000}s`;

/** Reads the part of a request target after `?`; null when it asks for no long poll. Throws `query_invalid`. */
export function parseLongPoll(query: string): LongPollQuery | null {
  const parameters = new URLSearchParams(query);
  const index = only(parameters, "index");
  const wait = only(parameters, "wait");
  if (index === null) {
    if (wait !== null) throw refused("wait", wait, "to be given together with index, the change counter last seen");
    return null;
  }
  return { index: parseIndex(index), waitMs: wait === null ? DEFAULT_WAIT_MS : parseWait(wait) };
}

function parseIndex(given: string): number {
  const index = DIGITS.test(given) ? Number(given) : Number.NaN;
  if (!Number.isSafeInteger(index)) throw refused("index", given, "an integer from 0 to 2^53 - 1");
  return index;
}

function parseWait(given: string): number {
  const [, digits, unit] = DURATION.exec(given) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  if (digits === undefined || unitMs === undefined) {
    const hint = DIGITS.test(given) ? " (the unit is missing)" : "";
    throw refused("wait", given, WAIT_ALLOWED + hint);
  }
  const waitMs = Number(digits) * unitMs;
  if (waitMs > MAX_WAIT_MS) throw refused("wait", given, WAIT_ALLOWED);
  return waitMs;
}

function only(parameters: URLSearchParams, name: string): string | null {
  const all = parameters.getAll(name);
  if (all.length > 1) throw refused(name, all.join(", "), "one value");
  return all[0] ?? null;
}

function refused(name: string, given: string, allowed: string): TenureError {
  return new TenureError("query_invalid", `${name} is ${JSON.stringify(given.slice(0, 64))}; allowed: ${allowed}`);
}
