/**
 * Liveness: once the storm is over there is a holder within a bound, and it then keeps its lease undisturbed.
 *
 * Invariant: the bound is counted from the moment at which nothing of the storm is on its way any more, and everyone
 * who can be reached is connected.
 *
 * Deliberately absent: any claim about stormy times. A storm may last for ever.
 */
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";
import { check } from "./violation.ts";

/** What formation may add: it asks every 200 ms, and what it has heard of others goes stale after 1.5 s. */
const FORMATION_MS = 6_000;
/** A pod joins within a few rounds, one after the other; a dead namesake is replaced after D. */
const JOINED_AFTER_LEASES = 50;
/** How long all connections may take to be made again. */
const CONNECT_MS = 10_000;

export interface CalmResult {
  /** From the end of the storm's last message to the first holder, in units of the longest D. */
  readonly waitedLeases: number;
}

export function checkCalm(world: World): CalmResult {
  const { agenda, network } = world;
  world.runUntil(Math.max(agenda.nowMs, network.lastArrivalMs));
  connect(world);
  const fromMs = agenda.nowMs;
  const longestMs = Math.max(
    ...world.machines.flatMap(({ disk, settings }) => [
      disk.hardState.largestPromiseMs,
      settings.timing.leaseDurationMs,
    ]),
  );
  const forms = world.machines.some(({ life }) => life?.node.group === null);
  const boundMs = holderBoundMs(longestMs, world) + (forms ? FORMATION_MS : 0);
  const stepMs = world.swarm.unitMs / 20;
  let holder = holderOf(world);
  while (holder === null) {
    check(
      agenda.nowMs - fromMs <= boundMs,
      "liveness",
      () => `no holder ${agenda.nowMs - fromMs} ms after the storm; ${describe(world)}`,
    );
    world.runUntil(agenda.nowMs + stepMs);
    holder = holderOf(world);
  }
  const waitedLeases = (agenda.nowMs - fromMs) / longestMs;
  // Whoever was cut off with a newer term brings it to the leader with its first answers, once.
  world.runUntil(agenda.nowMs + longestMs);
  while (holderOf(world) === null) {
    check(agenda.nowMs - fromMs <= 2 * boundMs, "liveness", () => `no second holder; ${describe(world)}`);
    world.runUntil(agenda.nowMs + stepMs);
  }
  checkQuiet(world, holderOf(world));
  if (world.swarm.quietLeases >= JOINED_AFTER_LEASES) checkJoined(world);
  return { waitedLeases };
}

function connect(world: World): void {
  const { agenda, machines } = world;
  const untilMs = agenda.nowMs + CONNECT_MS;
  while (!machines.every(({ life }) => life === null || life.transport.settled)) {
    check(agenda.nowMs < untilMs, "connections", () => "not everyone is connected long after the storm");
    world.runUntil(agenda.nowMs + world.swarm.unitMs / 20);
  }
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

function checkQuiet(world: World, holder: Machine | null): void {
  const { agenda, swarm } = world;
  if (holder === null) return;
  const { token } = holder.application;
  const { leaseDurationMs } = holder.settings.timing;
  const untilMs = agenda.nowMs + swarm.quietLeases * leaseDurationMs;
  while (agenda.nowMs < untilMs) {
    world.runUntil(agenda.nowMs + leaseDurationMs / 4);
    holder.look();
    world.throwIfBroken();
    check(
      holder.holds && holder.application.token === token,
      "quiet",
      () => `n${holder.position} lost ${token} in a calm world; ${describe(world)}`,
    );
  }
}

/** Whoever runs and reaches everyone is a member by now, whatever it was before. */
function checkJoined({ machines, network }: World): void {
  const reaches = (from: number, to: number): boolean => from === to || network.isOpen(from, to);
  for (const { position, life } of machines) {
    const whole = [...machines.keys()].every((other) => reaches(position, other) && reaches(other, position));
    const isMember = life?.node.self !== undefined && life?.core?.members.some(({ id }) => id === life.node.self?.id);
    check(life === null || !whole || isMember === true, "joins", () => `n${position} is no member after a long calm`);
  }
}

function holderOf(world: World): Machine | null {
  let holder: Machine | null = null;
  for (const machine of world.machines) {
    machine.look();
    if (machine.life?.seen?.held && machine.holds) holder ??= machine;
  }
  world.throwIfBroken();
  return holder;
}

function describe({ machines }: World): string {
  const wordsOf = ({ position, life }: Machine): string => {
    if (life === null) return `n${position} down`;
    const { seen } = life;
    if (seen === null) return `n${position} without a group`;
    return `n${position} ${seen.role} t${seen.term}${seen.eligible ? "" : " ineligible"}`;
  };
  return machines.map(wordsOf).join(", ");
}
