/**
 * What others have answered to the questions of a formation, and how old each answer is.
 *
 * "I am empty" is true only of the moment in which it was said, so it is as old as the question that it answers, not
 * as its arrival: it may have waited in a buffer while this process stood still, and whoever was empty then may be all
 * that is left of a group by now. The principle is that of the lease (DESIGN, L1). A Form that was accepted, or a
 * group, is for ever.
 *
 * Invariant: an answer to nobody's question, or to an old one, never says that somebody is empty; a later word is never
 * replaced by an earlier one. What is kept is bounded.
 *
 * Deliberately absent: what follows from it; see formation.ts.
 */
import { MAX_DNS_RECORDS, MAX_MEMBERS, MAX_WALL_SECONDS } from "../base/limits.ts";
import type { Member, MonotonicMs } from "../base/types.ts";
import type { FormationMessage, FormationStatus } from "../ports/transport.ts";

/** An answer older than this says nothing of now; it is several times the interval of asking. */
export const STATUS_FRESH_MS = 1_500;
/** How often a node without a group asks the others. */
export const FORMATION_INTERVAL_MS = 200;
/** Names of which something is kept: every one of a set and of its DNS records, and some room for strangers. */
const MAX_HEARD = MAX_MEMBERS + MAX_DNS_RECORDS;

export interface Answer {
  readonly from: Member;
  readonly status: FormationStatus;
  readonly at: MonotonicMs;
}

export class Answers {
  readonly #newNonce: () => string;
  readonly #heard = new Map<string, Answer>();
  /** When each question was first asked, by its nonce. */
  readonly #asked = new Map<string, MonotonicMs>();

  constructor(newNonce: () => string) {
    this.#newNonce = newNonce;
  }

  /** The same one within an interval: all its answers are as old as its first asking. */
  question(now: MonotonicMs): FormationMessage {
    for (const [nonce, at] of this.#asked) {
      if (now - at < FORMATION_INTERVAL_MS) return { kind: "formQuery", nonce };
      if (!isFresh(at, now)) this.#asked.delete(nonce);
    }
    const nonce = this.#newNonce();
    this.#asked.set(nonce, now);
    return { kind: "formQuery", nonce };
  }

  /**
   * Notes an answer. False if it says nothing, or nothing that is not known better.
   *
   * @param nonce of the question; null where there was none
   * @param isExpected of a name that is to be kept whatever else is heard
   */
  note(from: Member, status: FormationStatus, nonce: string | null, isExpected: boolean, now: MonotonicMs): boolean {
    const at = status.kind === "empty" ? this.#asked.get(nonce ?? "") : now;
    const before = this.#heard.get(from.name);
    if (at === undefined || (before !== undefined && at < before.at)) return false;
    if (status.kind === "empty" && status.wallSeconds > MAX_WALL_SECONDS) return false;
    if (!isExpected && before === undefined && this.#heard.size >= MAX_HEARD) return false;
    this.#heard.set(from.name, { from, status, at });
    return true;
  }

  get names(): readonly string[] {
    return [...this.#heard.keys()];
  }

  fresh(name: string, now: MonotonicMs): Answer | null {
    const answer = this.#heard.get(name);
    return answer !== undefined && isFresh(answer.at, now) ? answer : null;
  }

  allFresh(now: MonotonicMs): readonly Answer[] {
    return [...this.#heard.values()].filter(({ at }) => isFresh(at, now));
  }

  /** Other names are kept only while they talk. */
  forgetOthers(kept: readonly string[], now: MonotonicMs): void {
    for (const [name, { at }] of this.#heard) {
      if (!isFresh(at, now) && !kept.includes(name)) this.#heard.delete(name);
    }
  }
}

function isFresh(at: MonotonicMs, now: MonotonicMs): boolean {
  return now - at <= STATUS_FRESH_MS;
}
