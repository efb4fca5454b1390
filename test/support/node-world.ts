/**
 * Whole nodes in one process: formation, membership and all, on disks and a network in memory, under one clock that
 * only the test moves.
 *
 * Invariant: the same calls give the same run. Time moves in steps of STEP_MS, and between two steps everything that
 * needs no time has happened, as far as TURNS go; a message takes a turn.
 *
 * Deliberately absent: chance, and any wait by the real clock.
 */
import { setImmediate as turn } from "node:timers/promises";
import { assert, present } from "../../src/base/assert.ts";
import { messageOf, TenureError } from "../../src/base/errors.ts";
import { holderMs, type Member, type MemberId, memberId, monotonicMs, type Now } from "../../src/base/types.ts";
import { TenureNode } from "../../src/node/node.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { NodeEvent } from "../../src/ports/observer.ts";
import type { Core } from "../../src/raft/core.ts";
import type { Configuration } from "../../src/raft/entry.ts";
import { createMemoryDisk, type MemoryDisk } from "./memory-storage.ts";
import { MemoryNetwork } from "./memory-transport.ts";
import { TIMING } from "./timing.ts";

const STEP_MS = 10;
const TURNS = 6;

interface Wake {
  readonly at: number;
  readonly callback: () => void;
}

class WorldClock implements Clock {
  nowMs = 1_000;
  readonly #wakes = new Set<Wake>();

  now(): Now {
    return { monotonicMs: monotonicMs(this.nowMs), holderMs: holderMs(this.nowMs) };
  }

  monotonic(): ReturnType<typeof monotonicMs> {
    return monotonicMs(this.nowMs);
  }

  toMonotonicNs(instant: number): bigint {
    return BigInt(Math.floor(instant)) * 1_000_000n;
  }

  wallSeconds(): number {
    return this.nowMs / 1_000;
  }

  wakeAt(at: number, callback: () => void): () => void {
    const wake = { at, callback };
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  advance(): void {
    this.nowMs += STEP_MS;
    for (const wake of [...this.#wakes].filter(({ at }) => at <= this.nowMs).toSorted((a, b) => a.at - b.at)) {
      if (this.#wakes.delete(wake)) wake.callback();
    }
  }
}

export interface SlotOptions {
  /** TENURE_REPLICAS of this pod. */
  readonly replicas: number;
  readonly ephemeral?: boolean;
}

/** The place of one pod: `app-<ordinal>`, with a disk. */
interface Slot {
  readonly options: SlotOptions;
  disk: MemoryDisk;
  node: TenureNode | null;
}

export class NodeWorld {
  readonly clock = new WorldClock();
  readonly network = new MemoryNetwork();
  readonly events: { readonly name: string; readonly event: NodeEvent }[] = [];
  readonly failures: Error[] = [];
  /** What DNS says of the set: the pods that run, or nothing because no server answers. */
  dns: "answers" | "fails" = "answers";
  readonly #slots = new Map<number, Slot>();
  #ids = 0;

  /** Makes the slots 0 … size − 1, starts them, and waits until they are one group with a holder. */
  static async formed(size: number, options: Partial<SlotOptions> = {}): Promise<NodeWorld> {
    const world = new NodeWorld();
    for (let ordinal = 0; ordinal < size; ordinal += 1) await world.add(ordinal, { replicas: size, ...options });
    await world.until("a holder that all follow", () => {
      return (
        world.holders().length === 1 &&
        world.ordinals().every((ordinal) => world.core(ordinal)?.members.length === size)
      );
    });
    return world;
  }

  async add(ordinal: number, options: SlotOptions): Promise<void> {
    assert(!this.#slots.has(ordinal), "a slot is made once");
    this.#slots.set(ordinal, { options, disk: createMemoryDisk(), node: null });
    await this.start(ordinal);
  }

  /** @param before what is to be done with the node before it reads its disk */
  async start(ordinal: number, before: (node: TenureNode) => void = () => undefined): Promise<void> {
    const slot = this.#slot(ordinal);
    const name = nameOf(ordinal);
    assert(slot.node === null, "a node that runs is not started");
    const node = new TenureNode({
      group: "app",
      name,
      replicas: slot.options.replicas,
      timing: TIMING,
      priority: 0,
      drainTimeoutMs: 0,
      ephemeral: slot.options.ephemeral ?? true,
      version: "test",
      clock: this.clock,
      storage: slot.disk.open(),
      transport: this.network.transport(),
      entropy: { id: () => this.#newId(ordinal), seed: () => ordinal + 1 },
      observer: { observe: (event) => void this.events.push({ name, event }) },
      siblings: () => this.#siblings(ordinal),
      fatal: (error) => void this.failures.push(error instanceof Error ? error : new Error(messageOf(error))),
    });
    slot.node = node;
    before(node);
    await node.start();
  }

  /** The process dies; its disk stays, or goes with the pod. */
  async kill(ordinal: number, disk: "kept" | "lost" = "kept"): Promise<void> {
    const slot = this.#slot(ordinal);
    const node = present(slot.node, "it runs");
    slot.node = null;
    await node.close();
    slot.disk.crash("kept");
    if (disk === "lost") slot.disk = createMemoryDisk();
  }

  /** SIGTERM, then the end of the process. The disk stays where it is. */
  async stop(ordinal: number): Promise<void> {
    const node = this.node(ordinal);
    let left = false;
    const leaving = node.leave(true).then(() => {
      left = true;
    });
    await this.until(`${nameOf(ordinal)} has left`, () => left);
    await leaving;
    await this.kill(ordinal);
  }

  node(ordinal: number): TenureNode {
    return present(this.#slot(ordinal).node, `${nameOf(ordinal)} runs`);
  }

  core(ordinal: number): Core | null {
    return this.#slots.get(ordinal)?.node?.group?.core ?? null;
  }

  self(ordinal: number): Member {
    return present(this.node(ordinal).self, "it has an identity");
  }

  /** The slots that run. */
  ordinals(): readonly number[] {
    return [...this.#slots].flatMap(([ordinal, { node }]) => (node === null ? [] : [ordinal]));
  }

  isMember(ordinal: number): boolean {
    const { id } = this.self(ordinal);
    return this.core(ordinal) !== null && this.members().some((member) => member.id === id);
  }

  /** Those whose application would be told "leader" at this instant. */
  holders(): readonly number[] {
    const now = this.clock.now();
    return this.ordinals().filter((ordinal) => this.node(ordinal).group?.standing(now).isLeader === true);
  }

  leader(): number {
    const now = this.clock.now();
    const leads = (ordinal: number): boolean => this.core(ordinal)?.lockView(now).role === "leader";
    return present(this.ordinals().findLast(leads), "there is a leader");
  }

  /** As the leader has it. */
  configuration(): Configuration {
    return present(this.core(this.leader()), "the leader has a core").configuration;
  }

  members(): readonly Member[] {
    const { voters, learners } = this.configuration();
    return [...voters, ...learners];
  }

  /** The names of the voters, then those of the learners behind a plus. */
  roles(): string {
    const { voters, learners } = this.configuration();
    const namesOf = (members: readonly Member[]): string =>
      members
        .map(({ name }) => name)
        .toSorted()
        .join(" ");
    return learners.length === 0 ? namesOf(voters) : `${namesOf(voters)} + ${namesOf(learners)}`;
  }

  /** A voter that does not lead. */
  follower(): number {
    const leader = this.leader();
    return present(this.ordinals().find((ordinal) => ordinal !== leader) ?? null, "somebody follows");
  }

  /** The application of the holder hands over, and time passes until that one holds. */
  async moveTo(ordinal: number): Promise<void> {
    const group = present(this.node(this.leader()).group, "the leader has a group");
    const moved = group.resign(nameOf(ordinal));
    await this.until(`${nameOf(ordinal)} holds`, () => this.holders()[0] === ordinal);
    await moved;
  }

  /** Lets time pass, and asks everyone at every step who holds; the largest number of holders at once. */
  async mostHolders(durationMs: number): Promise<number> {
    let most = 0;
    for (let left = durationMs; left > 0; left -= STEP_MS) {
      await this.#step();
      most = Math.max(most, this.holders().length);
    }
    return most;
  }

  cutOff(ordinal: number): void {
    for (const other of this.#slots.keys()) if (other !== ordinal) this.cut(ordinal, other);
  }

  cut(a: number, b: number): void {
    this.network.cut(nameOf(a), nameOf(b));
    this.network.cut(nameOf(b), nameOf(a));
  }

  async run(durationMs: number): Promise<void> {
    for (let left = durationMs; left > 0; left -= STEP_MS) await this.#step();
  }

  /** Lets time pass until it is so; fails after `limitMs` of the world's time. */
  async until(what: string, isSo: () => boolean, limitMs = 30_000): Promise<void> {
    for (let left = limitMs; !isSo(); left -= STEP_MS) {
      assert(left > 0, `within ${limitMs} ms: ${what}`);
      await this.#step();
    }
  }

  async close(): Promise<void> {
    for (const ordinal of this.ordinals()) await this.kill(ordinal);
  }

  async #step(): Promise<void> {
    this.clock.advance();
    for (let turns = 0; turns < TURNS; turns += 1) await turn();
    const [failure] = this.failures;
    if (failure !== undefined) throw failure;
  }

  #siblings(ordinal: number): Promise<readonly string[]> {
    if (this.dns === "fails") return Promise.reject(new TenureError("discovery_failed", "no server answers"));
    return Promise.resolve(
      this.ordinals()
        .filter((other) => other !== ordinal)
        .map(nameOf),
    );
  }

  #slot(ordinal: number): Slot {
    return present(this.#slots.get(ordinal), `there is a slot ${ordinal}`);
  }

  /** Readable: the ordinal, then the number of the incarnation. Group ids come from here as well. */
  #newId(ordinal: number): MemberId {
    this.#ids += 1;
    return memberId(String(ordinal).padEnd(16, "0") + String(this.#ids).padStart(16, "0"));
  }
}

export function nameOf(ordinal: number): string {
  return `app-${ordinal}`;
}
