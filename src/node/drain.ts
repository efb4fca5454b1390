/**
 * Draining: from "start nothing new" to "it has stopped" (DESIGN, Draining and L7 (1)).
 *
 * Invariant: `over` is true only when the application has confirmed that it stopped, or when the drain time has run
 * out *and* every deadline it was ever given has passed on the holder clock.
 *
 * Deliberately absent: the release itself, and timers; the node asks again at `wakeMs`.
 */
import { type HolderMs, type MonotonicMs, type Now } from "../base/types.ts";

export type DrainCause = "signal" | "ineligible";

export class Drain {
  readonly cause: DrainCause;
  readonly #timeoutAt: number;
  readonly #lastGiven: HolderMs | null;
  #confirmed = false;
  /** Whom the application asked to take over, when it confirmed. */
  to: string | null = null;

  /**
   * @param lastGiven the end of the lease as the drain begins; no later deadline is given from here on. Null: none
   * was given that is still ahead.
   */
  constructor(cause: DrainCause, startedAt: MonotonicMs, timeoutMs: number, lastGiven: HolderMs | null) {
    this.cause = cause;
    this.#timeoutAt = startedAt + timeoutMs;
    this.#lastGiven = lastGiven;
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  confirm(to: string | null): void {
    this.#confirmed = true;
    this.to = to;
  }

  over(now: Now): boolean {
    return this.#confirmed || this.wakeMs(now) === 0;
  }

  /** How long until time alone could end the drain, in ms; 0 once it has. */
  wakeMs(now: Now): number {
    const timeoutMs = this.#timeoutAt - now.monotonicMs;
    const givenMs = this.#lastGiven === null ? 0 : this.#lastGiven - now.holderMs;
    return Math.max(0, timeoutMs, givenMs);
  }
}
