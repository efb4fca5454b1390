/**
 * The leader's own claim in its term: none, appended, or held (DESIGN, L6 and L7).
 *
 * Invariant: what has lapsed or was revoked never comes back; holding again takes a new claim, and after a revocation
 * a new term. The lease itself is compared at every use, by the caller.
 *
 * Deliberately absent: the clock and the log.
 */
import { assert } from "../base/assert.ts";
import type { LogIndex } from "../base/types.ts";

export class Tenancy {
  #claim: LogIndex | null = null;
  #committed = false;
  #revoked = false;
  #everHeld = false;

  /** The claim that is appended or held; null when there is none. */
  get claim(): LogIndex | null {
    return this.#claim;
  }

  /** The claim is committed and has neither lapsed nor been revoked. */
  get held(): boolean {
    return this.#claim !== null && this.#committed;
  }

  /** In this term an application may have been told a deadline. */
  get everHeld(): boolean {
    return this.#everHeld;
  }

  get revoked(): boolean {
    return this.#revoked;
  }

  appended(claim: LogIndex): void {
    assert(!this.#revoked, "no claim after a revocation");
    assert(this.#claim === null, "one claim at a time");
    this.#claim = claim;
    this.#committed = false;
  }

  committed(claim: LogIndex): void {
    assert(this.#claim === claim, "only the open claim is committed");
    this.#committed = true;
    this.#everHeld = true;
  }

  /** The lease ran out (L6): an appended claim is void too, even if it is committed later. */
  lapse(): void {
    this.#claim = null;
    this.#committed = false;
  }

  /** L7 (2): irrevocably for this term. */
  revoke(): void {
    this.#revoked = true;
    this.lapse();
  }
}
