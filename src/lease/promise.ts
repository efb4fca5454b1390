/**
 * What this node has promised to leaders, and what of it is left (DESIGN, L2 to L5).
 *
 * Invariant: the deadline never moves back. Whoever wins an election with this node's vote waits it out, so safety
 * does not rest on the vote being refused.
 *
 * Deliberately absent: persistence. Only the largest D is kept on disk (by src/raft); after a restart it stands for
 * everything that was forgotten (L4).
 */
import { assert } from "../base/assert.ts";
import { type MonotonicMs, monotonicMs, type Term } from "../base/types.ts";

export class VoterPromise {
  #deadline: MonotonicMs;
  #term: Term | null;

  /** L4: a node that starts takes the longest promise it may have made as made just now, to a term it forgot. */
  constructor(bootedAt: MonotonicMs, largestPromiseMs: number) {
    assert(largestPromiseMs >= 0, "a promise is never negative");
    this.#deadline = monotonicMs(bootedAt + largestPromiseMs);
    this.#term = null;
  }

  get deadline(): MonotonicMs {
    return this.#deadline;
  }

  /** The term whose leader the promise was last made to; null when only a restart knows of it. */
  get term(): Term | null {
    return this.#term;
  }

  /** L2, L3: an accepted append, or the leader's own round. */
  make(now: MonotonicMs, leaseDurationMs: number, term: Term): void {
    assert(leaseDurationMs > 0, "a promise lasts");
    assert(this.#term === null || term >= this.#term, "promises are made to terms that only rise");
    this.#deadline = monotonicMs(Math.max(this.#deadline, now + leaseDurationMs));
    this.#term = term;
  }

  /** L5: what a vote reply reports, in ms. */
  remainingMs(now: MonotonicMs): number {
    return Math.max(0, this.#deadline - now);
  }
}

/**
 * L7 (4): what a candidate counts of a reported promise. Under a certificate, promises made to the certificate's own
 * term are void, because its leader revoked; all others count in full.
 */
export function countedRemainingMs(remainingMs: number, promiseTerm: Term | null, certificate: Term | null): number {
  assert(remainingMs >= 0, "what is left of a promise is never negative");
  return certificate !== null && promiseTerm === certificate ? 0 : remainingMs;
}
