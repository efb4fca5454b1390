/**
 * The replicated state of the lock: who claimed it, under which token, and the tenures before.
 *
 * Invariant: tokens in the history strictly fall from newest to oldest; applying the same committed entries gives the
 * same register on every member.
 *
 * Deliberately absent: whether the holder's lease is still good. Only the holder's clock knows that.
 */
import { assert } from "../base/assert.ts";
import { MAX_HISTORY } from "../base/limits.ts";
import type { FencingToken, LogIndex, Member, Term } from "../base/types.ts";
import { tokenOf } from "./token.ts";

export interface Tenure {
  readonly claim: LogIndex;
  readonly term: Term;
  readonly holder: Member;
  readonly token: FencingToken;
  readonly released: boolean;
}

/** As a snapshot carries it: newest first. */
export type LockState = readonly Tenure[];

export class LockRegister {
  readonly #tokenBase: number;
  #tenures: readonly Tenure[];

  constructor(tokenBase: number, state: LockState) {
    this.#tokenBase = tokenBase;
    this.#tenures = state;
  }

  /** The newest claim, released or not; null before the first. */
  get latest(): Tenure | null {
    return this.#tenures[0] ?? null;
  }

  get state(): LockState {
    return this.#tenures;
  }

  tokenOf(claim: LogIndex): FencingToken {
    return tokenOf(this.#tokenBase, claim);
  }

  claim(index: LogIndex, term: Term, holder: Member): Tenure {
    const token = this.tokenOf(index);
    assert(this.latest === null || token > this.latest.token, "tokens rise");
    const tenure: Tenure = { claim: index, term, holder, token, released: false };
    this.#tenures = [tenure, ...this.#tenures.slice(0, MAX_HISTORY - 1)];
    return tenure;
  }

  /** A snapshot takes the place of everything applied so far. */
  install(state: LockState): void {
    const [newest] = state;
    assert(this.latest === null || (newest?.token ?? 0) >= this.latest.token, "a snapshot never goes back");
    this.#tenures = state;
  }

  /** Ends the newest tenure if it is the one named; a release of an older one changes nothing any more. */
  release(claim: LogIndex): void {
    this.#tenures = this.#tenures.map((tenure) => (tenure.claim === claim ? { ...tenure, released: true } : tenure));
  }
}
