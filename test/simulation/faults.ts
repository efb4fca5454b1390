/**
 * What strikes the world while it is stormy, and how it is undone.
 *
 * Invariant: every strike is undone at some time, at the latest when the calm begins; strikes may overlap. A disk that
 * is lost takes its incarnation and its application with it.
 *
 * Deliberately absent: faults that no rule of the design survives, such as a lost disk under the same identity.
 */
import { unreachable } from "../../src/base/assert.ts";
import { LinkFaults } from "./link-faults.ts";
import type { Machine } from "./machine.ts";
import { Operators } from "./operators.ts";
import type { Surroundings } from "./surroundings.ts";
import { drawTiming, MAX_WALL_ERROR_MS, type Strike, STRIKES } from "./swarm.ts";

/** Token bases rise with wall clocks: two formations lie further apart than these can be off. */
const REFORMATION_GAP_MS = 2 * MAX_WALL_ERROR_MS + 1;

export class Faults {
  readonly #around: Surroundings;
  readonly #links: LinkFaults;
  readonly #operators: Operators;
  /** How to undo what is in force. */
  readonly #open = new Set<() => void>();
  /** The last time at which a group was formed. */
  formedAtMs = -REFORMATION_GAP_MS;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#links = new LinkFaults(around);
    this.#operators = new Operators(around, {
      undoLater: (undo, meanUnits) => this.undoLater(undo, meanUnits),
      restartLater: (target) => this.#restartLater(target),
    });
  }

  begin(): void {
    for (const strike of STRIKES) this.#plan(strike);
  }

  /** When a group may be formed again. */
  get reformableAtMs(): number {
    return this.formedAtMs + REFORMATION_GAP_MS;
  }

  /** Undoes everything. */
  end(): void {
    this.#operators.resize(this.#around.machines.length);
    this.#operators.emptyGivenUp();
    // Also what one of them sets off.
    for (const undo of this.#open) {
      this.#open.delete(undo);
      undo();
    }
  }

  /** Faults often hurt most just after something has changed. */
  promoted(machine: Machine): void {
    const { agenda, chance, swarm, stormy, tally, machines } = this.#around;
    if (!stormy || !chance.happens(swarm.ambush)) return;
    agenda.after(chance.exponential(swarm.ambushMs), () => {
      if (!this.#around.stormy) return;
      const target = chance.happens(0.7) ? machine : chance.pick(machines);
      // A leader that resigns inside its wait, or just after it, is the hardest test of certificates.
      const usual = chance.happens(0.3) ? "resign" : chance.pick(STRIKES);
      const strike = swarm.every[usual] === undefined && isGrave(usual) ? "resign" : usual;
      if (this.#strike(strike, target)) tally.ambush += 1;
    });
  }

  /** A process that has ended by itself. */
  ended(machine: Machine): void {
    this.#restartLater(machine);
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
  #strike(strike: Strike, target: Machine): boolean {
    const { agenda, chance } = this.#around;
    switch (strike) {
      case "crash":
        return target.running && this.#crash(target);
      case "restartAll":
        return this.#restartAllBut(target);
      case "terminate":
        return this.#terminate(target);
      case "rebirth":
        return this.#operators.lose([target]);
      case "totalLoss":
        return this.#operators.lose(this.#around.machines);
      case "damage":
        return this.#damage(target);
      case "pause":
        target.pause();
        return this.undoLater(() => target.resume(), 0.5);
      case "suspend":
        return !target.clock.suspended && this.#suspend(target);
      case "cutOneWay":
        return this.#links.cut([[target.position, this.#other(target)]], 1.5);
      case "partition":
        return this.#links.cut(this.#links.partition(target), 2);
      case "clog":
        return this.#links.clog(this.#links.partition(target));
      case "resign":
      case "resignTo":
        return this.#resign(target, strike === "resignTo" ? this.#other(target) : null);
      case "resignWaiting":
        return this.#resignWaiting(target);
      case "transfer":
        return this.#transfer(target, chance.happens(0.5) ? null : this.#other(target));
      case "ineligible":
        return target.running && this.#makeIneligible(target);
      case "rescue":
        return this.#operators.rescue(target);
      case "scale":
        return this.#operators.scale();
      case "rateChange":
        target.clock.setRate(drawRate(this.#around), agenda.nowMs);
        target.clockChanged();
        return true;
      case "wallStep":
        return this.#stepWallClock(target);
      default:
        return unreachable(strike);
    }
  }

  #crash(target: Machine): boolean {
    target.crash();
    return this.#restartLater(target);
  }

  /** Everybody else comes back with nothing but the disk; the target, cut off, does not even notice. */
  #restartAllBut(target: Machine): boolean {
    const others = this.#around.machines.filter((machine) => machine !== target && machine.running);
    for (const machine of others) this.#crash(machine);
    return others.length > 0 && this.#links.cut(this.#links.isolation(target), 1.5);
  }

  #restartLater(target: Machine): boolean {
    const { chance, swarm, tally } = this.#around;
    return this.undoLater(
      () => {
        if (target.running) return;
        tally.restart += 1;
        target.disk.damaged = false;
        if (chance.happens(swarm.reconfigure)) {
          tally.reconfigure += 1;
          target.settings = { ...target.settings, timing: drawTiming(chance, swarm.honestDrift) };
        }
        target.start();
      },
      chance.pick([0.05, 0.5, 2]),
    );
  }

  /** SIGTERM; and at the end of its patience the kubelet kills. */
  #terminate(target: Machine): boolean {
    const { chance } = this.#around;
    if (!target.running || target.life?.leaving === true) return false;
    const { life } = target;
    target.terminate(chance.happens(0.5));
    return this.undoLater(() => {
      if (life === null || target.life !== life) return;
      if (this.#around.swarm.ephemeral) this.#operators.lose([target]);
      else this.#crash(target);
    }, 3);
  }

  /** A bit flips on a disk. Its next reader must stop; later somebody repairs it. */
  #damage(target: Machine): boolean {
    if (target.disk.identity === null) return false;
    target.disk.damaged = true;
    this.undoLater(() => {
      target.disk.damaged = false;
    }, 4);
    target.crash();
    return this.undoLater(() => target.start(), 0.3);
  }

  #suspend(target: Machine): boolean {
    const { agenda } = this.#around;
    target.pause();
    target.clock.setSuspended(true, agenda.nowMs);
    return this.undoLater(() => {
      target.clock.setSuspended(false, agenda.nowMs);
      target.resume();
    }, 1);
  }

  #resign(target: Machine, to: number | null): boolean {
    if (target.paused || target.life?.seen?.held === null || target.life?.seen === null || !target.leads) return false;
    const { machines } = this.#around;
    target.resign(to === null ? null : (machines[to]?.name ?? null));
    return true;
  }

  /** A person moves the lock; the application is not asked. */
  #transfer(target: Machine, to: number | null): boolean {
    if (target.paused || !target.leads || target.life?.seen?.held === null) return false;
    target.transfer(to === null ? null : (this.#around.machines[to]?.name ?? null));
    return true;
  }

  /** A leader that does not hold yet gives up, as on SIGTERM: its certificate must not vouch for older leases. */
  #resignWaiting(target: Machine): boolean {
    if (target.paused || !target.leads || target.life?.seen?.held !== null) return false;
    return target.life.node.group?.offer({ kind: "resign", to: null, stopped: false }) ?? false;
  }

  #makeIneligible(target: Machine): boolean {
    const { chance } = this.#around;
    if (target.paused) return false;
    const { life } = target;
    const held = life?.seen?.held !== null;
    target.setEligible(false);
    // It has been told to stop, finishes its work and says so; or it never does.
    if (held && chance.happens(0.5)) {
      this.undoLater(() => {
        if (target.life === life && !target.paused && life?.node.group?.draining === true) target.resign(null);
      }, 0.3);
    }
    return this.undoLater(() => target.setEligible(true), 3);
  }

  #stepWallClock(target: Machine): boolean {
    const { chance, swarm } = this.#around;
    target.clock.wallErrorMs = chance.between(-swarm.wallErrorMs, swarm.wallErrorMs);
    return swarm.wallErrorMs > 0;
  }

  /** Any node; often the one that holds, or else one that leads. */
  #target(): Machine {
    const { chance, swarm } = this.#around;
    if (!chance.happens(swarm.atHolder)) return chance.pick(this.#around.machines);
    const holder = this.#around.machines.find((machine) => machine.holds);
    return holder ?? this.#around.machines.find((machine) => machine.leads) ?? chance.pick(this.#around.machines);
  }

  #other(target: Machine): number {
    const { chance } = this.#around;
    const count = this.#around.machines.length;
    return count === 1 ? 0 : (target.position + 1 + chance.below(count - 1)) % count;
  }

  undoLater(undo: () => void, meanUnits: number): true {
    const { agenda, chance, swarm } = this.#around;
    this.#open.add(undo);
    agenda.after(chance.exponential(meanUnits * swarm.repairMs), () => {
      if (this.#open.delete(undo)) undo();
    });
    return true;
  }
}

/** What a seed that has not drawn it should be spared: it ends incarnations. */
function isGrave(strike: Strike): boolean {
  return strike === "rebirth" || strike === "totalLoss" || strike === "damage" || strike === "scale";
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
