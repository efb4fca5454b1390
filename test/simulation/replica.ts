/**
 * One machine: a real core, its disk, its clocks, its application, and the loop that the real node runs around them.
 *
 * Invariant: effects are carried out in order (persist, send, then the next input); a crash may fall between any two of
 * them, and a restart sees the disk and nothing else. A pause delays whatever comes next, never what was read before.
 *
 * Deliberately absent: decisions about faults. Others call `crash`, `pause` and the like.
 */
import { AssertionError } from "../../src/base/assert.ts";
import { logIndex, type Member, type Now, term } from "../../src/base/types.ts";
import { MAX_INPUT_QUEUE } from "../../src/base/limits.ts";
import { Core } from "../../src/raft/core.ts";
import type { Effects, Input } from "../../src/raft/effect.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";
import type { CoreView } from "../../src/raft/view.ts";
import { Alarm } from "./alarm.ts";
import { Application } from "./application.ts";
import type { MachineClock } from "./clocks.ts";
import { Disk, extend } from "./disk.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Fault, NodeSettings } from "./swarm.ts";
import { wordsOfEffects, wordsOfInput } from "./transcript.ts";
import { Violation } from "./violation.ts";

const TOKEN_BASE = 1_000_000;

interface Stepped {
  readonly input: Input;
  readonly effects: Effects;
}

export class Replica {
  readonly position: number;
  readonly member: Member;
  readonly clock: MachineClock;
  readonly disk = new Disk();
  readonly application = new Application();
  /** The log in memory: ahead of the disk while it syncs. */
  memory: Entry[] = [];
  settings: NodeSettings;
  /** The last view that anybody took. */
  seen: CoreView | null = null;
  readonly #around: Surroundings;
  readonly #alarm: Alarm;
  #downSinceMs: number | null = 0;
  #pausedSinceMs: number | null = null;
  #core: Core | null = null;
  #life = 0;
  #pauses = 0;
  #busy = false;
  #inbox: Input[] = [];
  #tickDue = false;
  /** What a pause has kept from going on. */
  #held: (() => void)[] = [];

  constructor(position: number, member: Member, clock: MachineClock, settings: NodeSettings, around: Surroundings) {
    this.position = position;
    this.member = member;
    this.clock = clock;
    this.settings = settings;
    this.#around = around;
    this.#alarm = new Alarm(clock, around, () => this.#ring());
  }

  get running(): boolean {
    return this.#core !== null;
  }

  get leads(): boolean {
    return this.running && this.seen?.role === "leader";
  }

  get holds(): boolean {
    return this.running && this.application.actsAt(this.now().holderMs);
  }

  get paused(): boolean {
    return this.#pauses > 0;
  }

  /** Since when it has been down or paused, in true time; null while it runs. */
  get silentSinceMs(): number | null {
    const [down, paused] = [this.#downSinceMs, this.#pausedSinceMs];
    return down === null || paused === null ? (down ?? paused) : Math.min(down, paused);
  }

  now(): Now {
    return this.clock.read(this.#around.agenda.nowMs);
  }

  start(): void {
    const { agenda, chance, configuration, checks } = this.#around;
    this.#life += 1;
    this.#note(1, () => `starts with D ${this.settings.timing.leaseDurationMs}`);
    this.memory = [...this.disk.entries];
    this.#downSinceMs = null;
    this.application.nodeStarted();
    checks.starts(this);
    this.#core = new Core({
      self: this.member,
      timing: this.settings.timing,
      priority: this.settings.priority,
      seed: chance.below(2 ** 32),
      base: { index: logIndex(0), term: term(0), configuration },
      tokenBase: TOKEN_BASE,
      lock: [],
      hardState: this.disk.hardState,
      entries: this.disk.entries,
      bootedAt: this.now(),
    });
    this.seen = this.#core.view(this.clock.read(agenda.nowMs));
    this.#run();
  }

  crash(): void {
    this.#note(2, () => "crashes");
    this.#life += 1;
    this.#core = null;
    this.#busy = false;
    this.#tickDue = false;
    this.#alarm.clear();
    this.#inbox = [];
    this.#held = [];
    this.#downSinceMs = this.#around.agenda.nowMs;
  }

  restart(): void {
    this.crash();
    this.start();
  }

  pause(): void {
    this.#pauses += 1;
    this.#pausedSinceMs ??= this.#around.agenda.nowMs;
    this.#note(3, () => "pauses");
  }

  resume(): void {
    this.#note(4, () => "goes on");
    this.#pauses -= 1;
    if (this.paused) return;
    this.#pausedSinceMs = null;
    // The application may be quicker than everything that has piled up meanwhile.
    if (this.running && this.#around.chance.happens(0.5)) {
      this.#around.tally.readAfterPause += 1;
      this.look();
    }
    const held = this.#held;
    this.#held = [];
    for (const action of held) action();
    this.#alarm.clear();
    this.#run();
  }

  /** Timers are planned in true time, so they must be planned anew. */
  clockChanged(): void {
    this.#alarm.clear();
    this.#arm();
  }

  /** The application asks its node. */
  look(): void {
    if (this.#core === null || this.paused) return;
    const { checks } = this.#around;
    const view = this.#core.view(this.now());
    checks.looked(this, this.seen, view);
    this.seen = view;
    if (view.held !== null && this.application.listens) checks.granted(this, view, view.held);
  }

  receive(from: Member, message: Message): void {
    if (this.#inbox.length < MAX_INPUT_QUEUE) this.offer({ kind: "message", from, message });
  }

  offer(input: Input): void {
    if (this.#core === null) return;
    if (input.kind === "resign") this.application.stop();
    this.#inbox.push(input);
    this.#run();
  }

  #run(): void {
    while (this.#core !== null && !this.#busy && !this.paused) {
      const inputs = this.#take();
      if (inputs.length === 0) break;
      const life = this.#life;
      const steps = inputs.map((input) => ({ input, effects: this.#step(input) }));
      this.#carryOut(steps, life);
    }
    this.#arm();
  }

  #take(): readonly Input[] {
    const { batches } = this.#around.swarm;
    const tick: readonly Input[] = this.#tickDue ? [{ kind: "tick" }] : [];
    this.#tickDue = false;
    // The loop of Node may find the timer before the socket or after it.
    if (!batches && tick.length > 0) return tick;
    const waiting = this.#inbox.splice(0, batches ? this.#inbox.length : 1);
    if (waiting.length > 1) this.#around.tally.batch += 1;
    return this.#around.chance.happens(0.5) ? [...tick, ...waiting] : [...waiting, ...tick];
  }

  #step(input: Input): Effects {
    const { checks } = this.#around;
    const core = this.#core;
    if (core === null) throw new Violation("simulator", "a node that is down takes no step");
    const now = this.now();
    try {
      const effects = core.step(input, now);
      this.#note(input.kind.length, () => `${wordsOfInput(input)}${wordsOfEffects(effects)}`);
      const view = core.view(now);
      if (effects.persist !== null) extend(this.memory, effects.persist);
      checks.stepped(this, { input, effects, before: this.seen, view, now });
      const rises = (view.role === "leader" && !this.leads) || (view.held !== null && this.seen?.held === null);
      this.seen = view;
      if (rises) this.#around.promoted(this);
      if (input.kind === "resign") this.application.stopped();
      if (view.held !== null && this.application.listens) checks.granted(this, view, view.held);
      return effects;
    } catch (error) {
      if (error instanceof AssertionError) {
        this.#note(5, () => `${wordsOfInput(input)} FAILS`);
        throw new Violation("assertion", `n${this.position}: ${error.message}`, { cause: error });
      }
      throw error;
    }
  }

  #carryOut(steps: readonly Stepped[], life: number): void {
    const { agenda, chance, swarm, tally } = this.#around;
    if (this.#crashesHere("crashBeforePersist")) return;
    if (steps.every(({ effects }) => effects.persist === null)) return this.#send(steps);
    this.#busy = true;
    const syncMs = chance.exponential(this.#around.stormy ? swarm.diskMs : Math.min(swarm.diskMs, 1));
    if (syncMs > 0.2 * swarm.unitMs) tally.slowDisk += 1;
    agenda.after(syncMs, () =>
      this.#whenAwake(life, () => {
        for (const { effects } of steps) if (effects.persist !== null) this.disk.append(effects.persist);
        this.#around.checks.persisted(this);
        if (this.#crashesHere("crashBeforeSend")) return;
        const last = steps.flatMap(({ effects }) => effects.persist?.entries ?? []).at(-1);
        if (last !== undefined) this.#inbox.unshift({ kind: "persisted", index: last.index, term: last.term });
        this.#busy = false;
        this.#send(steps);
        this.#run();
      }),
    );
  }

  #send(steps: readonly Stepped[]): void {
    const { checks, network, positionOf } = this.#around;
    for (const { input, effects } of steps) {
      for (const outgoing of effects.send) {
        if (this.#crashesHere("crashBetweenSends")) return;
        checks.sends(this, outgoing, input);
        network.send(this.position, positionOf(outgoing.to), outgoing.message);
      }
    }
  }

  #whenAwake(life: number, action: () => void): void {
    if (life !== this.#life) return;
    if (this.paused) this.#held.push(() => this.#whenAwake(life, action));
    else action();
  }

  #crashesHere(fault: Fault): boolean {
    const { chance, swarm, stormy, tally, crashed } = this.#around;
    if (!stormy || !chance.happens(swarm.crashInStep)) return false;
    tally[fault] += 1;
    this.#note(6, () => fault);
    this.crash();
    crashed(this);
    return true;
  }

  #arm(): void {
    if (this.#core === null || this.paused || this.#busy || this.#tickDue) return;
    this.#alarm.set(this.#core.wakeAt(this.now()));
  }

  #ring(): void {
    if (this.#core === null || this.paused) return;
    this.#tickDue = this.now().monotonicMs >= this.#core.wakeAt(this.now());
    this.#run();
  }

  #note(mark: number, words: () => string): void {
    const { agenda, transcript } = this.#around;
    transcript.add(agenda.nowMs, this.position, mark, words);
  }
}
