/**
 * One seed: a group of shipped nodes in a simulated world, a storm, and the calm after it.
 *
 * Invariant: a seed replays everything, to the last bit; nothing here reads a clock or rolls dice of the machine.
 *
 * Deliberately absent: what a seed is drawn from (swarm.ts) and what it is checked for (checks.ts, calm.ts).
 */
import "./probe.ts";
import { logIndex, type Member, memberId, term } from "../../src/base/types.ts";
import type { Entry } from "../../src/raft/entry.ts";
import { Agenda } from "./agenda.ts";
import { type CalmResult, checkCalm } from "./calm.ts";
import { isForming, isHopeless, spoilCalm } from "./calm-weather.ts";
import { Chance } from "./chance.ts";
import { Checks } from "./checks.ts";
import { MachineClock } from "./clocks.ts";
import { Directory } from "./directory.ts";
import { drawRate, Faults } from "./faults.ts";
import { Machine } from "./machine.ts";
import { Members } from "./members.ts";
import { settle } from "./microtasks.ts";
import { Network } from "./network.ts";
import type { Surroundings } from "./surroundings.ts";
import { drawSwarm, newTally, type Swarm, type Tally } from "./swarm.ts";
import { Transcript } from "./transcript.ts";
import { check } from "./violation.ts";

/** Far more than the busiest world has within a quarter of a lease duration, or of this where leases are longer. */
const BUSY_EVENTS = 100_000;
const BUSY_MS = 2_000;
const TOKEN_BASE = 1_000_000;
/** For a Form of the storm to become a group or to be given up, and for who was taken in to learn of it. */
const FORMING_MS = 5_000;

export class World {
  readonly agenda: Agenda;
  readonly transcript = new Transcript();
  readonly tally: Tally = newTally();
  readonly swarm: Swarm;
  readonly network: Network;
  readonly checks: Checks;
  readonly machines: readonly Machine[];
  readonly #chance: Chance;
  readonly #around: Surroundings;
  readonly #faults: Faults;
  readonly #groups = new Set<string>();
  #lookedAtMs = 0;
  #broken: { readonly error: unknown } | null = null;

  /** @param alter changes what the seed has drawn; for worlds that no seed draws */
  constructor(seed: number, alter: (swarm: Swarm) => Swarm) {
    const chance = new Chance(seed);
    const swarm = alter(drawSwarm(chance));
    const agenda = new Agenda(() => this.#afterEvent());
    const { transcript, tally } = this;
    const machines: Machine[] = [];
    const names = swarm.nodes.map((_, position) => `app-${position}`);
    const network = new Network(names.length, swarm.link, agenda, chance, tally);
    const members = new Members();
    const honest = swarm.rates !== "dishonest";
    const { honestDrift } = swarm;
    const scaled = swarm.replicas < swarm.nodes.length;
    const checks = new Checks({ agenda, network, members, machines, honestDrift, scaled, honest });
    this.#around = {
      agenda,
      chance,
      swarm,
      tally,
      transcript,
      network,
      directory: new Directory(names, chance, swarm, tally),
      members,
      checks,
      machines,
      listening: names.map(() => null),
      stormy: true,
      ended: (machine) => this.#faults.ended(machine),
      promoted: (machine) => this.#faults.promoted(machine),
      grouped: (groupId) => this.#grouped(groupId),
      reformableAtMs: () => this.#faults.reformableAtMs,
      hopeless: (without) => isHopeless(this.#around, without),
      undoLater: (undo, meanUnits) => this.#faults.undoLater(undo, meanUnits),
      broken: (error) => {
        this.#broken ??= { error };
      },
    };
    for (const [position, settings] of swarm.nodes.entries()) {
      const clock = new MachineClock(0, chance.between(0, 1e6), drawRate(this.#around));
      clock.wallErrorMs = chance.between(-swarm.wallErrorMs, swarm.wallErrorMs);
      machines.push(new Machine(position, names[position] ?? "", clock, settings, this.#around));
    }
    if (swarm.start === "formed") {
      this.#writeGroup(machines);
      this.#groups.add(idAt(0));
    }
    this.#chance = chance;
    this.swarm = swarm;
    this.agenda = agenda;
    this.network = network;
    this.checks = checks;
    this.machines = machines;
    this.#faults = new Faults(this.#around);
    this.#around.directory.isEnding = (position) => machines[position]?.running ?? false;
  }

  storm(): void {
    for (const machine of this.machines) {
      this.agenda.after(this.#chance.exponential(this.swarm.unitMs / 10), () => machine.start());
      this.#lookAgain(machine);
    }
    this.#faults.begin();
    this.runUntil(this.swarm.stormMs);
  }

  calm(): CalmResult {
    const { agenda } = this;
    this.#around.stormy = false;
    this.network.settings = this.swarm.calmLink;
    this.#around.directory.faulty = false;
    agenda.after(0, () => this.#faults.end());
    this.runUntil(agenda.nowMs);
    if (isForming(this.#around)) this.runUntil(agenda.nowMs + FORMING_MS);
    if (isHopeless(this.#around)) this.#recreate();
    // Some may not start before this.
    this.runUntil(Math.max(agenda.nowMs, this.#faults.reformableAtMs));
    agenda.after(0, () => spoilCalm(this.#around));
    this.runUntil(agenda.nowMs);
    const result = checkCalm(this);
    this.checks.history.verify();
    return result;
  }

  runUntil(untilMs: number): void {
    this.agenda.runUntil(untilMs);
  }

  throwIfBroken(): void {
    if (this.#broken !== null) throw this.#broken.error;
  }

  #afterEvent(): void {
    settle();
    const { agenda } = this;
    if (agenda.events % BUSY_EVENTS === 0) {
      const passedMs = agenda.nowMs - this.#lookedAtMs;
      check(
        passedMs > Math.min(this.swarm.unitMs, BUSY_MS) / 4,
        "bounds",
        () => `${BUSY_EVENTS} events within ${passedMs} ms`,
      );
      this.#lookedAtMs = agenda.nowMs;
    }
    if (this.#broken !== null) throw this.#broken.error;
  }

  /** The group cannot come back: its operator deletes every pod and every disk. */
  #recreate(): void {
    this.agenda.after(0, () => {
      for (const machine of this.machines) machine.die();
      for (const machine of this.machines) machine.start();
    });
    this.runUntil(this.agenda.nowMs);
  }

  #grouped(groupId: string): void {
    if (this.#groups.has(groupId)) return;
    this.tally[this.#groups.size === 0 ? "formed" : "reformed"] += 1;
    this.#groups.add(groupId);
    this.#faults.formedAtMs = this.agenda.nowMs;
  }

  #lookAgain(machine: Machine): void {
    this.agenda.after(this.#chance.exponential(this.swarm.readEveryMs), () => {
      machine.look();
      this.checks.history.observe();
      this.#lookAgain(machine);
    });
  }

  /**
   * Disks as the first leader of a group may leave them: it appended much, and every other node has some beginning of
   * it. Whatever a majority has may have been committed; nobody here knows.
   */
  #writeGroup(machines: readonly Machine[]): void {
    const { chance, checks, swarm, members } = this.#around;
    const present = machines.slice(0, swarm.replicas);
    const all = present.map(({ name, position }): Member => ({ name, id: idAt(position) }));
    const configuration = { voters: all.slice(0, swarm.voters), learners: all.slice(swarm.voters) };
    const leader = chance.below(swarm.voters);
    const start = { index: logIndex(0), term: term(0), tokenBase: TOKEN_BASE, removed: [], lock: [] };
    const snapshot = { ...start, groupId: idAt(0), configuration };
    checks.log.begin(snapshot);
    const entries = historyOf(swarm.history);
    for (const machine of present) {
      const { disk, name, position, settings } = machine;
      disk.identity = { id: idAt(position), name };
      disk.snapshot = snapshot;
      disk.form = { groupId: idAt(0), founders: all, tokenBase: TOKEN_BASE };
      members.born(machine, disk, idAt(position));
      if (swarm.history === 0) continue;
      const length = position === leader ? swarm.history : chance.below(swarm.history + 1);
      const votedFor = position === leader || chance.happens(0.5) ? idAt(leader) : null;
      const largestPromiseMs = length === 0 ? 0 : settings.timing.leaseDurationMs;
      disk.hardState = { term: term(1), votedFor, largestPromiseMs };
      disk.entries.push(...entries.slice(0, length));
    }
  }
}

function historyOf(length: number): readonly Entry[] {
  return Array.from({ length }, (_, position): Entry => {
    const index = logIndex(position + 1);
    return position === 0
      ? { kind: "noop", index, term: term(1) }
      : { kind: "command", index, term: term(1), command: String(position) };
  });
}

function idAt(position: number): Member["id"] {
  return memberId(String(position).padStart(32, "0"));
}
