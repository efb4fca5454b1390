/**
 * One timer for answers that grow old: time alone ends a lease, takes a holder's name away, and the hope for a quorum.
 *
 * Invariant: it fires at the next such instant or before it, and then looks again; a leader that speaks, or is
 * acknowledged, puts it off without touching the timer.
 *
 * Deliberately absent: what is answered.
 */
import type { MonotonicMs } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";

export class Ageing {
  readonly #clock: Clock;
  readonly #next: () => MonotonicMs | null;
  readonly #aged: () => void;
  #armed: { readonly at: MonotonicMs; readonly cancel: () => void } | null = null;
  #stopped = false;

  /**
   * @param next the next instant from now on at which the answer changes by itself; null: none
   * @param aged called at each such instant, and now and then without need
   */
  constructor(clock: Clock, next: () => MonotonicMs | null, aged: () => void) {
    this.#clock = clock;
    this.#next = next;
    this.#aged = aged;
  }

  /** After whatever may have moved the instant. */
  look(): void {
    const at = this.#stopped ? null : this.#next();
    if (at === null || (this.#armed !== null && this.#armed.at <= at)) return;
    this.#armed?.cancel();
    const cancel = this.#clock.wakeAt(at, () => {
      this.#armed = null;
      // First, because a timer may come a moment early: then the instant is still ahead, and no other call is late.
      this.look();
      this.#aged();
    });
    this.#armed = { at, cancel };
  }

  stop(): void {
    this.#stopped = true;
    this.#armed?.cancel();
    this.#armed = null;
  }
}
