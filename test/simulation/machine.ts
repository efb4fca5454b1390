/**
 * One pod: its clocks, its disk, its application, and the process that runs now.
 *
 * Invariant: a crash may fall between any two effects of the process, and a restart sees the disk and nothing else. A
 * pause delays whatever comes next, never what was read before.
 *
 * Deliberately absent: decisions about faults. Others call `crash`, `pause` and the like.
 */
import { TenureError } from "../../src/base/errors.ts";
import { type HolderMs, holderMs } from "../../src/base/types.ts";
import { Application } from "./application.ts";
import type { MachineClock } from "./clocks.ts";
import { Life } from "./life.ts";
import { settle } from "./microtasks.ts";
import { Disk } from "./storage-port.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Fault, NodeSettings } from "./swarm.ts";
import { isLookedFor, Violation } from "./violation.ts";

const NS_PER_MS = 1e6;

export class Machine {
  readonly position: number;
  readonly name: string;
  readonly clock: MachineClock;
  readonly application = new Application();
  disk = new Disk();
  settings: NodeSettings;
  life: Life | null = null;
  /** Whether the set is large enough to have this pod. */
  present: boolean;
  /** Whether this incarnation was ever told to go: then it may ask to be removed. */
  wasToldToGo = false;
  /** Incarnations so far. */
  births = 1;
  readonly #around: Surroundings;
  #downSinceMs: number | null = 0;
  #pausedSinceMs: number | null = null;
  #pauses = 0;
  /** What a pause has kept from going on. */
  #held: { readonly life: Life; readonly action: () => void }[] = [];

  constructor(position: number, name: string, clock: MachineClock, settings: NodeSettings, around: Surroundings) {
    this.position = position;
    this.name = name;
    this.clock = clock;
    this.settings = settings;
    this.present = position < around.swarm.replicas;
    this.#around = around;
  }

  get running(): boolean {
    return this.life !== null;
  }

  get leads(): boolean {
    return this.life?.seen?.role === "leader";
  }

  get holds(): boolean {
    return this.running && this.application.actsAt(this.holderNow());
  }

  get paused(): boolean {
    return this.#pauses > 0;
  }

  /** Since when it has been down or paused, in true time; null while it runs. */
  get silentSinceMs(): number | null {
    const [down, paused] = [this.#downSinceMs, this.#pausedSinceMs];
    return down === null || paused === null ? (down ?? paused) : Math.min(down, paused);
  }

  holderNow(): HolderMs {
    return this.clock.holder(this.#around.agenda.nowMs);
  }

  start(): void {
    const { agenda, reformableAtMs } = this.#around;
    if (this.life !== null || !this.present) return;
    if (this.disk.identity === null && agenda.nowMs < reformableAtMs()) {
      agenda.at(reformableAtMs(), () => this.start());
      return;
    }
    this.#note(1, () => `starts with D ${this.settings.timing.leaseDurationMs}`);
    this.#downSinceMs = null;
    this.application.nodeStarted();
    this.life = new Life(this, this.#around);
    this.life.start();
  }

  crash(): void {
    const { agenda, chance, tally } = this.#around;
    if (this.life === null) return;
    this.#note(2, () => "crashes");
    this.life.end();
    this.life = null;
    this.#held = [];
    this.#downSinceMs = agenda.nowMs;
    const { underWay } = this.disk;
    if (underWay === null) return;
    this.disk.underWay = null;
    const kept = chance.happens(0.5);
    tally[kept ? "unsyncedKept" : "unsyncedLost"] += 1;
    if (kept) underWay();
  }

  restart(): void {
    this.crash();
    this.start();
  }

  /** The process has ended by itself; the kubelet starts it again, in another pod if this one was to go. */
  exits(): void {
    if (this.life?.leaving === true && this.#around.swarm.ephemeral) this.die();
    else this.crash();
    this.#around.ended(this);
  }

  /** SIGTERM. */
  terminate(handoverAtOnce: boolean): void {
    if (this.life === null || this.life.leaving) return;
    const { life } = this;
    this.wasToldToGo = true;
    this.whenAwake(life, () => {
      this.#note(8, () => `is told to go${handoverAtOnce ? ", its application has gone" : ""}`);
      if (handoverAtOnce) this.application.gone();
      void life.leave(handoverAtOnce);
    });
  }

  /** The pod is deleted, its directory with it; what comes back under its name is somebody else. */
  die(): void {
    this.crash();
    this.#note(9, () => "is gone with its disk");
    this.application.gone();
    this.wipe();
  }

  /** Its incarnation is dead from here on; the next one gets a disk of its own. */
  wipe(): Disk {
    const { agenda, members } = this.#around;
    if (this.disk.identity !== null) members.died(this.disk.identity.id, agenda.nowMs);
    this.disk = new Disk();
    this.births += 1;
    this.wasToldToGo = false;
    return this.disk;
  }

  pause(): void {
    this.#pauses += 1;
    this.#pausedSinceMs ??= this.#around.agenda.nowMs;
    this.#note(3, () => "pauses");
  }

  /** Never called by the process itself, so promises may be run in between. */
  resume(): void {
    const { chance, tally } = this.#around;
    this.#note(4, () => "goes on");
    this.#pauses -= 1;
    if (this.paused) return;
    this.#pausedSinceMs = null;
    // The application may be quicker than everything that has piled up meanwhile; and timers may be.
    if (this.running && chance.happens(0.5)) {
      tally.readAfterPause += 1;
      this.look();
    }
    if (chance.happens(0.5)) this.life?.clock.ring();
    const held = this.#held;
    this.#held = [];
    const together = chance.happens(0.5);
    if (together && held.length > 1) tally.batch += 1;
    for (const { life, action } of held) {
      this.whenAwake(life, action);
      if (!together) settle();
    }
    this.life?.clock.planAnew();
  }

  /** Timers are planned in true time, so they must be planned anew. */
  clockChanged(): void {
    this.life?.clock.planAnew();
  }

  /** The application asks its node. */
  look(): void {
    const { life } = this;
    if (life === null || this.paused) return;
    const { checks } = this.#around;
    try {
      if (life.core !== null) {
        const view = life.core.view(life.clock.now());
        checks.looked(life, life.seen, view);
        life.seen = view;
      }
      const { isLeader, token, deadlineMonotonicNs } = life.application.leader();
      checks.answered(life, token);
      if (!isLeader || token === null || deadlineMonotonicNs === null || !this.application.listens) return;
      const leftMs = Number(deadlineMonotonicNs) / NS_PER_MS - life.clock.monotonic();
      checks.granted(life, token, holderMs(this.holderNow() + leftMs));
    } catch (error) {
      this.#around.broken(error);
    }
  }

  /** `POST /resign`: the application has stopped. */
  resign(to: string | null): void {
    const { life } = this;
    if (life === null) return;
    this.whenAwake(life, () => {
      this.application.stop();
      life.application.resign(to).then(
        () => this.#stopped(life),
        (error: unknown) => this.#refused(life, error),
      );
    });
  }

  /** `POST /transfer`: a person moves the lock; the application finishes its work. */
  transfer(to: string | null): void {
    const { life } = this;
    if (life === null) return;
    this.whenAwake(life, () => {
      life.application.transfer(to).catch((error: unknown) => this.#refused(life, error));
    });
  }

  /** `PUT /eligibility`. */
  setEligible(eligible: boolean): void {
    const { life } = this;
    if (life === null) return;
    this.whenAwake(life, () => {
      life.application.setEligible(eligible).catch((error: unknown) => this.#refused(life, error));
    });
  }

  whenAwake(life: Life, action: () => void): void {
    if (life.ended) return;
    if (this.paused) this.#held.push({ life, action });
    else action();
  }

  /** The process may end right here, between two of its effects. */
  crashesHere(fault: Fault): boolean {
    const { chance, swarm, stormy, tally } = this.#around;
    if (!stormy || this.life === null || !chance.happens(swarm.crashInStep)) return false;
    tally[fault] += 1;
    this.#note(6, () => fault);
    this.exits();
    return true;
  }

  /** Before each message: true if the process ends here. It may also stand still from here on. */
  mayFailInStep(): boolean {
    const { chance, swarm, stormy, tally, undoLater } = this.#around;
    if (this.crashesHere("crashBetweenSends")) return true;
    if (!stormy || this.paused || !chance.happens(swarm.pauseInStep)) return false;
    tally.pauseInStep += 1;
    this.pause();
    undoLater(() => this.resume(), 0.5);
    return false;
  }

  #stopped(life: Life): void {
    if (life === this.life) this.application.stopped();
  }

  #refused(life: Life, error: unknown): void {
    if (life !== this.life) return;
    this.application.stopped();
    const expected = ["not_holder", "unknown_target"];
    if (error instanceof TenureError && expected.includes(error.code)) return;
    if (isLookedFor("refusal"))
      this.#around.broken(new Violation("refusal", `n${this.position}: ${String(error)}`, { cause: error }));
  }

  #note(mark: number, words: () => string): void {
    const { agenda, transcript } = this.#around;
    transcript.add(agenda.nowMs, this.position, mark, words);
  }
}
