/**
 * The shared resource: it knows tokens and nothing else. A write with a token below the highest it has seen is refused.
 *
 * Invariant: the highest token never falls. Memory grows with tenures, not with writes: of each writer and token it
 * keeps the first and the last accepted write, and every one that was refused.
 *
 * Deliberately absent: any knowledge of leases, witnesses and clocks beyond noting instants. demo/ledger.ts is the same
 * thing behind HTTP; witnesses in network namespaces come here through pipes, which no partition cuts.
 */
import type { Write } from "./record.ts";

/** Refusals kept for the report; all are counted. */
const MAX_KEPT_REFUSALS = 20_000;

export interface Page {
  readonly name: string;
  readonly token: number;
  readonly accepted: number;
  readonly first: Write;
  readonly last: Write;
}

export class Ledger {
  readonly #pages = new Map<string, Page>();
  readonly refusals: Write[] = [];
  /** Late writes that were accepted, because no newer token had been used yet. */
  readonly lateAccepted: Write[] = [];
  accepted = 0;
  refused = 0;
  #highest = 0;

  /** Returns whether it was accepted. */
  write(attempt: Omit<Write, "accepted">): boolean {
    const accepted = attempt.token >= this.#highest;
    const write: Write = { ...attempt, accepted };
    if (!accepted) {
      this.refused += 1;
      if (this.refusals.length < MAX_KEPT_REFUSALS) this.refusals.push(write);
      return false;
    }
    this.#highest = attempt.token;
    this.accepted += 1;
    if (write.late) this.lateAccepted.push(write);
    const key = `${write.token} ${write.name}`;
    const page = this.#pages.get(key);
    this.#pages.set(key, {
      name: write.name,
      token: write.token,
      accepted: (page?.accepted ?? 0) + 1,
      first: page?.first ?? write,
      last: write,
    });
    return true;
  }

  /** In the order of their first accepted write. */
  get pages(): readonly Page[] {
    return [...this.#pages.values()];
  }
}
