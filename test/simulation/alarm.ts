/**
 * The one timer of a node.
 *
 * Invariant: early by no more than a change of the clock's rate makes it, often late; it rings at most once for each
 * time that it is set, and not at all after it was cleared.
 *
 * Deliberately absent: looking whether there is anything to do. Whoever is woken looks.
 */
import type { MonotonicMs } from "../../src/base/types.ts";
import type { MachineClock } from "./clocks.ts";
import type { Surroundings } from "./surroundings.ts";

/** No timer of Node is more exact; it also keeps rounding from waking a core a moment too early for ever. */
const TIMER_STEP_MS = 0.02;

export class Alarm {
  readonly #clock: MachineClock;
  readonly #around: Surroundings;
  readonly #ring: () => void;
  #atMs = Infinity;
  #version = 0;

  constructor(clock: MachineClock, around: Surroundings, ring: () => void) {
    this.#clock = clock;
    this.#around = around;
    this.#ring = ring;
  }

  /** @param target on the machine's CLOCK_MONOTONIC. A later one than before is left to whoever is woken too early. */
  set(target: MonotonicMs): void {
    const { agenda, chance, swarm, stormy, tally } = this.#around;
    let atMs = Math.max(agenda.nowMs + TIMER_STEP_MS, this.#clock.whenMonotonic(target, agenda.nowMs));
    if (atMs >= this.#atMs) return;
    if (stormy && swarm.lateTimerMs > 0) {
      atMs += chance.exponential(swarm.lateTimerMs);
      tally.lateTimer += 1;
    }
    this.#version += 1;
    const version = this.#version;
    this.#atMs = atMs;
    agenda.at(atMs, () => {
      if (version !== this.#version) return;
      this.#atMs = Infinity;
      this.#ring();
    });
  }

  /** Plans are made in true time: they do not outlive a crash, a pause or a change of the clock's rate. */
  clear(): void {
    this.#version += 1;
    this.#atMs = Infinity;
  }
}
