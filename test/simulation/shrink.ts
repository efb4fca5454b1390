/**
 * From a world that breaks a promise to a smaller one that breaks the same.
 *
 * Takes away one thing after the other: the time after the failure, kinds of faults, chances, nodes, half of the storm.
 * As every change makes other dice fall, each is tried with a few seeds; the first that still breaks the rule is kept.
 *
 * Invariant: what it returns breaks the same rule as what it was given.
 *
 * Deliberately absent: the smallest world. A small one is enough to read.
 */
import { withNodes } from "./profiles.ts";
import { type Outcome, simulate } from "./simulate.ts";
import { STRIKES, type Swarm } from "./swarm.ts";

type Smaller = (swarm: Swarm) => Swarm | null;

/** Null where there is nothing left to take. */
const STEPS: readonly Smaller[] = [
  ...STRIKES.map((strike): Smaller => (swarm) => {
    if (swarm.every[strike] === undefined) return null;
    const { [strike]: _, ...every } = swarm.every;
    return { ...swarm, every };
  }),
  ...(["loss", "duplicate", "replay", "longDelay"] as const).map(
    (key): Smaller =>
      (swarm) =>
        swarm.link[key] === 0 ? null : { ...swarm, link: { ...swarm.link, [key]: 0 } },
  ),
  ...(
    [
      "ambush",
      "crashInStep",
      "pauseInStep",
      "diskFault",
      "dnsFault",
      "rescues",
      "lateTimerMs",
      "diskMs",
      "reconfigure",
      "history",
      "wallErrorMs",
      "damageInCalm",
      "ineligibleInCalm",
      "drainTimeoutMs",
    ] as const
  ).map(
    (key): Smaller =>
      (swarm) =>
        swarm[key] === 0 ? null : { ...swarm, [key]: 0 },
  ),
  (swarm) => (swarm.start === "formed" ? null : { ...swarm, start: "formed" }),
  (swarm) => (swarm.rates === "exact" ? null : { ...swarm, rates: "exact" }),
  (swarm) => (swarm.link.ordered ? null : { ...swarm, link: { ...swarm.link, ordered: true } }),
  (swarm) => (swarm.nodes.length === swarm.replicas ? null : { ...swarm, nodes: swarm.nodes.slice(0, swarm.replicas) }),
  (swarm) => (swarm.nodes.length <= 3 ? null : withNodes(swarm, 3)),
  (swarm) => (swarm.stormMs < 2 * swarm.unitMs ? null : { ...swarm, stormMs: swarm.stormMs / 2 }),
];

/**
 * @param seedsEach how many seeds each change is tried with
 * @param told called with each smaller world that was found
 */
export function shrink(failed: Outcome, seedsEach: number, told: (outcome: Outcome) => void): Outcome {
  const rule = failed.violation?.rule;
  const { swarm } = failed;
  const inTheStorm = failed.simulatedMs < swarm.stormMs;
  const seed = failed.seed;
  let best = inTheStorm
    ? simulate(seed, () => ({ ...swarm, stormMs: Math.ceil(failed.simulatedMs) + 1 }))
    : simulate(seed, () => swarm);
  if (best.violation?.rule !== rule) best = failed;
  for (let again = true; again;) {
    again = false;
    for (const step of STEPS) {
      const smaller = step(best.swarm);
      const found = smaller === null ? null : firstThatBreaks(rule, smaller, best.seed, seedsEach);
      if (found === null) continue;
      best = found;
      again = true;
      told(best);
    }
  }
  return best;
}

function firstThatBreaks(rule: string | undefined, swarm: Swarm, seed: number, count: number): Outcome | null {
  for (let next = seed; next < seed + count; next += 1) {
    const outcome = simulate(next, () => swarm);
    if (outcome.violation?.rule === rule) return outcome;
  }
  return null;
}
