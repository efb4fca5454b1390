/**
 * True time, and what will happen in it.
 *
 * Invariant: time moves only forward, from one planned event to the next; events of one instant keep the order in which
 * they were planned. Everything that an event sets off is over before the next one.
 *
 * Deliberately absent: cancelling. An event that has become pointless finds that out by itself.
 */
import { assert } from "../../src/base/assert.ts";

interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

export class Agenda {
  /** True time, in ms: what no node can see. */
  nowMs = 0;
  /** How many events there have been. */
  events = 0;
  readonly #afterEach: () => void;
  #order = 0;
  /** A binary heap, earliest first. */
  readonly #heap: Planned[] = [];

  /** @param afterEach called after every event */
  constructor(afterEach: () => void) {
    this.#afterEach = afterEach;
  }

  at(atMs: number, action: () => void): void {
    assert(atMs >= this.nowMs, "nothing is planned for the past");
    this.#order += 1;
    this.#heap.push({ atMs, order: this.#order, action });
    this.#rise(this.#heap.length - 1);
  }

  after(delayMs: number, action: () => void): void {
    this.at(this.nowMs + delayMs, action);
  }

  /** Runs everything up to `untilMs`, and ends there. */
  runUntil(untilMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= untilMs; first = this.#heap[0]) {
      this.#removeFirst();
      this.nowMs = first.atMs;
      this.events += 1;
      first.action();
      this.#afterEach();
    }
    this.nowMs = untilMs;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#swapIfBefore(position, parent)) return;
      position = parent;
    }
  }

  #sink(from: number): void {
    let position = from;
    for (;;) {
      const left = 2 * position + 1;
      const right = left + 1;
      const child = right < this.#heap.length && this.#isBefore(right, left) ? right : left;
      if (child >= this.#heap.length || !this.#swapIfBefore(child, position)) return;
      position = child;
    }
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    if (!this.#isBefore(lower, upper)) return false;
    const [a, b] = [this.#heap[lower], this.#heap[upper]];
    assert(a !== undefined && b !== undefined, "both lie in the heap");
    this.#heap[lower] = b;
    this.#heap[upper] = a;
    return true;
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    assert(a !== undefined && b !== undefined, "both lie in the heap");
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }
}
