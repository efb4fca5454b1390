/**
 * The clocks of one machine, as functions of true time.
 *
 * Invariant: neither measuring clock goes backwards; while the machine runs, both run at one rate, which the swarm
 * keeps within the drift bound of every node. While it is suspended CLOCK_MONOTONIC stands still and the holder clock
 * goes on. The wall clock may be stepped, within a bound of its own.
 *
 * Deliberately absent: the 10 ms steps of /proc/uptime; they belong to src/clock.
 */
import { assert } from "../../src/base/assert.ts";
import { type HolderMs, holderMs } from "../../src/base/types.ts";

/** Of the first moment of every world, since 2025-01-01. */
const WALL_EPOCH_MS = 60_000_000_000;

export class MachineClock {
  #trueMs: number;
  #monotonicMs: number;
  #holderMs: number;
  #rate: number;
  #suspended = false;
  /** How far the wall clock is off, in ms. */
  wallErrorMs = 0;

  /** @param offsetMs what both clocks show at `trueMs` @param rate ms of either clock per ms of true time */
  constructor(trueMs: number, offsetMs: number, rate: number) {
    assert(rate > 0, "a clock advances");
    this.#trueMs = trueMs;
    this.#monotonicMs = offsetMs;
    this.#holderMs = offsetMs;
    this.#rate = rate;
  }

  get suspended(): boolean {
    return this.#suspended;
  }

  monotonic(trueMs: number): number {
    return this.#suspended ? this.#monotonicMs : this.#monotonicMs + this.#passed(trueMs);
  }

  holder(trueMs: number): HolderMs {
    return holderMs(this.#holderMs + this.#passed(trueMs));
  }

  wallSeconds(trueMs: number): number {
    return (WALL_EPOCH_MS + trueMs + this.wallErrorMs) / 1_000;
  }

  /** The true time at which CLOCK_MONOTONIC will show `target` if nothing changes. */
  whenMonotonic(target: number, trueMs: number): number {
    return trueMs + Math.max(0, target - this.monotonic(trueMs)) / this.#rate;
  }

  setRate(rate: number, trueMs: number): void {
    assert(rate > 0, "a clock advances");
    this.#settle(trueMs);
    this.#rate = rate;
  }

  setSuspended(suspended: boolean, trueMs: number): void {
    this.#settle(trueMs);
    this.#suspended = suspended;
  }

  #settle(trueMs: number): void {
    const [monotonicMs, holder] = [this.monotonic(trueMs), this.holder(trueMs)];
    this.#trueMs = trueMs;
    this.#monotonicMs = monotonicMs;
    this.#holderMs = holder;
  }

  #passed(trueMs: number): number {
    assert(trueMs >= this.#trueMs, "true time only moves forward");
    return (trueMs - this.#trueMs) * this.#rate;
  }
}
