/**
 * Watches who holds the lock, as this node can tell: how long nobody did, and each new tenure.
 *
 * Invariant: the time without a holder only grows; a tenure is reported once.
 *
 * Deliberately absent: opinions about why. A gap after a release is a handover, any other a failover.
 */
import type { FencingToken, MonotonicMs } from "../base/types.ts";
import type { Tenure } from "../lease/register.ts";

export interface TenureSeen {
  readonly holder: string;
  readonly token: FencingToken;
  /** How long this node had known no holder; null for the first since its start. */
  readonly leaderlessMs: number | null;
  readonly handover: boolean;
}

export class HolderWatch {
  #current: Tenure | null = null;
  #last: Tenure | null = null;
  #vacantSince: MonotonicMs;
  #lastSeenAt: MonotonicMs | null = null;
  #leaderlessMs = 0;

  constructor(startedAt: MonotonicMs) {
    this.#vacantSince = startedAt;
  }

  /** @param released whether the newest tenure of the log, if it is the last one seen here, was released */
  update(current: Tenure | null, released: boolean, now: MonotonicMs): TenureSeen | null {
    const before = this.#current;
    this.#current = current;
    if (before !== null && current === null) this.#vacantSince = now;
    if (current === null) return null;
    const gapMs = before === null ? now - this.#vacantSince : 0;
    if (before === null) {
      this.#leaderlessMs += gapMs;
      this.#vacantSince = now;
    }
    if (this.#last?.claim === current.claim) return null;
    this.#lastSeenAt = now;
    const first = this.#last === null;
    this.#last = current;
    const leaderlessMs = first ? null : gapMs;
    return { holder: current.holder.name, token: current.token, leaderlessMs, handover: released };
  }

  /** The last tenure that was seen, over or not. */
  get last(): Tenure | null {
    return this.#last;
  }

  /** How long ago this tenure was first seen, in ms; 0 for one that is yet to be reported. */
  knownForMs(tenure: Tenure, now: MonotonicMs): number {
    if (this.#lastSeenAt === null || this.#last?.claim !== tenure.claim) return 0;
    return Math.round(now - this.#lastSeenAt);
  }

  /** In ms, up to `now`. */
  leaderlessMs(now: MonotonicMs): number {
    return this.#leaderlessMs + (this.#current === null ? now - this.#vacantSince : 0);
  }
}
