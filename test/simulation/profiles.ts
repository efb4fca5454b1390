/**
 * Named kinds of worlds: what a seed has drawn, narrowed to what one wants to see.
 *
 * Invariant: a profile narrows or thickens, it never leaves the world that the design promises to survive.
 *
 * Deliberately absent: the one profile that leaves it, `dishonest`; a test uses that to see that checks can fail.
 */
import { MAX_VOTERS } from "../../src/base/limits.ts";
import type { LeaseTiming } from "../../src/lease/timing.ts";
import type { Strike, Swarm } from "./swarm.ts";

export type Alter = (swarm: Swarm) => Swarm;

const of = (unitMs: number, every: Partial<Record<Strike, number>>): Swarm["every"] =>
  Object.fromEntries(Object.entries(every).map(([strike, units]) => [strike, units * unitMs]));

/** The longest lease that the configuration allows. */
const YEARS_LEASE_MS = 3_600_000;
/** Pods are back within minutes, or the time goes into attempts to reach them. */
const YEARS_REPAIR_MS = 120_000;
const YEARS_STORM_LEASES = 2_000;
/** How much rarer a fault is, in lease durations, than in the other profiles. */
const YEARS_RARITY = 500;

const scaled = (timing: LeaseTiming, scale: number): LeaseTiming => ({
  ...timing,
  leaseDurationMs: timing.leaseDurationMs * scale,
  heartbeatIntervalMs: timing.heartbeatIntervalMs * scale,
});

export const PROFILES = {
  /** Whatever the seed has drawn. */
  swarm: (swarm: Swarm): Swarm => swarm,
  /** Leaders come and go as fast as leases allow. */
  churn: (swarm: Swarm): Swarm => ({
    ...withNodes(swarm, 3),
    start: "formed",
    every: { ...of(swarm.unitMs, { crash: 3, resign: 1.5, terminate: 4, partition: 6, resignWaiting: 4 }) },
    stormMs: 300 * swarm.unitMs,
    atHolder: 0.9,
    ambush: 0.3,
    readEveryMs: swarm.unitMs,
    quietLeases: 10,
    history: 0,
  }),
  /** Empty directories, lost disks, a poor DNS. */
  formation: (swarm: Swarm): Swarm => ({
    ...swarm,
    start: "empty",
    dnsFault: 0.4,
    wallErrorMs: Math.max(swarm.wallErrorMs, 500),
    every: { ...swarm.every, ...of(swarm.unitMs, { rebirth: 8, totalLoss: 25, crash: 5, partition: 8 }) },
  }),
  /** Pods that go and come back as somebody else, one after the other. */
  members: (swarm: Swarm): Swarm => ({
    ...(swarm.voters < 3 ? withNodes(swarm, 3 + swarm.learners) : swarm),
    ephemeral: true,
    stormMs: 2 * swarm.stormMs,
    every: { ...swarm.every, ...of(swarm.unitMs, { rebirth: 12, terminate: 8, totalLoss: 500, damage: 200 }) },
  }),
  /** Sets that are scaled up and down, whose pods all keep the TENURE_REPLICAS of old. */
  scale: (swarm: Swarm): Swarm => ({
    ...withSurplus(swarm, 2),
    ephemeral: true,
    stormMs: 2 * swarm.stormMs,
    every: { ...swarm.every, ...of(swarm.unitMs, { scale: 12, rebirth: 25, totalLoss: 500, damage: 200 }) },
  }),
  /** Majorities that are lost, and people who rescue what is left. */
  rescue: (swarm: Swarm): Swarm => ({
    ...(swarm.voters < 3 ? withNodes(swarm, 3 + swarm.learners) : swarm),
    rescues: 1,
    stormMs: 2 * swarm.stormMs,
    every: { ...swarm.every, ...of(swarm.unitMs, { rebirth: 4, rescue: 8, totalLoss: 500, damage: 200 }) },
  }),
  /** Disks that fail in every way. */
  disk: (swarm: Swarm): Swarm => ({
    ...swarm,
    diskMs: Math.max(swarm.diskMs, 0.01 * swarm.unitMs),
    diskFault: 0.02,
    crashInStep: 0.01,
    every: { ...swarm.every, ...of(swarm.unitMs, { damage: 6, crash: 4, restartAll: 8 }) },
  }),
  /** A network that loses, doubles, reorders and repeats. */
  network: (swarm: Swarm): Swarm => ({
    ...swarm,
    link: { ...swarm.link, loss: 0.15, duplicate: 0.2, replay: 0.02, longDelay: 0.05, ordered: false },
    every: { ...swarm.every, ...of(swarm.unitMs, { partition: 4, cutOneWay: 4, clog: 4 }) },
  }),
  /** Clocks at both ends of the bound, changing, and machines that stand still. */
  clocks: (swarm: Swarm): Swarm => ({
    ...swarm,
    rates: "extreme",
    pauseInStep: 0.01,
    every: { ...swarm.every, ...of(swarm.unitMs, { pause: 3, suspend: 4, rateChange: 2 }) },
  }),
  /**
   * A quarter of a year in the life of a group whose lease lasts an hour, with a fault every few days. What it takes
   * to form a group goes by seconds, whatever the lease, so the group is there from the start.
   */
  years: (swarm: Swarm): Swarm => {
    const scale = YEARS_LEASE_MS / swarm.unitMs;
    const { link } = swarm;
    const { totalLoss: _, ...every } = swarm.every;
    return {
      ...swarm,
      start: "formed",
      history: 0,
      reconfigure: 0,
      unitMs: YEARS_LEASE_MS,
      repairMs: YEARS_REPAIR_MS,
      nodes: swarm.nodes.map((node) => ({ ...node, timing: scaled(node.timing, scale) })),
      stormMs: YEARS_STORM_LEASES * YEARS_LEASE_MS,
      readEveryMs: YEARS_LEASE_MS / 2,
      link: {
        ...link,
        replayMs: link.replayMs * scale,
        // In order, what is late holds up all that comes after it: hours of that at each beat would be a cut for good.
        longDelayMs: link.longDelayMs * (link.ordered ? 1 : scale),
      },
      ambushMs: swarm.ambushMs * scale,
      drainTimeoutMs: swarm.drainTimeoutMs * scale,
      crashInStep: swarm.crashInStep / YEARS_RARITY,
      pauseInStep: swarm.pauseInStep / YEARS_RARITY,
      diskFault: swarm.diskFault / YEARS_RARITY,
      every: Object.fromEntries(Object.entries(every).map(([strike, ms]) => [strike, ms * scale * YEARS_RARITY])),
    };
  },
  /** A short storm and a long calm. */
  quiet: (swarm: Swarm): Swarm => ({ ...swarm, stormMs: 10 * swarm.unitMs, quietLeases: 1_000 }),
} as const satisfies Record<string, Alter>;

export type ProfileName = keyof typeof PROFILES;

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name);
}

/** So many nodes, of which as many vote as may. */
export function withNodes(swarm: Swarm, count: number): Swarm {
  const [first] = swarm.nodes;
  if (first === undefined) return swarm;
  const nodes = Array.from({ length: count }, (_, position) => swarm.nodes[position] ?? first);
  const voters = Math.min(count, MAX_VOTERS);
  return { ...swarm, voters, learners: count - voters, replicas: count, nodes };
}

/** At least so many pods more than TENURE_REPLICAS says. */
function withSurplus(swarm: Swarm, count: number): Swarm {
  const [first] = swarm.nodes;
  const missing = Math.max(0, count - (swarm.nodes.length - swarm.replicas));
  if (first === undefined) return swarm;
  return { ...swarm, nodes: [...swarm.nodes, ...Array.from({ length: missing }, () => first)] };
}
