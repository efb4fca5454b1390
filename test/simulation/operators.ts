/**
 * The people who run the set: they lose pods with their disks, scale it, and rescue it or delete it when its group has
 * lost its majority.
 *
 * Invariant: they keep to the runbook where nothing else could protect them: one rescue at a time, never two of one
 * group, and nothing but the truth about lost pods. Whether a rescue is allowed is left to the node.
 *
 * Deliberately absent: everything that happens without them, see faults.ts.
 */
import { TenureError } from "../../src/base/errors.ts";
import type { Machine } from "./machine.ts";
import type { Surroundings } from "./surroundings.ts";

export interface Help {
  /** After a random time, at the latest when the calm begins. */
  undoLater(undo: () => void, meanUnits: number): true;
  restartLater(target: Machine): boolean;
}

export class Operators {
  readonly #around: Surroundings;
  readonly #help: Help;
  /** Somebody has seen that the majority is lost, and will do something about it. */
  #helping = false;

  constructor(around: Surroundings, help: Help) {
    this.#around = around;
    this.#help = help;
  }

  /** Pods that are deleted with their disks. Where that ends a group, the next one must get a later token base. */
  lose(targets: readonly Machine[]): boolean {
    const { machines } = this.#around;
    for (const target of targets) {
      target.die();
      this.#help.restartLater(target);
    }
    if (targets.length === machines.length) return true;
    this.#seeTheLoss();
    return true;
  }

  /** Nobody can bring this group back: whoever runs it rescues it, or deletes the rest so that a new one forms. */
  #seeTheLoss(): void {
    const { agenda, chance, swarm, machines } = this.#around;
    if (this.#helping || !this.#around.hopeless()) return;
    const survivors = machines.filter(({ life }) => life?.node.group !== null && life !== null);
    if (survivors.length === 0 || !chance.happens(swarm.rescues)) {
      this.lose(machines);
      return;
    }
    this.#helping = true;
    agenda.after(chance.exponential(0.5 * swarm.unitMs), () => {
      this.#helping = false;
      if (!this.#around.stormy || !this.#around.hopeless()) return;
      this.rescue(chance.pick(survivors));
      this.#seeTheLoss();
    });
  }

  /**
   * A person rescues, right or wrong: in doubt the node must refuse. Only what is true is said of lost pods, and only
   * while no leader is to be seen.
   */
  rescue(target: Machine): boolean {
    const { agenda, chance, machines } = this.#around;
    // One at a time, and never two of one group: that is what the runbook says, and nothing else can ensure it.
    if (agenda.nowMs < this.#around.reformableAtMs() || machines.some(isBusy)) return false;
    const says = chance.happens(0.5) && !machines.some((machine) => machine.leads);
    const lost = machines.filter(({ disk, running }) => disk.identity === null && !running);
    return this.#rescueBy(target, says ? lost.map(({ name }) => name) : []);
  }

  /** @param lost names of pods of which that person knows that they are gone with their disks */
  #rescueBy({ life, paused, position }: Machine, lost: readonly string[]): boolean {
    const { agenda, broken, members, tally, transcript } = this.#around;
    const old = life?.node.groupId ?? null;
    if (life === null || old === null || paused || members.givenUp.has(old)) return false;
    transcript.add(agenda.nowMs, position, 10, () => `is to be rescued, lost by a person's word: [${lost.join(", ")}]`);
    life.rescuing = old;
    life.node.rescue(old, lost).then(
      () => {
        life.rescuing = null;
        tally.rescued += 1;
        this.#help.undoLater(() => this.emptyGivenUp(), 3);
      },
      (error: unknown) => {
        life.rescuing = null;
        tally.rescueRefused += 1;
        const isRefused = error instanceof TenureError && error.code === "rescue_refused";
        if (!isRefused && !life.ended) broken(error);
      },
    );
    return true;
  }

  /** Some time after a rescue, what is left of the old group is emptied, so that it joins the new one. */
  emptyGivenUp(): void {
    const { machines, members } = this.#around;
    for (const machine of machines) {
      const { snapshot } = machine.disk;
      if (snapshot === null || !members.givenUp.has(snapshot.groupId) || isBusy(machine)) continue;
      machine.die();
      this.#help.restartLater(machine);
    }
  }

  /** `kubectl scale`. Pods beyond the new size are told to go; ephemeral disks go with them. */
  scale(): boolean {
    const { chance, swarm, machines, directory } = this.#around;
    const { length } = machines;
    const least = swarm.ephemeral ? 1 : swarm.replicas;
    const size = least + chance.below(length - least + 1);
    if (size === directory.size) return false;
    // Voters that keep their disks do not leave: without a majority the rest would be empty beside a group that sleeps.
    if (!swarm.ephemeral && this.#around.hopeless(machines.slice(size))) return false;
    this.resize(size);
    return this.#help.undoLater(() => this.resize(length), 40);
  }

  resize(size: number): void {
    const { directory, machines } = this.#around;
    directory.size = size;
    for (const machine of machines) {
      const isPresent = machine.position < size;
      if (machine.present === isPresent) continue;
      if (isPresent) {
        machine.present = true;
        machine.start();
      } else this.#takeAway(machine);
    }
  }

  #takeAway(machine: Machine): void {
    const { chance, swarm } = this.#around;
    const { life } = machine;
    machine.terminate(chance.happens(0.5));
    machine.present = false;
    const end = (): void => {
      if (machine.life !== life) return;
      if (swarm.ephemeral) machine.die();
      else machine.crash();
      this.#seeTheLoss();
      this.#help.restartLater(machine);
    };
    if (life === null) end();
    else this.#help.undoLater(end, 3);
  }
}

function isBusy({ life }: Machine): boolean {
  return life !== null && life.rescuing !== null;
}
