/**
 * Liveness: once the storm is over there is a holder within a bound, and it then keeps its lease undisturbed.
 *
 * Invariant: the bound is counted from the moment at which nothing of the storm is on its way any more.
 *
 * Deliberately absent: any claim about stormy times. A storm may last for ever.
 */
import type { Replica } from "./replica.ts";
import type { World } from "./world.ts";
import { check } from "./violation.ts";

/** How long the lease must last undisturbed, in units of D. */
const QUIET_LEASES = 100;

export interface CalmResult {
  /** From the end of the storm's last message to the first holder, in units of the longest D. */
  readonly waitedLeases: number;
}

export function checkCalm(world: World): CalmResult {
  const { agenda, network } = world;
  agenda.runUntil(Math.max(agenda.nowMs, network.lastArrivalMs));
  const fromMs = agenda.nowMs;
  const longestMs = Math.max(
    ...world.replicas.flatMap(({ disk, settings }) => [
      disk.hardState.largestPromiseMs,
      settings.timing.leaseDurationMs,
    ]),
  );
  const boundMs = holderBoundMs(longestMs, world);
  const stepMs = world.swarm.unitMs / 20;
  let holder = holderOf(world);
  while (holder === null) {
    check(
      agenda.nowMs - fromMs <= boundMs,
      "liveness",
      () => `no holder ${agenda.nowMs - fromMs} ms after the storm; ${describe(world)}`,
    );
    agenda.runUntil(agenda.nowMs + stepMs);
    holder = holderOf(world);
  }
  const waitedLeases = (agenda.nowMs - fromMs) / longestMs;
  // Whoever was cut off with a newer term brings it to the leader with its first answers, once.
  agenda.runUntil(agenda.nowMs + longestMs);
  while (holderOf(world) === null) {
    check(agenda.nowMs - fromMs <= 2 * boundMs, "liveness", () => `no second holder; ${describe(world)}`);
    agenda.runUntil(agenda.nowMs + stepMs);
  }
  checkQuiet(world, holderOf(world));
  return { waitedLeases };
}

/**
 * One D until somebody may try at all, in which the longest promise runs out too; up to five for an ineligible node
 * with the only complete log, which leaves five tries of D / 2 and a bit to the others; one for tries that collide.
 * All of it on the slowest clock.
 */
const LONGEST_WAIT = 7;

function holderBoundMs(longestMs: number, { swarm }: World): number {
  return (LONGEST_WAIT * longestMs) / (1 - swarm.honestDrift);
}

function checkQuiet(world: World, holder: Replica | null): void {
  const { agenda } = world;
  if (holder === null) return;
  const { token } = holder.application;
  const { leaseDurationMs } = holder.settings.timing;
  const untilMs = agenda.nowMs + QUIET_LEASES * leaseDurationMs;
  while (agenda.nowMs < untilMs) {
    agenda.runUntil(agenda.nowMs + leaseDurationMs / 4);
    holder.look();
    check(
      holder.holds && holder.application.token === token,
      "quiet",
      () => `n${holder.position} lost ${token} in a calm world; ${describe(world)}`,
    );
  }
}

function holderOf(world: World): Replica | null {
  for (const replica of world.replicas) {
    replica.look();
    if (replica.seen?.held !== null && replica.holds) return replica;
  }
  return null;
}

function describe({ replicas }: World): string {
  const wordsOf = ({ position, seen }: Replica): string =>
    `n${position} ${seen?.role} t${seen?.term}${seen?.eligible === false ? " ineligible" : ""}`;
  return replicas.map(wordsOf).join(", ");
}
