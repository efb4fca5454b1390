/**
 * The wires between the machines: they lose, double, delay, reorder and repeat what is said, can be cut one way or
 * both, and can clog: then what is sent waits, and comes all at once when they are free again.
 *
 * Invariant: what arrives was sent; nothing is sent over a cut. What was on its way when the cut began still arrives.
 *
 * Deliberately absent: who is at the ends. Connections, names and incarnations are the business of transport-port.ts.
 */
import { assert } from "../../src/base/assert.ts";
import type { Agenda } from "./agenda.ts";
import type { Chance } from "./chance.ts";
import type { LinkSettings, Tally } from "./swarm.ts";

interface Link {
  /** How many cuts and clogs are in force. */
  cuts: number;
  clogs: number;
  cutAtMs: number;
  cloggedAtMs: number;
  sent: number;
  lastDelivered: number;
  lastArrivalMs: number;
  readonly stuck: (() => void)[];
}

/** What a clogged link keeps; the rest is lost, as with any bounded queue. */
const MAX_STUCK = 256;

export class Network {
  readonly #agenda: Agenda;
  readonly #chance: Chance;
  readonly #tally: Tally;
  readonly #links: readonly Link[][];
  settings: LinkSettings;
  /** The last arrival that is planned: after it, nothing of before is on its way. */
  lastArrivalMs = 0;

  constructor(size: number, settings: LinkSettings, agenda: Agenda, chance: Chance, tally: Tally) {
    this.settings = settings;
    this.#agenda = agenda;
    this.#chance = chance;
    this.#tally = tally;
    this.#links = Array.from({ length: size }, () =>
      Array.from({ length: size }, () => ({
        cuts: 0,
        clogs: 0,
        cutAtMs: 0,
        cloggedAtMs: 0,
        sent: 0,
        lastDelivered: 0,
        lastArrivalMs: 0,
        stuck: [],
      })),
    );
  }

  /** @param deliver called once for each copy that arrives */
  send(from: number, to: number, deliver: () => void): void {
    const link = this.#link(from, to);
    if (link.cuts > 0) return;
    const { loss, duplicate, replay, replayMs } = this.settings;
    if (this.#chance.happens(loss)) {
      this.#tally.loss += 1;
      return;
    }
    link.sent += 1;
    if (link.clogs > 0) {
      this.#tally.stuck += 1;
      if (link.stuck.length < MAX_STUCK) link.stuck.push(deliver);
      return;
    }
    const number = link.sent;
    this.#plan(link, number, 0, deliver);
    if (this.#chance.happens(duplicate)) {
      this.#tally.duplicate += 1;
      this.#plan(link, number, 0, deliver);
    }
    if (!this.#chance.happens(replay)) return;
    this.#tally.replay += 1;
    this.#plan(link, number, this.#chance.exponential(replayMs), deliver);
  }

  cut(from: number, to: number): void {
    const link = this.#link(from, to);
    if (link.cuts === 0) link.cutAtMs = this.#agenda.nowMs;
    link.cuts += 1;
  }

  heal(from: number, to: number): void {
    const link = this.#link(from, to);
    assert(link.cuts > 0, "only what is cut heals");
    link.cuts -= 1;
  }

  clog(from: number, to: number): void {
    const link = this.#link(from, to);
    if (link.clogs === 0) link.cloggedAtMs = this.#agenda.nowMs;
    link.clogs += 1;
  }

  /** What waited comes in order, with nothing before it that is sent from now on. */
  release(from: number, to: number): void {
    const link = this.#link(from, to);
    assert(link.clogs > 0, "only what is clogged is released");
    link.clogs -= 1;
    if (link.clogs > 0) return;
    const first = link.sent - link.stuck.length;
    for (const [position, deliver] of link.stuck.splice(0).entries()) {
      this.#plan(link, first + position + 1, 0, deliver, true);
    }
  }

  isOpen(from: number, to: number): boolean {
    return !isClosed(this.#link(from, to));
  }

  /** The last true time at which something could be sent this way that has arrived or may still arrive. */
  openUntilMs(from: number, to: number): number {
    const { cuts, clogs, cutAtMs, cloggedAtMs } = this.#link(from, to);
    if (cuts > 0) return cutAtMs;
    return clogs > 0 ? cloggedAtMs : this.#agenda.nowMs;
  }

  #plan(link: Link, number: number, extraMs: number, deliver: () => void, inOrder = this.settings.ordered): void {
    const { latencyMs, jitterMs, longDelay, longDelayMs } = this.settings;
    let arrivalMs = this.#agenda.nowMs + latencyMs + this.#chance.exponential(jitterMs) + extraMs;
    if (this.#chance.happens(longDelay)) {
      this.#tally.longDelay += 1;
      arrivalMs += this.#chance.between(0, longDelayMs);
    }
    if (inOrder) arrivalMs = Math.max(arrivalMs, link.lastArrivalMs);
    if (extraMs === 0) link.lastArrivalMs = Math.max(arrivalMs, link.lastArrivalMs);
    if (extraMs === 0) this.lastArrivalMs = Math.max(arrivalMs, this.lastArrivalMs);
    this.#agenda.at(arrivalMs, () => {
      // What was to be repeated after the storm is not: the calm may begin.
      if (extraMs > 0 && this.settings.replay === 0) return;
      if (number < link.lastDelivered) this.#tally.reorder += 1;
      else link.lastDelivered = number;
      deliver();
    });
  }

  #link(from: number, to: number): Link {
    const link = this.#links[from]?.[to];
    assert(link !== undefined, "there is a link between any two machines");
    return link;
  }
}

function isClosed({ cuts, clogs }: Link): boolean {
  return cuts > 0 || clogs > 0;
}
