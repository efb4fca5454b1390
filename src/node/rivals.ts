/**
 * Pods of this set that belong to another group of the same name: they refuse this node, or it refuses them.
 *
 * Invariant: a name counts only for as long as it goes on being refused, and at most MAX_MEMBERS are kept. It can hold
 * back a rescue, tell a person, and free a standby all of whose voters are elsewhere; it decides nothing else.
 *
 * Deliberately absent: which of the groups is the right one. Only a person knows.
 */
import { MAX_MEMBERS } from "../base/limits.ts";
import type { MonotonicMs } from "../base/types.ts";
import { isOfSameSet } from "./names.ts";

/** Several times as long as peers wait between two attempts to connect. */
const RIVAL_FRESH_MS = 10_000;

export class Rivals {
  readonly #self: string;
  readonly #seen = new Map<string, MonotonicMs>();

  constructor(self: string) {
    this.#self = self;
  }

  /** A connection with it was refused for its group. */
  refused(name: string, now: MonotonicMs): void {
    if (name === this.#self || !isOfSameSet(name, this.#self)) return;
    if (this.#seen.size < MAX_MEMBERS || this.#seen.has(name)) this.#seen.set(name, now);
  }

  /** A connection with it was not. */
  accepted(name: string): void {
    this.#seen.delete(name);
  }

  names(now: MonotonicMs): readonly string[] {
    for (const [name, at] of this.#seen) if (now - at > RIVAL_FRESH_MS) this.#seen.delete(name);
    return [...this.#seen.keys()];
  }
}
