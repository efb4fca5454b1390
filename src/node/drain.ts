/**
 * Draining: from "start nothing new" to "it has stopped" (DESIGN, Draining and L7 (1)).
 *
 * Invariant: `over` is true only when the application has confirmed that it stopped, or when the drain time has run
 * out *and* every deadline it was ever given has passed on the holder clock.
 *
 * Deliberately absent: the release itself, and timers; the node asks again at `wakeMs`.
 */
import { type HolderMs, type MonotonicMs, type Now } from "../base/types.ts";

/** `transfer`: a person moves the lock; this node stays in the running. */
export type DrainCause = "signal" | "ineligible" | "transfer";

export class Drain {
  readonly cause: DrainCause;
  readonly #timeoutAt: number;
  readonly #lastGiven: HolderMs | null;
  #confirmed = false;
  #to: string | null = null;

  /**
   * @param lastGiven the latest end of the lease that was told before the drain began; no later deadline is given from
   * here on. Null: none was given that is still ahead.
   */
  constructor(cause: DrainCause, startedAt: MonotonicMs, timeoutMs: number, lastGiven: HolderMs | null) {
    this.cause = cause;
    this.#timeoutAt = startedAt + timeoutMs;
    this.#lastGiven = lastGiven;
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** Who shall take over; null: whoever is best. The last wish counts. */
  get to(): string | null {
    return this.#to;
  }

  aim(to: string | null): void {
    this.#to = to ?? this.#to;
  }

  confirm(to: string | null): void {
    this.#confirmed = true;
    this.aim(to);
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
