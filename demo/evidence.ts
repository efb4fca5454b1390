/**
 * What is kept of every write and every stop: the evidence that check.ts judges.
 *
 * Invariant: one `Tenure` for each pair of worker and token, folded from the attempts in the order in which the ledger
 * saw them; memory grows with tenures, not with writes.
 *
 * Deliberately absent: judgement, and anything that a sidecar says of itself. The evidence is what workers claim and
 * what the ledger saw.
 */

/** One try to write. All instants in ms of the machine's monotonic clock. */
export interface Attempt {
  readonly worker: string;
  readonly token: number;
  /** When the worker looked at its deadline and decided to write. */
  readonly decidedAtMs: number;
  /** The worker's claim: valid from the receipt of the sidecar's answer … */
  readonly fromMs: number;
  /** … up to, not including, its deadline: the start of the request plus `remainingMs`. */
  readonly untilMs: number;
}

export const REFUSALS = ["stale token", "not a write"] as const;
export type Refusal = (typeof REFUSALS)[number];

/** What the ledger made of an attempt. */
export interface Entry extends Attempt {
  readonly atMs: number;
  readonly refusal: Refusal | null;
}

/** "From here on I do not use this token any more", said by a worker before it hands over. */
export interface Stop {
  readonly worker: string;
  readonly token: number;
  readonly atMs: number;
}

export interface Tenure {
  readonly worker: string;
  readonly token: number;
  /** The hull of all that the worker claimed with this token; a confirmed stop ends it earlier. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Accepted ones; the instants are null while there is none. */
  readonly writes: number;
  readonly firstWriteMs: number | null;
  readonly lastWriteMs: number | null;
  readonly refused: number;
  /** Writes decided at or after the deadline they claimed, or after the confirmed stop. */
  readonly overdue: number;
  /** Refused although the claim still ran when the ledger saw it: the token of a valid holder was too low. */
  readonly wronged: number;
  /** Accepted below a token that had been accepted before: the ledger itself would be broken. */
  readonly fell: number;
}

type Draft = { -readonly [Field in keyof Tenure]: Tenure[Field] } & { claimedUntilMs: number; stoppedAtMs: number };

export class Evidence {
  readonly #tenures = new Map<string, Draft>();
  #highest = 0;

  add(entry: Entry): void {
    const tenure = this.#tenureOf(entry);
    tenure.fromMs = Math.min(tenure.fromMs, entry.fromMs);
    tenure.claimedUntilMs = Math.max(tenure.claimedUntilMs, entry.untilMs);
    tenure.untilMs = Math.min(tenure.claimedUntilMs, tenure.stoppedAtMs);
    if (entry.decidedAtMs >= entry.untilMs || entry.decidedAtMs > tenure.stoppedAtMs) tenure.overdue += 1;
    if (entry.refusal !== null) {
      tenure.refused += 1;
      if (entry.atMs < Math.min(entry.untilMs, tenure.stoppedAtMs)) tenure.wronged += 1;
      return;
    }
    tenure.writes += 1;
    tenure.firstWriteMs ??= entry.atMs;
    tenure.lastWriteMs = entry.atMs;
    if (entry.token < this.#highest) tenure.fell += 1;
    this.#highest = Math.max(this.#highest, entry.token);
  }

  stop({ worker, token, atMs }: Stop): void {
    const tenure = this.#tenures.get(keyOf(worker, token));
    if (tenure === undefined) return;
    tenure.stoppedAtMs = Math.min(tenure.stoppedAtMs, atMs);
    tenure.untilMs = Math.min(tenure.claimedUntilMs, tenure.stoppedAtMs);
  }

  /** By the beginning of their claims. */
  get tenures(): readonly Tenure[] {
    return [...this.#tenures.values()].toSorted((a, b) => a.fromMs - b.fromMs);
  }

  #tenureOf({ worker, token, fromMs }: Attempt): Draft {
    const key = keyOf(worker, token);
    const known = this.#tenures.get(key);
    if (known !== undefined) return known;
    const tenure: Draft = {
      worker,
      token,
      fromMs,
      untilMs: fromMs,
      claimedUntilMs: fromMs,
      stoppedAtMs: Number.POSITIVE_INFINITY,
      writes: 0,
      firstWriteMs: null,
      lastWriteMs: null,
      refused: 0,
      overdue: 0,
      wronged: 0,
      fell: 0,
    };
    this.#tenures.set(key, tenure);
    return tenure;
  }
}

function keyOf(worker: string, token: number): string {
  return `${token} ${worker}`;
}
