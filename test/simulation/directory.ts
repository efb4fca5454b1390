/**
 * Names and what they lead to: a DNS that may be empty, silent, partial, stale or plainly wrong.
 *
 * Invariant: whatever it says, it only says where to look; who is there is found out by a handshake. There is one lie
 * that no design survives, so it is not told: a list without the pods that a set has beyond its TENURE_REPLICAS, while
 * those that were configured are reborn empty, all of them, and nobody else knows of the rest.
 *
 * Deliberately absent: bytes and servers; test/unit/discovery and test/process have them.
 */
import { unreachable } from "../../src/base/assert.ts";
import { TenureError } from "../../src/base/errors.ts";
import type { Chance } from "./chance.ts";
import type { Swarm, Tally } from "./swarm.ts";

export class Directory {
  readonly #names: readonly string[];
  /** TENURE_REPLICAS of all pods. */
  readonly #configured: number;
  /** How many of them, from the first on, have a pod. */
  size: number;
  /** A pod that ends is listed until it has ended, because addresses are published whether it is ready or not. */
  isEnding: (position: number) => boolean = () => false;
  readonly #chance: Chance;
  readonly #swarm: Swarm;
  readonly #tally: Tally;
  /** No longer so in a calm world. */
  faulty = true;

  constructor(names: readonly string[], chance: Chance, swarm: Swarm, tally: Tally) {
    this.#names = names;
    this.size = swarm.replicas;
    this.#configured = swarm.replicas;
    this.#chance = chance;
    this.#swarm = swarm;
    this.#tally = tally;
  }

  /** The names that it lists: all of them, or what is left of them, and perhaps one that is long gone. */
  siblings(self: string): Promise<readonly string[]> {
    const chance = this.#chance;
    const present = this.#names.map((_, position) => position < this.size || this.isEnding(position));
    const others = this.#names.filter((name, position) => present[position] === true && name !== self);
    if (!this.faulty || !chance.happens(this.#swarm.dnsFault)) return Promise.resolve(others);
    const surplus = others.filter((name) => this.#names.indexOf(name) >= this.#configured);
    const fault = chance.pick(["dnsSilent", "dnsEmpty", "dnsPartial", "dnsStale"] as const);
    this.#tally[fault] += 1;
    switch (fault) {
      case "dnsSilent":
        return Promise.reject(new TenureError("discovery_failed", "the server is silent"));
      case "dnsEmpty":
        return Promise.resolve(surplus);
      case "dnsPartial":
        return Promise.resolve(others.filter((name) => surplus.includes(name) || chance.happens(0.5)));
      case "dnsStale":
        return Promise.resolve([...others, `app-${this.#names.length}`]);
      default:
        return unreachable(fault);
    }
  }

  /** The machine to try, or null: no record, or no answer. */
  find(name: string): number | null {
    const chance = this.#chance;
    const position = this.#names.slice(0, this.size).indexOf(name);
    if (!this.faulty || !chance.happens(this.#swarm.dnsFault)) return position < 0 ? null : position;
    const fault = chance.pick(["dnsSilent", "dnsEmpty", "dnsWrong"] as const);
    this.#tally[fault] += 1;
    // A stale record leads to whoever has that address now.
    return fault === "dnsWrong" ? chance.below(this.#names.length) : null;
  }
}
