/**
 * What a calm world may still have: ineligible voters, and a minority that is out of order for good.
 *
 * Invariant: a majority of the voters runs, and its links to one another are whole; one voter of it is eligible.
 *
 * Deliberately absent: anything that changes while the calm lasts.
 */
import { majoritySize } from "../../src/lease/majority.ts";
import type { Configuration } from "../../src/raft/entry.ts";
import type { Machine } from "./machine.ts";
import type { Surroundings } from "./surroundings.ts";

const DAMAGES = ["down", "deaf", "mute", "isolated", "oneLink"] as const;

/** Every configuration that some living member may act by: each on its own disk. */
function presentConfigurations({ machines, members }: Surroundings): readonly Configuration[] {
  return machines.flatMap(({ disk }) => {
    if (disk.snapshot === null || members.givenUp.has(disk.snapshot.groupId)) return [];
    const later = disk.entries.flatMap((entry) => (entry.kind === "config" ? [entry.configuration] : []));
    return [disk.snapshot.configuration, ...later];
  });
}

function votesIn({ voters }: Configuration, { disk }: Machine): boolean {
  return voters.some(({ id }) => id === disk.identity?.id);
}

/** Whether somebody without a group may be about to enter one, of which nobody can say yet what it is worth. */
export function isForming({ machines }: Surroundings): boolean {
  return machines.some(({ disk: { identity, snapshot } }) => identity !== null && snapshot === null);
}

/** Whether so many disks are gone that some configuration has no majority any more: only a person can help. */
export function isHopeless(around: Surroundings, without: readonly Machine[] = []): boolean {
  const living = around.machines.filter((machine) => !without.includes(machine));
  return presentConfigurations(around).some((configuration) => {
    const voters = living.filter((machine) => votesIn(configuration, machine));
    return voters.length < majoritySize(configuration.voters.length);
  });
}

/** Spoils a calm that is otherwise perfect, as far as a group must bear it. */
export function spoilCalm(around: Surroundings): void {
  const { chance, swarm, tally, machines } = around;
  const configurations = presentConfigurations(around);
  const voters = machines.filter((machine) => configurations.some((each) => votesIn(each, machine)));
  const always = voters.filter((machine) => configurations.every((each) => votesIn(each, machine)));
  // The one with the most to catch up is the hardest choice for an only candidate.
  const byLog = always.toSorted((a, b) => a.disk.lastIndex - b.disk.lastIndex);
  const kept = chance.happens(0.5) ? byLog[0] : chance.maybe(always);
  if (kept === undefined) return;
  if (chance.happens(swarm.damageInCalm)) {
    const minority: Machine[] = [];
    for (const machine of voters) {
      if (machine === kept || isHopeless(around, [...minority, machine])) continue;
      minority.push(machine);
      damage(around, machine, kept);
      tally.calmDamage += 1;
    }
  }
  if (!chance.happens(swarm.ineligibleInCalm)) return;
  // Whoever leads already would simply bring everyone up to date.
  for (const machine of voters) if (machine.leads && chance.happens(0.7)) machine.restart();
  for (const machine of voters) machine.setEligible(machine === kept || chance.happens(0.3));
}

function damage({ chance, network, machines }: Surroundings, machine: Machine, kept: Machine): void {
  const self = machine.position;
  const others = [...machines.keys()].filter((other) => other !== self);
  // An ineligible leader hands over only to whom it reaches, so the one that is surely eligible is spared.
  const spared = others.filter((other) => other !== kept.position);
  const kind = chance.pick(DAMAGES);
  const [only, out, into] = [chance.pick(spared.length > 0 ? spared : others), kind !== "deaf", kind !== "mute"];
  if (kind === "down") {
    machine.crash();
    return;
  }
  for (const other of kind === "oneLink" ? [only] : others) {
    if (out) network.cut(self, other);
    if (into) network.cut(other, self);
  }
}
