/**
 * A few cores joined by a network in memory, under one time that only the test moves.
 *
 * Invariant: everything happens in an order that the options fix; a message is delivered, dropped or held by the
 * test's own word. What a core persists is kept, so that a member can be crashed and started again.
 *
 * Deliberately absent: chance, beyond the seeds given to the cores.
 */
import { assert, present } from "../../src/base/assert.ts";
import { holderMs, logIndex, type Member, memberId, monotonicMs, type Now, term } from "../../src/base/types.ts";
import { Core } from "../../src/raft/core.ts";
import type { CoreEvent, Effects, HardState, Input } from "../../src/raft/effect.ts";
import type { Configuration, CoreSnapshot, Entry } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";
import { type Disk, written } from "./disk.ts";

export interface ClusterOptions {
  readonly size: number;
  readonly leaseDurationMs?: number;
  readonly heartbeatIntervalMs?: number;
  readonly clockDrift?: number;
  readonly priorities?: readonly number[];
  readonly seed?: number;
  /** State that members start with, by position; an empty log where absent. */
  readonly stored?: readonly (StoredMember | undefined)[];
}

export interface StoredMember {
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
  readonly snapshot?: CoreSnapshot | null;
}

export interface InFlight {
  readonly from: Member;
  readonly to: Member;
  readonly message: Message;
}

export interface Logged {
  readonly member: Member;
  readonly effects: Effects;
}

export const TOKEN_BASE = 1_000_000;

/** The member at a position: named m0, m1 …, with an id that is easy to read in a trace. */
export function memberAt(position: number): Member {
  return { id: memberId(String(position).padStart(32, "0")), name: `m${position}` };
}

export class Cluster {
  readonly members: readonly Member[];
  readonly options: Required<Omit<ClusterOptions, "stored" | "priorities">> & ClusterOptions;
  readonly #cores: (Core | null)[] = [];
  readonly #disks: Disk[] = [];
  nowMs = 0;
  inFlight: InFlight[] = [];
  readonly #cut = new Set<string>();
  readonly events: { readonly member: Member; readonly event: CoreEvent; readonly atMs: number }[] = [];
  /** Sees each step; for transcripts. */
  onStep: ((member: Member, input: Input, effects: Effects) => void) | null = null;

  constructor(options: ClusterOptions) {
    this.options = { leaseDurationMs: 1_000, heartbeatIntervalMs: 100, clockDrift: 0.1, seed: 1, ...options };
    this.members = Array.from({ length: options.size }, (_, position) => memberAt(position));
    for (let position = 0; position < options.size; position += 1) {
      const stored = options.stored?.[position];
      this.#disks.push({
        hardState: stored?.hardState ?? { term: term(0), votedFor: null, largestPromiseMs: 0 },
        entries: stored?.entries ?? [],
        snapshot: stored?.snapshot ?? null,
      });
      this.start(position);
    }
  }

  get now(): Now {
    return { monotonicMs: monotonicMs(this.nowMs), holderMs: holderMs(this.nowMs) };
  }

  get configuration(): Configuration {
    return { voters: this.members, learners: [] };
  }

  core(position: number): Core {
    return present(this.#cores[position] ?? null, `m${position} is running`);
  }

  isRunning(position: number): boolean {
    return (this.#cores[position] ?? null) !== null;
  }

  disk(position: number): Disk {
    return present(this.#disks[position], `there is a disk ${position}`);
  }

  start(position: number): void {
    const { hardState, entries, snapshot } = this.disk(position);
    const formation = { index: logIndex(0), term: term(0), configuration: this.configuration, lock: [], removed: [] };
    const start = snapshot ?? formation;
    const { leaseDurationMs, clockDrift, heartbeatIntervalMs, seed, priorities } = this.options;
    this.#cores[position] = new Core({
      self: memberAt(position),
      timing: { leaseDurationMs, clockDrift, heartbeatIntervalMs },
      priority: priorities?.[position] ?? 0,
      seed: seed * 1_000 + position,
      base: start,
      tokenBase: TOKEN_BASE,
      lock: start.lock,
      removed: start.removed,
      hardState,
      entries,
      bootedAt: this.now,
    });
  }

  crash(position: number): void {
    this.#cores[position] = null;
    this.inFlight = this.inFlight.filter(({ to }) => to.name !== `m${position}`);
  }

  /** Cuts the link from one member to another; `heal` undoes all cuts. */
  cut(from: number, to: number): void {
    this.#cut.add(`m${from}>m${to}`);
  }

  isolate(position: number): void {
    for (const other of this.members.keys()) {
      if (other === position) continue;
      this.cut(position, other);
      this.cut(other, position);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  step(position: number, input: Input): Effects {
    const core = this.core(position);
    const effects = core.step(input, this.now);
    const member = memberAt(position);
    this.onStep?.(member, input, effects);
    for (const event of effects.events) this.events.push({ member, event, atMs: this.nowMs });
    this.#disks[position] = written(this.disk(position), effects);
    for (const { to, message } of effects.send) {
      if (!this.#cut.has(`${member.name}>${to.name}`)) this.inFlight.push({ from: member, to, message });
    }
    const last = effects.persist?.entries.at(-1);
    if (last !== undefined) this.step(position, { kind: "persisted", index: last.index, term: last.term });
    return effects;
  }

  deliver(flight: InFlight): void {
    const position = this.members.findIndex((member) => member.id === flight.to.id);
    assert(position >= 0, "messages go to members");
    if (this.isRunning(position)) this.step(position, { kind: "message", from: flight.from, message: flight.message });
  }

  /** Delivers everything in flight, and what that causes, in order. */
  settle(): void {
    for (let flight = this.inFlight.shift(); flight !== undefined; flight = this.inFlight.shift()) this.deliver(flight);
  }

  /** Moves time to `atMs`, waking every core whenever it asked to be, and delivering everything at once. */
  runUntil(atMs: number): void {
    for (;;) {
      this.settle();
      const wakeOf = (position: number): number =>
        this.isRunning(position) ? this.core(position).wakeAt(this.now) : Infinity;
      const wakes = this.members
        .map((_, position) => ({ position, at: wakeOf(position) }))
        .toSorted((a, b) => a.at - b.at);
      const first = present(wakes[0], "a cluster has members");
      if (first.at > atMs) break;
      this.nowMs = Math.max(this.nowMs, first.at);
      this.step(first.position, { kind: "tick" });
    }
    this.nowMs = atMs;
  }

  run(durationMs: number): void {
    this.runUntil(this.nowMs + durationMs);
  }

  /** The positions of those that hold the lock now. */
  holders(): readonly number[] {
    return [...this.members.keys()].filter(
      (position) => this.isRunning(position) && this.core(position).view(this.now).held !== null,
    );
  }

  leader(): number {
    const leaders = [...this.members.keys()].filter(
      (position) => this.isRunning(position) && this.core(position).view(this.now).role === "leader",
    );
    return present(leaders.at(-1), "there is a leader");
  }
}
