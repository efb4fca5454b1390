/**
 * Asks every member of a group "are you the leader?" all the time, and knows afterwards whether two ever were.
 *
 * Invariant: it goes by what the members answered and by one clock, this machine's CLOCK_MONOTONIC. A tenure lasts at
 * least from the instant of its first 200 to the last deadline that it gave; two of them must not overlap, because an
 * application may act up to its deadline.
 *
 * Deliberately absent: a judgement of handovers that an application confirmed; their deadlines end early, by its word.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { LocalGroup } from "./local-group.ts";
import type { Leader } from "./sidecar.ts";

const POLL_MS = 10;
const NS_PER_MS = 1_000_000;

export interface Tenure {
  readonly name: string;
  readonly token: number;
  /** Of the answer, not of its arrival. In ms. */
  readonly firstAnswerMs: number;
  readonly lastDeadlineMs: number;
}

export class HolderJournal {
  readonly #byToken = new Map<number, Tenure>();
  readonly #faults: string[] = [];
  readonly #confirmed = new Set<number>();
  readonly #over = new AbortController();
  readonly #polls: readonly Promise<void>[];

  constructor(group: LocalGroup) {
    this.#polls = group.names.map((name) => this.#poll(group, name));
  }

  /** In the order of their tokens. */
  get tenures(): readonly Tenure[] {
    return [...this.#byToken.values()].toSorted((a, b) => a.token - b.token);
  }

  /** Waits until that tenure was seen. */
  async tenure(token: number | null): Promise<Tenure> {
    if (token === null) throw new Error("no tenure is without a token");
    for (;;) {
      const found = this.#byToken.get(token);
      if (found !== undefined) return found;
      await delay(POLL_MS, undefined, { signal: this.#over.signal });
    }
  }

  /** The application says with a resignation that it has stopped: the deadlines of this tenure bind nobody any more. */
  confirmed(token: number | null): void {
    if (token !== null) this.#confirmed.add(token);
  }

  /** Everything in which exclusion failed, in words; empty when it held. */
  violations(): readonly string[] {
    const tenures = this.tenures;
    const overlaps = tenures.flatMap((later, position) => {
      const earlier = tenures[position - 1];
      if (earlier === undefined || this.#confirmed.has(earlier.token)) return [];
      if (later.firstAnswerMs > earlier.lastDeadlineMs) return [];
      const overlapMs = Math.round(earlier.lastDeadlineMs - later.firstAnswerMs);
      return [`${later.name} held ${overlapMs} ms before the deadline given to ${earlier.name} (token ${later.token})`];
    });
    return [...this.#faults, ...overlaps];
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#polls);
  }

  async #poll(group: LocalGroup, name: string): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const member = group.members.find((running) => running.name === name);
      try {
        const answer = await member?.ask("GET", "/leader", { signal });
        if (answer !== undefined) this.#note(answer.status, JSON.parse(answer.text) as Leader);
      } catch {
        // Not up yet, or gone: no answer is no leader.
      }
      await delay(POLL_MS);
    }
  }

  #note(status: number, answer: Leader): void {
    const { isLeader, token, remainingMs, self } = answer;
    if ((status === 200) !== isLeader) this.#faults.push(`${self} answered ${status} with isLeader ${isLeader}`);
    if (!isLeader || token === null) return;
    if (remainingMs < 0) this.#faults.push(`${self} said that it led ${-remainingMs} ms after its deadline`);
    const seen = this.#byToken.get(token);
    if (seen !== undefined && seen.name !== self) this.#faults.push(`${seen.name} and ${self} had token ${token}`);
    this.#byToken.set(token, {
      name: self,
      token,
      firstAnswerMs: seen?.firstAnswerMs ?? answeredAtMs(answer),
      lastDeadlineMs: Math.max(seen?.lastDeadlineMs ?? 0, deadlineMs(answer)),
    });
  }
}

/** When a leader's answer was made: exact up to a millisecond, never too early. */
export function answeredAtMs({ deadlineMonotonicNs, remainingMs }: Leader): number {
  if (deadlineMonotonicNs === null) throw new Error("only a leader's answer tells when it was made");
  return Number(deadlineMonotonicNs) / NS_PER_MS - remainingMs;
}

export function deadlineMs({ deadlineMonotonicNs }: Leader): number {
  if (deadlineMonotonicNs === null) throw new Error("only a leader's answer has a deadline");
  return Number(deadlineMonotonicNs) / NS_PER_MS;
}
