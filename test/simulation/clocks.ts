/**
 * The two clocks of one machine, as functions of true time.
 *
 * Invariant: neither goes backwards; while the machine runs, both run at one rate, which the swarm keeps within the
 * drift bound of every node. While it is suspended CLOCK_MONOTONIC stands still and the holder clock goes on.
 *
 * Deliberately absent: wall clocks, and the 10 ms steps of /proc/uptime (they belong to src/clock).
 */
import { assert } from "../../src/base/assert.ts";
import { type HolderMs, holderMs, monotonicMs, type Now } from "../../src/base/types.ts";

export class MachineClock {
  #trueMs: number;
  #monotonicMs: number;
  #holderMs: number;
  #rate: number;
  #suspended = false;

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

  read(trueMs: number): Now {
    const passed = this.#passed(trueMs);
    const seen = this.#suspended ? 0 : passed;
    return { monotonicMs: monotonicMs(this.#monotonicMs + seen), holderMs: holderMs(this.#holderMs + passed) };
  }

  holder(trueMs: number): HolderMs {
    return holderMs(this.#holderMs + this.#passed(trueMs));
  }

  /** The true time at which CLOCK_MONOTONIC will show `target` if nothing changes. */
  whenMonotonic(target: number, trueMs: number): number {
    return trueMs + Math.max(0, target - this.read(trueMs).monotonicMs) / this.#rate;
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
    const now = this.read(trueMs);
    this.#trueMs = trueMs;
    this.#monotonicMs = now.monotonicMs;
    this.#holderMs = now.holderMs;
  }

  #passed(trueMs: number): number {
    assert(trueMs >= this.#trueMs, "true time only moves forward");
    return (trueMs - this.#trueMs) * this.#rate;
  }
}
