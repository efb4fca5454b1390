/**
 * One seed: a group of real cores in a simulated world, a storm, and the calm after it.
 *
 * Invariant: a seed replays everything, to the last bit; nothing here reads a clock or rolls dice of the machine.
 *
 * Deliberately absent: formation and membership; the configuration is the same all the time.
 */
import { logIndex, type Member, memberId, term } from "../../src/base/types.ts";
import type { Entry } from "../../src/raft/entry.ts";
import { Agenda } from "./agenda.ts";
import { type CalmResult, checkCalm } from "./calm.ts";
import { spoilCalm } from "./calm-weather.ts";
import { Chance } from "./chance.ts";
import { Checks } from "./checks.ts";
import { MachineClock } from "./clocks.ts";
import { drawRate, Faults } from "./faults.ts";
import { Network } from "./network.ts";
import { Replica } from "./replica.ts";
import type { Surroundings } from "./surroundings.ts";
import { drawSwarm, newTally, type Swarm, type Tally } from "./swarm.ts";
import { Transcript } from "./transcript.ts";
import { Violation } from "./violation.ts";

export interface Outcome {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly violation: Violation | null;
  /** The last events, for people. */
  readonly transcript: string;
  /** Of everything that happened: equal for equal seeds. */
  readonly fingerprint: string;
  readonly tally: Tally;
  readonly simulatedMs: number;
  readonly tenures: number;
  readonly committed: number;
  readonly calm: CalmResult | null;
}

export class World {
  readonly agenda = new Agenda();
  readonly transcript = new Transcript();
  readonly tally = newTally();
  readonly swarm: Swarm;
  readonly network: Network;
  readonly checks: Checks;
  readonly replicas: readonly Replica[];
  readonly #chance: Chance;
  readonly #around: Surroundings;
  readonly #faults: Faults;

  /** @param alter changes what the seed has drawn; for worlds that no seed draws */
  constructor(seed: number, alter: (swarm: Swarm) => Swarm = (swarm) => swarm) {
    const { agenda, transcript, tally } = this;
    const chance = new Chance(seed);
    const swarm = alter(drawSwarm(chance));
    const replicas: Replica[] = [];
    const members = swarm.nodes.map((_, position) => memberAt(position));
    this.#chance = chance;
    this.swarm = swarm;
    this.network = new Network(members.length, swarm.link, agenda, chance, tally, (from, to, message) => {
      const member = members[from];
      if (member !== undefined) replicas[to]?.receive(member, message);
    });
    const { voters, honestDrift } = swarm;
    const honest = swarm.rates !== "dishonest";
    this.checks = new Checks({ agenda, network: this.network, replicas, voters, honestDrift, honest });
    const positions = new Map(members.map((member, position) => [member.id, position]));
    this.#around = {
      agenda,
      chance,
      swarm,
      tally,
      transcript,
      network: this.network,
      checks: this.checks,
      configuration: { voters: members.slice(0, voters), learners: members.slice(voters) },
      positionOf: (member) => positions.get(member.id) ?? -1,
      stormy: true,
      crashed: (replica) => this.#faults.crashed(replica),
      promoted: (replica) => this.#faults.promoted(replica),
    };
    for (const [position, settings] of swarm.nodes.entries()) {
      const clock = new MachineClock(0, chance.between(0, 1e6), drawRate(this.#around));
      replicas.push(new Replica(position, memberAt(position), clock, settings, this.#around));
    }
    writeHistory(replicas, swarm, chance);
    this.replicas = replicas;
    this.#faults = new Faults(this.#around, replicas);
  }

  storm(): void {
    for (const replica of this.replicas) {
      this.agenda.after(this.#chance.exponential(this.swarm.unitMs / 10), () => replica.start());
      this.#lookAgain(replica);
    }
    this.#faults.begin();
    this.agenda.runUntil(this.swarm.stormMs);
  }

  calm(): CalmResult {
    this.#around.stormy = false;
    this.network.settings = this.swarm.calmLink;
    this.#faults.end();
    spoilCalm(this.#around, this.replicas);
    return checkCalm(this);
  }

  #lookAgain(replica: Replica): void {
    this.agenda.after(this.#chance.exponential(this.swarm.readEveryMs), () => {
      replica.look();
      this.#lookAgain(replica);
    });
  }
}

/**
 * Disks as the first leader of a group may leave them: it appended much, and every other node has some beginning of it.
 * Whatever a majority has may have been committed; nobody here knows.
 */
function writeHistory(replicas: readonly Replica[], { history, voters }: Swarm, chance: Chance): void {
  if (history === 0) return;
  const leader = chance.below(voters);
  const entries = Array.from({ length: history }, (_, position): Entry => {
    const index = logIndex(position + 1);
    return position === 0
      ? { kind: "noop", index, term: term(1) }
      : { kind: "command", index, term: term(1), command: String(position) };
  });
  for (const { disk, member, position, settings } of replicas) {
    const length = position === leader ? history : chance.below(history + 1);
    const votedFor = position === leader || chance.happens(0.5) ? (replicas[leader]?.member.id ?? member.id) : null;
    const { leaseDurationMs } = settings.timing;
    disk.hardState = { term: term(1), votedFor, largestPromiseMs: length === 0 ? 0 : leaseDurationMs };
    disk.entries.push(...entries.slice(0, length));
  }
}

/** Named m0, m1 …, with an id that is easy to read in a trace. */
function memberAt(position: number): Member {
  return { id: memberId(String(position).padStart(32, "0")), name: `m${position}` };
}

/** Anything but a broken promise is a fault of the simulator, and is thrown. */
export function simulate(seed: number, alter?: (swarm: Swarm) => Swarm): Outcome {
  const world = new World(seed, alter);
  let violation: Violation | null = null;
  let calm: CalmResult | null = null;
  try {
    world.storm();
    calm = world.calm();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const { swarm, transcript, tally, agenda, checks } = world;
  return {
    seed,
    swarm,
    violation,
    transcript: violation === null ? "" : transcript.text,
    fingerprint: transcript.fingerprint,
    tally,
    simulatedMs: agenda.nowMs,
    tenures: checks.lease.tenures,
    committed: checks.log.committed,
    calm,
  };
}
