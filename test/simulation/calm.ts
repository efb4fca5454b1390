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
  /** From the end of the storm's last message to the first holder, in units of the longest promise. */
  readonly waitedLeases: number;
}

export function checkCalm(world: World): CalmResult {
  const { agenda, network } = world;
  agenda.runUntil(Math.max(agenda.nowMs, network.lastArrivalMs));
  const fromMs = agenda.nowMs;
  const promiseMs = Math.max(...world.replicas.map(({ disk }) => disk.hardState.largestPromiseMs), world.swarm.unitMs);
  const boundMs = holderBoundMs(promiseMs, world);
  const stepMs = world.swarm.unitMs / 20;
  let holder = holderOf(world);
  while (holder === null) {
    check(agenda.nowMs - fromMs <= boundMs, "liveness", () =>
      `no holder ${agenda.nowMs - fromMs} ms after the storm; ${describe(world)}`);
    agenda.runUntil(agenda.nowMs + stepMs);
    holder = holderOf(world);
  }
  const waitedLeases = (agenda.nowMs - fromMs) / promiseMs;
  // Whoever was cut off with a newer term brings it to the leader with its first answers, once.
  agenda.runUntil(agenda.nowMs + promiseMs);
  while (holderOf(world) === null) {
    check(agenda.nowMs - fromMs <= 2 * boundMs, "liveness", () => `no second holder; ${describe(world)}`);
    agenda.runUntil(agenda.nowMs + stepMs);
  }
  checkQuiet(world, holderOf(world));
  return { waitedLeases };
}

/**
 * The longest promise must run out, on the slowest clock; then a few rounds of elections, of which an ineligible node
 * with the longest log sits out the first five.
 */
function holderBoundMs(promiseMs: number, { swarm }: World): number {
  return (4 * promiseMs) / (1 - swarm.honestDrift);
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
    check(holder.holds && holder.application.token === token, "quiet", () =>
      `n${holder.position} lost ${token} in a calm world; ${describe(world)}`);
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
  return replicas
    .map(({ position, seen }) => `n${position} ${seen?.role} t${seen?.term} ${seen?.eligible === true ? "" : "ineligible"}`)
    .join(", ");
}
