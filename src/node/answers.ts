/**
 * What others have answered to the questions of a formation, and how old each answer is.
 *
 * "I am empty" is true only of the moment in which it was said, so it is as old as the question that it answers, not
 * as its arrival: it may have waited in a buffer while this process stood still, and whoever was empty then may be all
 * that is left of a group by now. The principle is that of the lease (DESIGN, L1).
 *
 * And "each of them was empty lately" is not "all of them were empty": one may have joined a group, and another have
 * left it and been born anew, in between. An incarnation ceases to be empty once and for all. So there was a moment at
 * which all were empty if each was asked anew after the last of them had been heard for the first time.
 *
 * Invariant: an answer to nobody's question, or to an old one, never says that somebody is empty. What is kept is
 * bounded.
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
/** More than are asked while an answer is fresh. */
const MAX_QUESTIONS = 32;
/** Names of which something is kept: every one of a set and of its DNS records, and some room for strangers. */
const MAX_HEARD = MAX_MEMBERS + MAX_DNS_RECORDS;

export interface Answer {
  readonly from: Member;
  readonly status: FormationStatus;
  /** When it was asked; when it was heard, of who spoke without being asked. */
  readonly at: MonotonicMs;
  /** The place of its question, and of the first such answer of this incarnation, in the order of all of them. */
  readonly asked: number;
  readonly since: number;
}

interface Question {
  readonly nonce: string;
  readonly at: MonotonicMs;
  readonly place: number;
}

export class Answers {
  readonly #newNonce: () => string;
  readonly #heard = new Map<string, Answer>();
  /** Those whose answers count, the newest last. */
  #questions: readonly Question[] = [];
  /** How much was asked and heard so far. */
  #place = 0;

  constructor(newNonce: () => string) {
    this.#newNonce = newNonce;
  }

  /** The same one within an interval: all its answers are as old as its first asking. */
  question(now: MonotonicMs): FormationMessage {
    const last = this.#questions.at(-1);
    const isRecent = last !== undefined && now - last.at < FORMATION_INTERVAL_MS;
    return isRecent ? { kind: "formQuery", nonce: last.nonce } : this.newQuestion(now);
  }

  newQuestion(now: MonotonicMs): FormationMessage {
    const question = { nonce: this.#newNonce(), at: now, place: (this.#place += 1) };
    this.#questions = [...this.#questions.filter(({ at }) => isFresh(at, now)), question].slice(-MAX_QUESTIONS);
    return { kind: "formQuery", nonce: question.nonce };
  }

  /**
   * Notes an answer. False if it says nothing, or nothing that is not known better.
   *
   * @param nonce of the question; null where there was none
   * @param isExpected of a name that is to be kept whatever else is heard
   */
  note(from: Member, status: FormationStatus, nonce: string | null, isExpected: boolean, now: MonotonicMs): boolean {
    const question = this.#questions.find((each) => each.nonce === nonce);
    const isAnswer = status.kind === "empty" || (nonce !== null && nonce !== "");
    const at = isAnswer ? question?.at : now;
    const before = this.#heard.get(from.name);
    if (at === undefined || (before !== undefined && at < before.at)) return false;
    if (status.kind === "empty" && status.wallSeconds > MAX_WALL_SECONDS) return false;
    if (!isExpected && before === undefined && this.#heard.size >= MAX_HEARD) return false;
    const isSame = before?.from.id === from.id && before.status.kind === status.kind;
    const since = isSame ? before.since : (this.#place += 1);
    this.#heard.set(from.name, { from, status, at, asked: question?.place ?? 0, since });
    return true;
  }

  /**
   * Whether all of these were empty at one moment not long ago. "Perhaps" if each was, and one more question to all of
   * them will tell.
   */
  wereEmpty(names: readonly string[], now: MonotonicMs): "yes" | "no" | "perhaps" {
    const answers = names.flatMap((name) => this.fresh(name, now) ?? []);
    const empty = answers.filter(({ status }) => status.kind === "empty");
    if (empty.length < names.length) return "no";
    const last = Math.max(0, ...empty.map(({ since }) => since));
    if (empty.every(({ asked }) => asked > last)) return "yes";
    return (this.#questions.at(-1)?.place ?? 0) > last ? "no" : "perhaps";
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
