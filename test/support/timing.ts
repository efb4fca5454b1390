/**
 * The timing that unit and paper tests use: D = 1100 ms at a drift of 10 %, so that U and the election window come out
 * in round numbers.
 *
 * Invariant: U and WINDOW are the numbers worked out by hand, not those of the code under test.
 *
 * Deliberately absent: the defaults of the program.
 */
import type { LeaseTiming } from "../../src/lease/timing.ts";

/** What voters promise, in ms. */
export const D = 1_100;
/** What the holder may use of it: D x 0.9 / 1.1, in ms. */
export const U = 900;
/** The heartbeat interval, in ms. */
export const H = 100;
/** The election window, D - U, in ms. */
export const WINDOW = 200;

export const TIMING: LeaseTiming = { leaseDurationMs: D, clockDrift: 0.1, heartbeatIntervalMs: H };
