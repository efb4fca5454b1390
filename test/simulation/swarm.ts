/**
 * What one seed makes of the world: its size, its settings, which faults there are and how often.
 *
 * Each seed draws its own probabilities and leaves many faults out altogether, because a world with every fault at once
 * hides the bugs that need a long quiet stretch before the one bad moment.
 *
 * Invariant: every clock rate stays within `honestDrift`, which no node's setting is below; so safety is due in full.
 *
 * Deliberately absent: dishonest worlds. What happens beyond the drift bound is not promised (DESIGN, section 1).
 */
import type { LeaseTiming } from "../../src/lease/timing.ts";
import { usableLeaseMs } from "../../src/lease/timing.ts";
import type { Chance } from "./chance.ts";

/** Faults that strike at random instants. */
export const STRIKES = [
  "crash",
  "restartAll",
  "terminate",
  "rebirth",
  "totalLoss",
  "damage",
  "pause",
  "suspend",
  "cutOneWay",
  "partition",
  "clog",
  "resign",
  "resignTo",
  "resignWaiting",
  "transfer",
  "ineligible",
  "rescue",
  "scale",
  "rateChange",
  "wallStep",
] as const;
export type Strike = (typeof STRIKES)[number];

/** Everything that is counted; a sample of seeds must have met all of it. */
export const FAULTS = [
  ...STRIKES,
  "loss",
  "duplicate",
  "replay",
  "acrossLives",
  "longDelay",
  "reorder",
  "stuck",
  "dnsSilent",
  "dnsEmpty",
  "dnsWrong",
  "dnsPartial",
  "dnsStale",
  "wrongPeer",
  "lateTimer",
  "slowDisk",
  "full",
  "syncFails",
  "unreadable",
  "unsyncedKept",
  "unsyncedLost",
  "batch",
  "crashBeforePersist",
  "crashBeforeSend",
  "crashBetweenSends",
  "pauseInStep",
  "restart",
  "reconfigure",
  "readAfterPause",
  "ambush",
  "formed",
  "joined",
  "removed",
  "reformed",
  "rescued",
  "rescueRefused",
  "calmDamage",
] as const;
export type Fault = (typeof FAULTS)[number];
export type Tally = Record<Fault, number>;

export interface NodeSettings {
  readonly timing: LeaseTiming;
  readonly priority: number;
}

/** One direction between two nodes. Times in ms of true time. */
export interface LinkSettings {
  readonly latencyMs: number;
  /** Mean of what is added to the latency at random. */
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplicate: number;
  /** Of a copy that comes long after, also after restarts of either end. */
  readonly replay: number;
  readonly replayMs: number;
  readonly longDelay: number;
  readonly longDelayMs: number;
  /** As TCP has it: nothing overtakes, nothing comes twice. */
  readonly ordered: boolean;
}

export interface Swarm {
  /** An empty directory for everyone, or a group that exists already. */
  readonly start: "empty" | "formed";
  /** Of the group that exists already; one that forms by itself takes its own. */
  readonly voters: number;
  readonly learners: number;
  /** TENURE_REPLICAS of every pod, for ever: pods beyond it come and go as the set is scaled, and nobody tells. */
  readonly replicas: number;
  readonly honestDrift: number;
  /** The largest D of all, as the measure of the rest. */
  readonly unitMs: number;
  /** The same for how long it takes until a fault is undone. */
  readonly repairMs: number;
  readonly stormMs: number;
  readonly nodes: readonly NodeSettings[];
  /** How clocks are off: none, each at one end of the bound, anywhere within it; no seed draws the dishonest ones. */
  readonly rates: "exact" | "extreme" | "random" | "dishonest";
  readonly link: LinkSettings;
  readonly calmLink: LinkSettings;
  readonly diskMs: number;
  readonly lateTimerMs: number;
  /** Mean time between two looks of an application at its node. */
  readonly readEveryMs: number;
  readonly every: Readonly<Partial<Record<Strike, number>>>;
  /** Of a crash between the parts of one step's effects, per step. */
  readonly crashInStep: number;
  /** Of another timing after a restart. */
  readonly reconfigure: number;
  /** Of a calm in which some voters are ineligible, and of one in which a minority is out of order. */
  readonly ineligibleInCalm: number;
  readonly damageInCalm: number;
  /** Of a strike that looks for a node with the lock, or else a leader. */
  readonly atHolder: number;
  /** Of a strike soon after a node was elected or began to hold, and how soon, in ms, on average. */
  readonly ambush: number;
  readonly ambushMs: number;
  /** Entries of an older term that the disks begin with, each a part of them; 0 for a new group. */
  readonly history: number;
  /** Of a standstill of the process between two messages of one step. */
  readonly pauseInStep: number;
  /** Of a write that fails, per write: no space, or a failed sync. */
  readonly diskFault: number;
  /** Of a person who rescues a group that has lost its majority; others delete all of it. */
  readonly rescues: number;
  /** Of a look-up that finds nothing, or somebody else. */
  readonly dnsFault: number;
  /** How far wall clocks may be off, in ms. */
  readonly wallErrorMs: number;
  readonly drainTimeoutMs: number;
  /** Disks go with their pods: who is told to go leaves the group, and somebody else comes back. */
  readonly ephemeral: boolean;
  /** How long the lease must last undisturbed in the calm, in units of D. */
  readonly quietLeases: number;
}

export function newTally(): Tally {
  return Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Tally;
}

/** All of it, at most. */
export const MAX_WALL_ERROR_MS = 1_000;

export function drawSwarm(chance: Chance): Swarm {
  const voters = chance.pick([1, 2, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5]);
  const learners = chance.happens(voters === 1 ? 0.6 : 0.2) ? 1 + chance.below(2) : 0;
  const honestDrift = chance.pick([0.02, 0.1, 0.1, 0.1, 0.2, 0.28]);
  const replicas = voters + learners;
  const nodes = drawNodes(chance, replicas + (chance.happens(0.2) ? 1 + chance.below(3) : 0), honestDrift);
  const unitMs = Math.max(...nodes.map(({ timing }) => timing.leaseDurationMs));
  const calmLink: LinkSettings = {
    latencyMs: chance.magnitude(0.05, 3),
    jitterMs: chance.magnitude(0.05, 3),
    loss: 0,
    duplicate: 0,
    replay: 0,
    replayMs: 0,
    longDelay: 0,
    longDelayMs: 0,
    ordered: chance.happens(0.5),
  };
  const rare = (probability: number, value: () => number): number => (chance.happens(probability) ? value() : 0);
  return {
    start: chance.happens(0.3) ? "empty" : "formed",
    voters,
    learners,
    replicas,
    honestDrift,
    unitMs,
    repairMs: unitMs,
    stormMs: unitMs * chance.between(20, 150),
    nodes,
    rates: chance.pick(["exact", "extreme", "extreme", "random"]),
    link: {
      latencyMs: chance.magnitude(0.05, 0.05 * unitMs),
      jitterMs: chance.magnitude(0.05, 0.1 * unitMs),
      loss: rare(0.5, () => chance.between(0, 0.3)),
      duplicate: calmLink.ordered ? 0 : rare(0.5, () => chance.between(0, 0.3)),
      replay: calmLink.ordered ? 0 : rare(0.3, () => chance.magnitude(0.001, 0.05)),
      replayMs: unitMs * chance.magnitude(1, 20),
      longDelay: rare(0.5, () => chance.magnitude(0.002, 0.1)),
      longDelayMs: unitMs * chance.magnitude(0.3, 5),
      ordered: calmLink.ordered,
    },
    calmLink,
    diskMs: rare(0.7, () => chance.magnitude(0.1, 0.05 * unitMs)),
    lateTimerMs: rare(0.7, () => chance.magnitude(0.1, 0.05 * unitMs)),
    readEveryMs: unitMs * chance.magnitude(0.05, 2),
    every: drawStrikes(chance, unitMs),
    crashInStep: rare(0.4, () => chance.magnitude(0.0002, 0.01)),
    reconfigure: rare(0.3, () => chance.between(0.1, 0.9)),
    ineligibleInCalm: 0.3,
    damageInCalm: 0.3,
    atHolder: chance.pick([0, 0.3, 0.7]),
    ambush: rare(0.5, () => chance.between(0.05, 0.6)),
    ambushMs: unitMs * chance.magnitude(0.002, 0.3),
    history: rare(0.35, () => chance.pick([3, 200, 250, 400])),
    pauseInStep: rare(0.3, () => chance.magnitude(0.0005, 0.01)),
    diskFault: rare(0.3, () => chance.magnitude(0.0005, 0.01)),
    rescues: chance.pick([0, 0.5, 1]),
    dnsFault: rare(0.4, () => chance.between(0.1, 0.9)),
    wallErrorMs: rare(0.5, () => chance.between(0, MAX_WALL_ERROR_MS)),
    drainTimeoutMs: rare(0.7, () => unitMs * chance.magnitude(0.1, 3)),
    ephemeral: chance.happens(0.5),
    quietLeases: chance.pick([10, 10, 10, 10, 100]),
  };
}

/** What leaves nothing as it was would hide everything else. */
const RARITY: Readonly<Partial<Record<Strike, number>>> = {
  totalLoss: 15,
  rebirth: 3,
  damage: 3,
  restartAll: 2,
  scale: 3,
};

function drawStrikes(chance: Chance, unitMs: number): Swarm["every"] {
  const every: Partial<Record<Strike, number>> = {};
  for (const strike of STRIKES) {
    if (chance.happens(0.45)) every[strike] = unitMs * (RARITY[strike] ?? 1) * chance.magnitude(1, 20);
  }
  return every;
}

function drawNodes(chance: Chance, count: number, honestDrift: number): readonly NodeSettings[] {
  const [first, mixed, ranked] = [drawTiming(chance, honestDrift), chance.happens(0.4), chance.happens(0.4)];
  return Array.from({ length: count }, () => ({
    timing: mixed ? drawTiming(chance, honestDrift) : first,
    priority: ranked ? chance.below(3) : 0,
  }));
}

/** Above it, a heartbeat interval of almost U / 2 is too long for a fast follower of a slow leader. */
const LARGEST_SETTING = 1 / 3;

/**
 * Any timing that the configuration allows, but with H up to a third of the shortest U in the group, so that the calm
 * phase may ask for a lease that nothing disturbs.
 */
export function drawTiming(chance: Chance, honestDrift: number): LeaseTiming {
  const leaseDurationMs = chance.pick([300, 500, 500, 1_000, 2_000]);
  const widest = Math.min(LARGEST_SETTING, 1.5 * honestDrift);
  const shortest = usableLeaseMs(leaseDurationMs, widest);
  return {
    leaseDurationMs,
    clockDrift: chance.happens(0.6) ? honestDrift : chance.between(honestDrift, widest),
    heartbeatIntervalMs: chance.magnitude(shortest / chance.pick([4, 4, 12]), shortest / 3),
  };
}
