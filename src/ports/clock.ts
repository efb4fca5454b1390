/**
 * Time, as the node sees it.
 *
 * Invariant: `now` never goes backwards; a clock that would throws `clock_backwards` and the process ends.
 *
 * Deliberately absent: the wall clock as an instant. `wallSeconds` exists for the token base alone (DESIGN,
 * Formation).
 */
import type { MonotonicMs, Now } from "../base/types.ts";

export interface Clock {
  /** Both clocks, read together. The holder clock costs a system call; see `monotonic` for the cheap half. */
  now(): Now;
  monotonic(): MonotonicMs;
  /** The same instant as nanoseconds of this machine's CLOCK_MONOTONIC, which containers of a pod share. */
  toMonotonicNs(instant: MonotonicMs): bigint;
  /** Seconds since 2025-01-01T00:00:00Z by the wall clock, to the millisecond. */
  wallSeconds(): number;
  /** Calls back once, not before `at` (it may be late). Returns a cancellation. */
  wakeAt(at: MonotonicMs, callback: () => void): () => void;
}
