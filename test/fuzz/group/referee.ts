/**
 * What must hold of a group as a whole, whatever was commanded.
 *
 * Invariant: a broken promise throws at the command that broke it.
 *
 * Deliberately absent: the checks within one member, which the core asserts itself (src/raft/invariants.ts).
 */
import { assert } from "../../../src/base/assert.ts";
import type { MemberId } from "../../../src/base/types.ts";
import type { Entry } from "../../../src/raft/entry.ts";

/** Rounding of clocks that run at other rates. */
const ROUNDING_MS = 1e-3;

export class Referee {
  readonly #leaders = new Map<number, MemberId>();
  readonly #committed: string[] = [];
  /** By pod: until when, in true time, its application may act. */
  readonly #trusted = new Map<string, number>();
  #highestToken = 0;

  leads(member: MemberId, term: number): void {
    const first = this.#leaders.get(term) ?? member;
    assert(first === member, `one leader in term ${term} (Raft paper, 5.2)`);
    this.#leaders.set(term, member);
  }

  commits(entry: Entry): void {
    const text = JSON.stringify(entry);
    const known = (this.#committed[entry.index] ??= text);
    assert(known === text, `one entry is committed at ${entry.index} (Raft paper, figure 3: state machine safety)`);
  }

  holds(token: number): void {
    assert(token > this.#highestToken, "each tenure has a token above all before");
    this.#highestToken = token;
  }

  /** The sidecar of `pod` has told its application a deadline: it counts even if the sidecar dies. */
  tells(pod: string, untilMs: number): void {
    this.#trusted.set(pod, Math.max(this.#trusted.get(pod) ?? 0, untilMs));
  }

  /** The application of `pod` has confirmed that it stopped. */
  stops(pod: string): void {
    this.#trusted.delete(pod);
  }

  atMostOneActs(nowMs: number): void {
    const acting = [...this.#trusted].filter(([, untilMs]) => untilMs > nowMs + ROUNDING_MS);
    assert(acting.length <= 1, `two act at ${nowMs}: ${acting.map(([pod]) => pod).join(" and ")}`);
  }
}
