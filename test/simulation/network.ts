/**
 * The network between the nodes: loses, doubles, delays, reorders, and can be cut one way or both.
 *
 * Invariant: what arrives was sent, by the node that it names; nothing is sent over a cut. What was on its way when the
 * cut began still arrives.
 *
 * Deliberately absent: connections and frames. src/transport has them; the core must do without their guarantees.
 */
import { assert } from "../../src/base/assert.ts";
import type { Message } from "../../src/raft/message.ts";
import type { Agenda } from "./agenda.ts";
import type { Chance } from "./chance.ts";
import type { LinkSettings, Tally } from "./swarm.ts";

interface Link {
  /** How many cuts are in force. */
  cuts: number;
  closedAtMs: number;
  sent: number;
  lastDelivered: number;
  lastArrivalMs: number;
}

export type Deliver = (from: number, to: number, message: Message) => void;

export class Network {
  readonly #agenda: Agenda;
  readonly #chance: Chance;
  readonly #tally: Tally;
  readonly #deliver: Deliver;
  readonly #links: readonly Link[][];
  settings: LinkSettings;
  /** The last arrival that is planned: after it, nothing of before is on its way. */
  lastArrivalMs = 0;

  constructor(size: number, settings: LinkSettings, agenda: Agenda, chance: Chance, tally: Tally, deliver: Deliver) {
    this.settings = settings;
    this.#agenda = agenda;
    this.#chance = chance;
    this.#tally = tally;
    this.#deliver = deliver;
    this.#links = Array.from({ length: size }, () =>
      Array.from({ length: size }, () => ({ cuts: 0, closedAtMs: 0, sent: 0, lastDelivered: 0, lastArrivalMs: 0 })),
    );
  }

  send(from: number, to: number, message: Message): void {
    const link = this.#link(from, to);
    if (link.cuts > 0) return;
    if (this.#chance.happens(this.settings.loss)) {
      this.#tally.loss += 1;
      return;
    }
    link.sent += 1;
    this.#plan(link, link.sent, from, to, message);
    if (this.#chance.happens(this.settings.duplicate)) {
      this.#tally.duplicate += 1;
      this.#plan(link, link.sent, from, to, message);
    }
  }

  cut(from: number, to: number): void {
    const link = this.#link(from, to);
    if (link.cuts === 0) link.closedAtMs = this.#agenda.nowMs;
    link.cuts += 1;
  }

  heal(from: number, to: number): void {
    const link = this.#link(from, to);
    assert(link.cuts > 0, "only what is cut heals");
    link.cuts -= 1;
  }

  /** The last true time at which something could be sent this way. */
  openUntilMs(from: number, to: number): number {
    const link = this.#link(from, to);
    return link.cuts === 0 ? this.#agenda.nowMs : link.closedAtMs;
  }

  #plan(link: Link, number: number, from: number, to: number, message: Message): void {
    const { latencyMs, jitterMs, longDelay, longDelayMs, ordered } = this.settings;
    let arrivalMs = this.#agenda.nowMs + latencyMs + this.#chance.exponential(jitterMs);
    if (this.#chance.happens(longDelay)) {
      this.#tally.longDelay += 1;
      arrivalMs += this.#chance.between(0, longDelayMs);
    }
    if (ordered) arrivalMs = Math.max(arrivalMs, link.lastArrivalMs);
    link.lastArrivalMs = Math.max(arrivalMs, link.lastArrivalMs);
    this.lastArrivalMs = Math.max(arrivalMs, this.lastArrivalMs);
    this.#agenda.at(arrivalMs, () => {
      if (number < link.lastDelivered) this.#tally.reorder += 1;
      else link.lastDelivered = number;
      this.#deliver(from, to, message);
    });
  }

  #link(from: number, to: number): Link {
    const link = this.#links[from]?.[to];
    assert(link !== undefined, "there is a link between any two nodes");
    return link;
  }
}
