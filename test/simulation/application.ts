/**
 * The application beside a node: it acts on what it was last told until the deadline that came with it.
 *
 * Invariant: it measures that deadline on its own machine's holder clock, and neither a crash nor a pause of the node
 * makes it act for a shorter time. Once it has said that it stopped, it starts only on a newer answer.
 *
 * Deliberately absent: anything that asks the node again before acting. Exclusion must hold for the laziest user.
 */
import type { FencingToken, HolderMs } from "../../src/base/types.ts";

export class Application {
  #actsUntil: HolderMs | null = null;
  #token: FencingToken | null = null;
  /** Resignations that the node has not carried out yet. */
  #stopping = 0;
  /** It has ended before its node: nobody asks any more. */
  #gone = false;

  get token(): FencingToken | null {
    return this.#token;
  }

  get listens(): boolean {
    return this.#stopping === 0 && !this.#gone;
  }

  actsAt(now: HolderMs): boolean {
    return this.#actsUntil !== null && now < this.#actsUntil;
  }

  told(until: HolderMs, token: FencingToken): void {
    if (this.#actsUntil === null || until > this.#actsUntil) this.#actsUntil = until;
    this.#token = token;
  }

  /** DESIGN, L7 (1): "I have stopped; hand over." */
  stop(): void {
    this.#actsUntil = null;
    this.#stopping += 1;
  }

  /** The node has carried the resignation out, or has refused it. */
  stopped(): void {
    this.#stopping = Math.max(0, this.#stopping - 1);
  }

  /** Another life of the node: it knows of no resignation. */
  nodeStarted(): void {
    this.#stopping = 0;
    this.#gone = false;
  }

  /** The pod is gone, and the application with it. */
  gone(): void {
    this.#actsUntil = null;
    this.#stopping = 0;
    this.#gone = true;
  }
}
