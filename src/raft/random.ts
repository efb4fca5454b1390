/**
 * The core's own dice: a small generator with its seed passed in, so that a seed replays every run.
 *
 * Invariant: the same seed gives the same sequence. Not for secrets: identities are made elsewhere.
 *
 * Deliberately absent: any source of entropy.
 */

/** Numbers in [0, 1), by Steele & Vigna's SplitMix construction on 32 bits. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }
}
