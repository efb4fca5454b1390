/**
 * The holder's side of the lease: heartbeat rounds, their acknowledgements, and the end that follows (DESIGN, L1).
 *
 * Invariant: `end` is counted from an instant noted *before* the round was handed to any socket, and only once a
 * majority of the given voters has acknowledged that round or a later one. Measured from the acknowledgement instead,
 * the lease would outlive its promises (hashicorp/raft#108).
 *
 * Deliberately absent: timers. Whoever uses `end` compares it with the clock at that moment.
 */
import { assert } from "../base/assert.ts";
import { MAX_OPEN_ROUNDS } from "../base/limits.ts";
import { type HolderMs, holderMs, type MemberId } from "../base/types.ts";
import { newestOfMajority } from "./majority.ts";

interface Round {
  readonly number: number;
  readonly notedAt: HolderMs;
}

export class HolderLease {
  readonly #usableMs: number;
  readonly #self: MemberId;
  #lastRound = 0;
  /** Rounds that may still be acknowledged, oldest first. */
  readonly #open: Round[] = [];
  readonly #ackedAt = new Map<MemberId, HolderMs>();
  /** The latest end that was ever reckoned: an application may trust it, even if a new configuration moves s* back. */
  #furthestEnd: HolderMs | null = null;
  /** s* as last reckoned, and for which voters: every poll asks, only rounds and acks change it. */
  #reckoned: { readonly voters: readonly MemberId[]; readonly start: HolderMs | null } | null = null;

  /** @param usableMs U, in ms */
  constructor(self: MemberId, usableMs: number) {
    assert(usableMs > 0, "the usable lease is positive");
    this.#self = self;
    this.#usableMs = usableMs;
  }

  /** Notes the instant of a new round, before anything of it is sent. Self acknowledges at once (L3). */
  openRound(now: HolderMs): number {
    const last = this.#open.at(-1);
    assert(last === undefined || now >= last.notedAt, "rounds are noted in the order of time");
    this.#lastRound += 1;
    this.#open.push({ number: this.#lastRound, notedAt: now });
    if (this.#open.length > MAX_OPEN_ROUNDS) this.#open.shift();
    this.#ackedAt.set(this.#self, now);
    this.#reckoned = null;
    return this.#lastRound;
  }

  get lastRound(): number {
    return this.#lastRound;
  }

  /** An accepted append of this term that echoes `round`. Unknown, forgotten and repeated rounds count for nothing. */
  acknowledge(member: MemberId, round: number): void {
    const acked = this.#open.find((open) => open.number === round);
    if (acked === undefined) return;
    const before = this.#ackedAt.get(member);
    if (before !== undefined && acked.notedAt <= before) return;
    this.#ackedAt.set(member, acked.notedAt);
    this.#reckoned = null;
  }

  /** Drops rounds so old that they cannot move any lease. */
  forgetBefore(instant: HolderMs): void {
    while (this.#open.length > 1 && (this.#open[0]?.notedAt ?? instant) < instant) this.#open.shift();
  }

  /**
   * s*: the newest noted instant that a majority of `voters` has acknowledged; null while there is none.
   *
   * @param voters of the latest configuration; never changed in place, so the same array is the same voters
   */
  start(voters: readonly MemberId[]): HolderMs | null {
    if (this.#reckoned?.voters !== voters) {
      const start = newestOfMajority(voters.map((voter) => this.#ackedAt.get(voter) ?? null));
      this.#reckoned = { voters, start };
      const end = start === null ? null : holderMs(start + this.#usableMs);
      if (end !== null && (this.#furthestEnd === null || end > this.#furthestEnd)) this.#furthestEnd = end;
    }
    return this.#reckoned.start;
  }

  /** The latest end that `end` has ever returned; null: none. */
  get furthestEnd(): HolderMs | null {
    return this.#furthestEnd;
  }

  /** Whether every end that `end` has ever returned has passed. */
  allEndsPassed(now: HolderMs): boolean {
    return this.#furthestEnd === null || now >= this.#furthestEnd;
  }

  /** Everyone whose acknowledgement is kept, self included. */
  get acknowledged(): readonly MemberId[] {
    return [...this.#ackedAt.keys()];
  }

  /** Forgets everyone else: members come and go while one leader stays. */
  keepOnly(members: readonly MemberId[]): void {
    for (const id of this.#ackedAt.keys()) if (!members.includes(id)) this.#ackedAt.delete(id);
    this.#reckoned = null;
  }

  /** s* + U; null while there is no s*. The lease holds strictly before it. */
  end(voters: readonly MemberId[]): HolderMs | null {
    const start = this.start(voters);
    return start === null ? null : holderMs(start + this.#usableMs);
  }
}
