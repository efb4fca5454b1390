/**
 * The arithmetic of the lease: what voters promise, what the holder may use of it, and the election window between.
 *
 * Invariant: two clocks whose rates are each off by at most `clockDrift` agree that the holder's U is over when a
 * voter's D is: U / (1 - drift) <= D / (1 + drift) in true time (DESIGN, section 2; the margin is Gray & Cheriton's,
 * SOSP 1989, as a rate).
 *
 * Deliberately absent: skew. Spans are measured on one clock each; offsets cannot matter.
 */
import { assert } from "../base/assert.ts";

export interface LeaseTiming {
  /** D: how long voters promise, in ms, at least 300. */
  readonly leaseDurationMs: number;
  /** Bound on the rate error of any clock, as a fraction: 0 < drift < 0.5. */
  readonly clockDrift: number;
  /** H: how often the leader renews, in ms; U must exceed 2 H. */
  readonly heartbeatIntervalMs: number;
}

/** U = D (1 - drift) / (1 + drift): the part of a promise of `leaseDurationMs` that the holder may use, in ms. */
export function usableLeaseMs(leaseDurationMs: number, clockDrift: number): number {
  assert(leaseDurationMs > 0, "a lease duration is positive");
  assert(clockDrift > 0 && clockDrift < 0.5, "the drift bound lies between 0 and 0.5");
  return (leaseDurationMs * (1 - clockDrift)) / (1 + clockDrift);
}

/**
 * D - U: followers begin PreVote at a random instant of this window after U, so that the drift margin hides the
 * election (DESIGN, Elections).
 */
export function electionWindowMs(leaseDurationMs: number, clockDrift: number): number {
  return leaseDurationMs - usableLeaseMs(leaseDurationMs, clockDrift);
}
