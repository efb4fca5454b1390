/**
 * The holder clock: the fastest of CLOCK_MONOTONIC and the boot-time clock (DESIGN, Clocks).
 *
 * CLOCK_MONOTONIC stops while a machine is suspended; a holder that slept with it would wake up and still believe in
 * its lease. /proc/uptime goes on, in steps of 10 ms. This clock is CLOCK_MONOTONIC plus the largest lead that the
 * boot-time clock was ever seen to have, so it never goes backwards and never runs slower than either.
 *
 * Invariant: between any two readings at least the time has passed that CLOCK_MONOTONIC shows, and at least that of the
 * true boot time less one step of the file.
 *
 * Deliberately absent: reading any file; the caller brings both values.
 */
import { holderMs, type HolderMs, type MonotonicMs } from "../base/types.ts";

export class HolderClock {
  #leadMs: number | null = null;

  /**
   * @param uptimeMs the boot-time clock, read *before* `monotonic`, so that the lead is never overrated by the time in
   * between; null where there is none
   */
  read(monotonic: MonotonicMs, uptimeMs: number | null): HolderMs {
    if (uptimeMs !== null) {
      const seenMs = uptimeMs - monotonic;
      this.#leadMs = Math.max(this.#leadMs ?? seenMs, seenMs);
    }
    return holderMs(monotonic + (this.#leadMs ?? 0));
  }
}
