/**
 * One life of a process: the shipped node over simulated ports, from its start to its end.
 *
 * Invariant: once it has ended, nothing that it still does has an effect: its ports are dead, its promises wait for
 * ever, and nobody looks at it any more.
 *
 * Deliberately absent: when lives begin and end; that is the machine's business.
 */
import { AssertionError } from "../../src/base/assert.ts";
import { TenureError } from "../../src/base/errors.ts";
import { memberId } from "../../src/base/types.ts";
import { NodeApplication } from "../../src/node/application.ts";
import { TenureNode } from "../../src/node/node.ts";
import type { NodeEvent } from "../../src/ports/observer.ts";
import type { Core } from "../../src/raft/core.ts";
import type { Effects, Input } from "../../src/raft/effect.ts";
import type { CoreView } from "../../src/raft/view.ts";
import { type Reading, SimulatedClock } from "./clock-port.ts";
import type { Machine } from "./machine.ts";
import { Mirror } from "./mirror.ts";
import { SimulatedStorage } from "./storage-port.ts";
import type { Surroundings } from "./surroundings.ts";
import { SimulatedTransport } from "./transport-port.ts";
import { wordsOfEffects, wordsOfInput } from "./words.ts";
import { isLookedFor, Violation } from "./violation.ts";

const BEGINNINGS: ReadonlySet<NodeEvent["kind"]> = new Set(["formed", "joined", "rejoined", "rescued"]);

/** What the transcript of steps has anyway. */
const OF_THE_CORE: ReadonlySet<NodeEvent["kind"]> = new Set([
  "roleChanged",
  "leaderChanged",
  "electionEnded",
  "waiting",
  "holding",
  "renewed",
  "lapsed",
  "released",
  "transferStarted",
  "transferFailed",
  "configurationChanged",
  "snapshotTaken",
]);

export class Life {
  readonly machine: Machine;
  readonly clock: SimulatedClock;
  readonly storage: SimulatedStorage;
  readonly transport: SimulatedTransport;
  readonly node: TenureNode;
  readonly application: NodeApplication;
  readonly #around: Surroundings;
  /** The group that a person wants this node to give up. */
  rescuing: string | null = null;
  /** It has been told to stop. */
  leaving = false;
  ended = false;
  core: Core | null = null;
  mirror: Mirror | null = null;
  /** The last view of the core that anybody took. */
  seen: CoreView | null = null;

  constructor(machine: Machine, around: Surroundings) {
    this.machine = machine;
    this.#around = around;
    const { chance, directory, swarm } = around;
    const { name, settings } = machine;
    this.clock = new SimulatedClock(this, around);
    this.storage = new SimulatedStorage(this, machine.disk, around);
    this.transport = new SimulatedTransport(this, around);
    this.node = new TenureNode({
      group: "simulated",
      name,
      replicas: swarm.replicas,
      timing: settings.timing,
      priority: settings.priority,
      drainTimeoutMs: swarm.drainTimeoutMs,
      ephemeral: swarm.ephemeral,
      siblings: () => directory.siblings(name),
      version: "0",
      clock: this.clock,
      storage: this.storage,
      transport: this.transport,
      entropy: { id: () => memberId(this.#newId()), seed: () => chance.below(2 ** 32) },
      observer: { observe: (event) => this.#observe(event) },
      fatal: (error) => this.fatal(error),
    });
    this.application = new NodeApplication(this.node);
    this.application.onChange(() => machine.look());
  }

  get groupId(): string {
    return this.node.groupId ?? "";
  }

  start(): void {
    this.node.start().catch((error: unknown) => this.fatal(error));
  }

  /** As main.ts does on SIGTERM. */
  async leave(handoverAtOnce: boolean): Promise<void> {
    this.leaving = true;
    try {
      await this.node.leave(handoverAtOnce);
      await this.node.close();
    } catch (error) {
      this.fatal(error);
    }
    if (!this.ended) this.machine.exits();
  }

  end(): void {
    this.ended = true;
    this.clock.end();
    this.transport.end();
  }

  /** The node cannot go on. That is right after a fault of its disk, and never otherwise. */
  fatal(error: unknown): void {
    if (this.ended) return;
    const expected = error instanceof TenureError && this.storage.failed;
    this.#note(5, () => `ENDS: ${String(error)}`);
    if (!expected) {
      const { position } = this.machine;
      if (error instanceof Violation) this.#around.broken(error);
      else if (error instanceof AssertionError || error instanceof TenureError) {
        if (!isLookedFor("assertion")) return this.machine.exits();
        this.#around.broken(new Violation("assertion", `n${position}: ${error.message}`, { cause: error }));
      } else this.#around.broken(error);
      return;
    }
    this.machine.exits();
  }

  /** A core that nobody has seen yet: it begins with what is on the disk. */
  adopt(): void {
    const core = this.node.group?.core ?? null;
    if (core !== null && core !== this.core && !this.ended) this.#begin(core);
  }

  beforeStep(core: Core): void {
    if (this.ended) return;
    if (core !== this.core) this.#begin(core);
  }

  stepped(core: Core, input: Input, effects: Effects, now: Reading): void {
    if (this.ended) return;
    const { checks } = this.#around;
    const { machine, mirror } = this;
    this.#note(input.kind.length, () => `${wordsOfInput(input)}${wordsOfEffects(effects)}`);
    const before = this.seen;
    const view = core.view(now);
    try {
      if (effects.persist !== null) mirror?.append(effects.persist);
      if (effects.snapshot !== null) mirror?.install(effects.snapshot);
      checks.stepped(this, { input, effects, before, view, now });
      this.seen = view;
      // As long as its end does not move, an answer would be the same as before.
      if (view.held !== null && view.held.end !== before?.held?.end) machine.look();
    } catch (error) {
      this.#around.broken(error);
    }
    const elected = view.role === "leader" && before?.role !== "leader";
    if (elected || (view.held !== null && before?.held === null)) this.#around.promoted(machine);
  }

  #observe(event: NodeEvent): void {
    // Each of them comes right after the core that it speaks of was made.
    if (BEGINNINGS.has(event.kind)) this.adopt();
    if (event.kind === "joined" || event.kind === "removed") this.#around.tally[event.kind] += 1;
    if (!OF_THE_CORE.has(event.kind)) this.#note(event.kind.length, () => `* ${JSON.stringify(event)}`);
  }

  #begin(core: Core): void {
    this.core = core;
    this.mirror = new Mirror(this.machine.disk);
    this.seen = core.view(this.clock.now());
    this.#around.checks.starts(this);
  }

  #newId(): string {
    const { chance } = this.#around;
    const digits = Array.from({ length: 3 }, () =>
      chance
        .below(2 ** 32)
        .toString(16)
        .padStart(8, "0"),
    ).join("");
    return `${digits}${(this.machine.births % 2 ** 24).toString(16).padStart(7, "0")}${this.machine.position}`;
  }

  #note(mark: number, words: () => string): void {
    const { agenda, transcript } = this.#around;
    if (!this.ended) transcript.add(agenda.nowMs, this.machine.position, mark, words);
  }
}
