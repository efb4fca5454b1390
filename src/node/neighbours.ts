/**
 * Whom a node keeps connections to.
 *
 * Invariant: members, because the configuration names them; names of the set at formation; and for a while whoever of
 * the same set has spoken to this node without being either: it can only be answered on a connection to it.
 *
 * Deliberately absent: addresses, and learners among themselves: a learner talks to voters only, so that a large group
 * has no full mesh.
 */
import { MAX_MEMBERS } from "../base/limits.ts";
import type { Member, MonotonicMs } from "../base/types.ts";
import type { Configuration } from "../raft/entry.ts";
import { isOfSameSet } from "./names.ts";

/** Longer than it takes to answer, to be taken in, or to hear that one is out. */
const GUEST_MS = 10_000;

export class Neighbours {
  readonly #self: string;
  readonly #guests = new Map<string, MonotonicMs>();

  constructor(self: string) {
    this.#self = self;
  }

  /** Somebody who may need an answer. True if that changes `names`. */
  welcome(name: string, now: MonotonicMs): boolean {
    if (name === this.#self || !isOfSameSet(name, this.#self)) return false;
    const isNew = !this.#guests.has(name);
    if (isNew && this.#guests.size >= MAX_MEMBERS) return false;
    this.#guests.set(name, now);
    return isNew;
  }

  /** True if that changes `names`. */
  forget(now: MonotonicMs): boolean {
    const before = this.#guests.size;
    for (const [name, at] of this.#guests) if (now - at > GUEST_MS) this.#guests.delete(name);
    return this.#guests.size < before;
  }

  /** While there is no group: everyone of the set. */
  ofSet(others: readonly string[]): readonly string[] {
    return this.#with(others);
  }

  /** @param latest appended configuration @param committed the one that cannot be lost */
  ofGroup(self: Member, latest: Configuration, committed: Configuration): readonly string[] {
    const voters = [...latest.voters, ...committed.voters];
    const isVoter = voters.some(({ id }) => id === self.id);
    const members = isVoter ? [...voters, ...latest.learners, ...committed.learners] : voters;
    return this.#with(members.map(({ name }) => name));
  }

  #with(names: readonly string[]): readonly string[] {
    const all = new Set([...names, ...this.#guests.keys()]);
    all.delete(this.#self);
    return [...all];
  }
}
