/**
 * What strikes the links between machines: cuts, one way or both, and clogs.
 *
 * Invariant: whatever is cut heals, and whatever is clogged is released, at the latest when the calm begins.
 *
 * Deliberately absent: when; see faults.ts.
 */
import type { Machine } from "./machine.ts";
import type { Surroundings } from "./surroundings.ts";
import { SILENCE_MS } from "./transport-port.ts";

type Links = readonly (readonly [from: number, to: number])[];

export class LinkFaults {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  cut(between: Links, meanUnits: number): boolean {
    const links = between.filter(([from, to]) => from !== to);
    if (links.length === 0) return false;
    const { agenda, network, listening, undoLater } = this.#around;
    this.#note(`cut ${links.map(([from, to]) => `${from}>${to}`).join(" ")}`);
    for (const [from, to] of links) network.cut(from, to);
    agenda.after(SILENCE_MS, () => {
      for (const [from, to] of links) {
        if (network.openUntilMs(from, to) <= agenda.nowMs - SILENCE_MS) listening[from]?.silence(to);
        if (network.openUntilMs(from, to) <= agenda.nowMs - SILENCE_MS) listening[to]?.silence(from);
      }
    });
    return undoLater(() => {
      this.#note(`healed ${links.map(([from, to]) => `${from}>${to}`).join(" ")}`);
      for (const [from, to] of links) network.heal(from, to);
    }, meanUnits);
  }

  clog(links: Links): boolean {
    const { network, undoLater } = this.#around;
    if (links.length === 0) return false;
    const words = links.map(([from, to]) => `${from}>${to}`).join(" ");
    this.#note(`clogged ${words}`);
    for (const [from, to] of links) network.clog(from, to);
    return undoLater(() => {
      this.#note(`released ${words}`);
      for (const [from, to] of links) network.release(from, to);
    }, 0.7);
  }

  /** The target alone, or with about half of the others; now and then in one direction only. */
  partition(target: Machine): Links {
    const { chance } = this.#around;
    const share = chance.pick([0, 0, 0.5]);
    const oneWay = chance.happens(0.2);
    const inside = this.#around.machines.map((machine) => machine === target || chance.happens(share));
    const links: [number, number][] = [];
    for (const from of this.#around.machines.keys()) {
      for (const to of this.#around.machines.keys()) {
        if (inside[from] !== inside[to] && (inside[from] === true || !oneWay)) links.push([from, to]);
      }
    }
    return links;
  }

  /** The target alone. */
  isolation(target: Machine): Links {
    return [...this.#around.machines.keys()].flatMap((other): Links => [
      [target.position, other],
      [other, target.position],
    ]);
  }

  #note(words: string): void {
    const { agenda, transcript } = this.#around;
    transcript.add(agenda.nowMs, -1, words.length, () => words);
  }
}
