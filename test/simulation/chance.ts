/**
 * The simulator's own dice.
 *
 * Invariant: the same seed gives the same sequence on every machine; the cores under test have dice of their own.
 *
 * Deliberately absent: any source of entropy.
 */
import { assert } from "../../src/base/assert.ts";

const FULL_TURN = 2 ** 32;

/** A counter that is scrambled twice: every seed starts at another place of one long sequence. */
export class Chance {
  #high: number;
  #low: number;

  constructor(seed: number) {
    this.#high = scramble(seed >>> 0);
    this.#low = scramble(Math.floor(seed / FULL_TURN) ^ 0x5bd1e995);
  }

  /** In [0, 1). */
  next(): number {
    this.#low = (this.#low + 0x6c078965) >>> 0;
    if (this.#low < 0x6c078965) this.#high = (this.#high + 1) >>> 0;
    return scramble(scramble(this.#high) ^ this.#low) / FULL_TURN;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** Each order of magnitude is as likely as any other. */
  magnitude(low: number, high: number): number {
    assert(low > 0 && high >= low, "magnitudes are positive");
    return low * (high / low) ** this.next();
  }

  /** 0 to count - 1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  happens(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Undefined if there is nothing to pick from. */
  maybe<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)];
    assert(picked !== undefined, "there is something to pick from");
    return picked;
  }
}

/** A bijection of 32 bits in which every input bit moves about half of the output bits. */
function scramble(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
