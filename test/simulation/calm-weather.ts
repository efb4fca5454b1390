/**
 * What a calm world may still have: ineligible voters, and a minority that is out of order for good.
 *
 * Invariant: a majority of the voters runs, and its links to one another are whole; one voter of it is eligible.
 *
 * Deliberately absent: anything that changes while the calm lasts.
 */
import { majoritySize } from "../../src/lease/majority.ts";
import type { Replica } from "./replica.ts";
import type { Surroundings } from "./surroundings.ts";

const DAMAGES = ["down", "deaf", "mute", "isolated", "oneLink"] as const;

/** Spoils a calm that is otherwise perfect, as far as a group must bear it. */
export function spoilCalm(around: Surroundings, replicas: readonly Replica[]): void {
  const { chance, swarm, tally } = around;
  const voters = replicas.slice(0, swarm.voters);
  // The one with the most to catch up is the hardest choice for an only candidate.
  const byLog = voters.toSorted((a, b) => a.disk.lastIndex - b.disk.lastIndex);
  const kept = chance.happens(0.5) ? (byLog[0] ?? chance.pick(voters)) : chance.pick(voters);
  if (chance.happens(swarm.damageInCalm)) {
    const minority = voters.filter((replica) => replica !== kept).slice(0, voters.length - majoritySize(voters.length));
    for (const replica of minority) {
      damage(around, replica, replicas, kept);
      tally.calmDamage += 1;
    }
  }
  if (!chance.happens(swarm.ineligibleInCalm)) return;
  // Whoever leads already would simply bring everyone up to date.
  for (const replica of voters) if (replica.leads && chance.happens(0.7)) replica.restart();
  for (const replica of voters) {
    const eligible = replica === kept || chance.happens(0.3);
    replica.offer({ kind: "setEligible", eligible });
  }
}

function damage(around: Surroundings, replica: Replica, replicas: readonly Replica[], kept: Replica): void {
  const { chance, network } = around;
  const self = replica.position;
  const others = [...replicas.keys()].filter((other) => other !== self);
  // An ineligible leader hands over only to whom it reaches, so the one that is surely eligible is spared.
  const spared = others.filter((other) => other !== kept.position);
  const kind = chance.pick(DAMAGES);
  const [only, out, into] = [chance.pick(spared.length > 0 ? spared : others), kind !== "deaf", kind !== "mute"];
  if (kind === "down") {
    replica.crash();
    return;
  }
  for (const other of kind === "oneLink" ? [only] : others) {
    if (out) network.cut(self, other);
    if (into) network.cut(other, self);
  }
}
