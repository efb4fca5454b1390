/**
 * Fencing tokens: tokenBase + the log index of the claim (DESIGN, L6 and Formation).
 *
 * Invariant: within a group a later claim has a larger index; a later group has a larger base, because a base is the
 * age of a clock times 2^22 per second, and no group commits claims at that rate between two formations.
 *
 * Deliberately absent: the clock that tells the seconds (src/node asks the founders for theirs).
 */
import { assert } from "../base/assert.ts";
import { type FencingToken, fencingToken, type LogIndex } from "../base/types.ts";

/** Claims per second of age that a base leaves room for. 2^22 x 2^31 s stays below 2^53 until 2093. */
const TOKENS_PER_SECOND = 2 ** 22;

/**
 * @param seconds since 2025-01-01T00:00:00Z, by the latest founder's wall clock; with their fraction, so that a group
 * that forms, is lost whole and forms again within one second repeats no token
 */
export function tokenBaseOf(seconds: number): number {
  assert(Number.isFinite(seconds) && seconds >= 0, "the seconds of a token base are no negative number");
  const base = Math.floor(seconds * TOKENS_PER_SECOND);
  assert(Number.isSafeInteger(base + TOKENS_PER_SECOND), "a token base leaves its tokens below 2^53");
  return base;
}

/**
 * The base of a group that takes the place of one whose majority is gone: above every token of it, also those that only
 * the lost members have seen, and also when the wall clock has gone back.
 *
 * @param lastIndex the last index of the old log that a survivor knows
 */
export function tokenBaseAfter(oldBase: number, lastIndex: LogIndex, seconds: number): number {
  const base = Math.max(tokenBaseOf(seconds), oldBase + lastIndex + TOKENS_PER_SECOND);
  assert(Number.isSafeInteger(base + TOKENS_PER_SECOND), "a token base leaves its tokens below 2^53");
  return base;
}

export function tokenOf(tokenBase: number, claim: LogIndex): FencingToken {
  assert(claim > 0, "a claim has an index");
  return fencingToken(tokenBase + claim);
}
