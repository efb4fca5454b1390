/**
 * The clock port of one life of a node: the machine's clocks, and its timers.
 *
 * Invariant: a timer is early by no more than a change of the clock's rate makes it, often late; it rings once, and not
 * at all after it was cancelled or its life has ended. All timers of a life share one event of the agenda.
 *
 * Deliberately absent: a clock that goes backwards. That is the end of a process, see src/clock.
 */
import { type HolderMs, monotonicMs, type MonotonicMs, type Now } from "../../src/base/types.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Life } from "./life.ts";
import type { Surroundings } from "./surroundings.ts";

/** No timer of Node is more exact; it also keeps rounding from waking a node a moment too early for ever. */
const TIMER_STEP_MS = 0.02;

/** A reading that knows whose it is, so that a step that was made with it can be told from those of other nodes. */
export interface Reading extends Now {
  readonly life: Life;
}

interface Timer {
  readonly at: MonotonicMs;
  readonly callback: () => void;
}

export class SimulatedClock implements Clock {
  readonly #life: Life;
  readonly #around: Surroundings;
  #timers: Timer[] = [];
  #alarmAtMs = Infinity;
  #version = 0;

  constructor(life: Life, around: Surroundings) {
    this.#life = life;
    this.#around = around;
  }

  now(): Reading {
    const { machine } = this.#life;
    const { nowMs } = this.#around.agenda;
    return {
      monotonicMs: monotonicMs(machine.clock.monotonic(nowMs)),
      holderMs: machine.clock.holder(nowMs),
      life: this.#life,
    };
  }

  monotonic(): MonotonicMs {
    return monotonicMs(this.#life.machine.clock.monotonic(this.#around.agenda.nowMs));
  }

  holder(): HolderMs {
    return this.#life.machine.clock.holder(this.#around.agenda.nowMs);
  }

  toMonotonicNs(instant: MonotonicMs): bigint {
    return BigInt(Math.floor(instant * 1e6));
  }

  wallSeconds(): number {
    return this.#life.machine.clock.wallSeconds(this.#around.agenda.nowMs);
  }

  wakeAt(at: MonotonicMs, callback: () => void): () => void {
    if (this.#life.ended) return () => undefined;
    const timer = { at, callback };
    this.#timers.push(timer);
    this.#plan();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers there are. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Plans are made in true time: they do not outlive a pause or a change of the clock's rate. */
  planAnew(): void {
    this.#alarmAtMs = Infinity;
    this.#version += 1;
    this.#plan();
  }

  end(): void {
    this.#timers = [];
    this.#version += 1;
  }

  /** An alarm that is too early, because its timer was cancelled, is left to ring for nothing. */
  #plan(): void {
    const { agenda, chance, swarm, stormy, tally } = this.#around;
    if (this.#timers.length === 0 || this.#life.machine.paused) return;
    let first = Infinity;
    for (const { at } of this.#timers) first = Math.min(first, at);
    let atMs = Math.max(agenda.nowMs + TIMER_STEP_MS, this.#life.machine.clock.whenMonotonic(first, agenda.nowMs));
    if (atMs >= this.#alarmAtMs) return;
    if (stormy && swarm.lateTimerMs > 0) {
      atMs += chance.exponential(swarm.lateTimerMs);
      tally.lateTimer += 1;
      if (atMs >= this.#alarmAtMs) return;
    }
    this.#version += 1;
    const version = this.#version;
    this.#alarmAtMs = atMs;
    agenda.at(atMs, () => {
      if (version === this.#version) this.ring();
    });
  }

  /** Also called by a machine that goes on after a pause. */
  ring(): void {
    this.#alarmAtMs = Infinity;
    this.#version += 1;
    if (this.#life.machine.paused) return;
    const now = this.monotonic();
    const due = this.#timers.filter(({ at }) => at <= now);
    if (due.length > 0) this.#timers = this.#timers.filter(({ at }) => at > now);
    for (const { callback } of due) callback();
    this.#plan();
  }
}
