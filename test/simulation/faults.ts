/**
 * What strikes the world while it is stormy, and how it is undone.
 *
 * Invariant: every strike is undone at some time, at the latest when the calm begins; strikes may overlap.
 *
 * Deliberately absent: faults that no rule of the design survives, such as a lost disk under the same identity.
 */
import { unreachable } from "../../src/base/assert.ts";
import type { Replica } from "./replica.ts";
import type { Surroundings } from "./surroundings.ts";
import { drawTiming, type Strike, STRIKES } from "./swarm.ts";

export class Faults {
  readonly #around: Surroundings;
  readonly #replicas: readonly Replica[];
  /** How to undo what is in force. */
  readonly #open = new Set<() => void>();

  constructor(around: Surroundings, replicas: readonly Replica[]) {
    this.#around = around;
    this.#replicas = replicas;
  }

  begin(): void {
    for (const strike of STRIKES) this.#plan(strike);
  }

  /** Undoes everything. */
  end(): void {
    for (const undo of this.#open) undo();
    this.#open.clear();
  }

  /** Faults often hurt most just after something has changed. */
  promoted(replica: Replica): void {
    const { agenda, chance, swarm, stormy, tally } = this.#around;
    if (!stormy || !chance.happens(swarm.ambush)) return;
    agenda.after(chance.exponential(swarm.ambushMs), () => {
      if (!this.#around.stormy) return;
      const target = chance.happens(0.7) ? replica : chance.pick(this.#replicas);
      // A leader that resigns inside its wait, or just after it, is the hardest test of certificates.
      const strike = chance.happens(0.3) ? "resign" : chance.pick(STRIKES);
      if (this.#strike(strike, target)) tally.ambush += 1;
    });
  }

  /** A crash that fell between the effects of a step. */
  crashed(replica: Replica): void {
    this.#restartLater(replica);
  }

  #plan(strike: Strike): void {
    const { agenda, chance, swarm } = this.#around;
    const everyMs = swarm.every[strike];
    if (everyMs === undefined) return;
    agenda.after(chance.exponential(everyMs), () => {
      if (!this.#around.stormy) return;
      if (this.#strike(strike, this.#target())) this.#around.tally[strike] += 1;
      this.#plan(strike);
    });
  }

  /** False where there is nothing to strike. */
  #strike(strike: Strike, target: Replica): boolean {
    switch (strike) {
      case "crash":
        return target.running && this.#crash(target);
      case "restartAll":
        return this.#restartAllBut(target);
      case "pause":
        target.pause();
        return this.#undoLater(() => target.resume(), 0.5);
      case "suspend":
        return !target.clock.suspended && this.#suspend(target);
      case "cutOneWay":
        return this.#cut([[target.position, this.#other(target)]], 1.5);
      case "partition":
        return this.#cut(this.#partition(target), 2);
      case "resign":
        return this.#resign(target, null);
      case "resignTo":
        return this.#resign(target, this.#replicas[this.#other(target)]?.member.name ?? null);
      case "ineligible":
        return target.running && this.#makeIneligible(target);
      case "rateChange":
        target.clock.setRate(drawRate(this.#around), this.#around.agenda.nowMs);
        target.clockChanged();
        return true;
      default:
        return unreachable(strike);
    }
  }

  #crash(target: Replica): boolean {
    this.#note(`crash of n${target.position}`);
    target.crash();
    return this.#restartLater(target);
  }

  /** Everybody else comes back with nothing but the disk; the target, cut off, does not even notice. */
  #restartAllBut(target: Replica): boolean {
    const others = this.#replicas.filter((replica) => replica !== target && replica.running);
    for (const replica of others) this.#crash(replica);
    return others.length > 0 && this.#cut(this.#isolation(target), 1.5);
  }

  #isolation(target: Replica): readonly (readonly [number, number])[] {
    return [...this.#replicas.keys()].flatMap((other): readonly (readonly [number, number])[] => [
      [target.position, other],
      [other, target.position],
    ]);
  }

  #restartLater(target: Replica): boolean {
    const { chance, swarm, tally } = this.#around;
    return this.#undoLater(
      () => {
        tally.restart += 1;
        if (chance.happens(swarm.reconfigure)) {
          tally.reconfigure += 1;
          target.settings = { ...target.settings, timing: drawTiming(chance, swarm.honestDrift) };
        }
        target.start();
      },
      chance.pick([0.05, 0.5, 2]),
    );
  }

  #suspend(target: Replica): boolean {
    const { agenda } = this.#around;
    this.#note(`suspension of n${target.position}`);
    target.pause();
    target.clock.setSuspended(true, agenda.nowMs);
    return this.#undoLater(() => {
      target.clock.setSuspended(false, agenda.nowMs);
      target.resume();
    }, 1);
  }

  #resign(target: Replica, to: string | null): boolean {
    if (!target.leads) return false;
    target.offer({ kind: "resign", to });
    return true;
  }

  #makeIneligible(target: Replica): boolean {
    target.offer({ kind: "setEligible", eligible: false });
    return this.#undoLater(() => target.offer({ kind: "setEligible", eligible: true }), 3);
  }

  #cut(between: readonly (readonly [number, number])[], meanUnits: number): boolean {
    const links = between.filter(([from, to]) => from !== to);
    if (links.length === 0) return false;
    const { network } = this.#around;
    this.#note(`cut ${links.map(([from, to]) => `${from}>${to}`).join(" ")}`);
    for (const [from, to] of links) network.cut(from, to);
    return this.#undoLater(() => {
      this.#note(`healed ${links.map(([from, to]) => `${from}>${to}`).join(" ")}`);
      for (const [from, to] of links) network.heal(from, to);
    }, meanUnits);
  }

  /** The target alone, or with about half of the others; now and then in one direction only. */
  #partition(target: Replica): readonly (readonly [number, number])[] {
    const { chance } = this.#around;
    const share = chance.pick([0, 0, 0.5]);
    const oneWay = chance.happens(0.2);
    const inside = this.#replicas.map((replica) => replica === target || chance.happens(share));
    const links: [number, number][] = [];
    for (const from of this.#replicas.keys()) {
      for (const to of this.#replicas.keys()) {
        if (inside[from] !== inside[to] && (inside[from] === true || !oneWay)) links.push([from, to]);
      }
    }
    return links;
  }

  /** Any node; often the one that holds, or else one that leads. */
  #target(): Replica {
    const { chance, swarm } = this.#around;
    if (!chance.happens(swarm.atHolder)) return chance.pick(this.#replicas);
    const holder = this.#replicas.find((replica) => replica.holds);
    return holder ?? this.#replicas.find((replica) => replica.leads) ?? chance.pick(this.#replicas);
  }

  #other(target: Replica): number {
    const { chance } = this.#around;
    const count = this.#replicas.length;
    return count === 1 ? 0 : (target.position + 1 + chance.below(count - 1)) % count;
  }

  #undoLater(undo: () => void, meanUnits: number): true {
    const { agenda, chance, swarm } = this.#around;
    this.#open.add(undo);
    agenda.after(chance.exponential(meanUnits * swarm.unitMs), () => {
      if (this.#open.delete(undo)) undo();
    });
    return true;
  }

  #note(words: string): void {
    const { agenda, transcript } = this.#around;
    transcript.add(agenda.nowMs, -1, words.length, () => words);
  }
}

export function drawRate({ chance, swarm }: Pick<Surroundings, "chance" | "swarm">): number {
  switch (swarm.rates) {
    case "exact":
      return 1;
    case "extreme":
      return chance.pick([1 - swarm.honestDrift, 1 + swarm.honestDrift]);
    case "random":
      return chance.between(1 - swarm.honestDrift, 1 + swarm.honestDrift);
    case "dishonest":
      return chance.pick([1 / 3, 3]);
    default:
      return unreachable(swarm.rates);
  }
}
