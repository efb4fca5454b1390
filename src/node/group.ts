/**
 * A node's life as a member: the core with its runner, the application's lock, drains and resignations.
 *
 * Invariant: once the application has been told to stop, no answer says "leader" again before a new tenure; the lock
 * is released only when the drain is over.
 *
 * Deliberately absent: formation before it, and the transport's and storage's lives, which belong to the node.
 */
import { TenureError } from "../base/errors.ts";
import { monotonicMs, type Now } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Core } from "../raft/core.ts";
import type { Effects, Input } from "../raft/effect.ts";
import type { CoreView } from "../raft/view.ts";
import { type Standing, standingOf } from "./answer.ts";
import { Drain, type DrainCause } from "./drain.ts";
import { eventOf } from "./event.ts";
import { HolderWatch } from "./holder-watch.ts";
import { CoreRunner, type RunnerOptions } from "./runner.ts";

export interface GroupOptions extends Omit<RunnerOptions, "done"> {
  readonly drainTimeoutMs: number;
  /** How long a handover may take before a stopping node goes anyway, in ms. */
  readonly handoverTimeoutMs: number;
  readonly observe: (event: NodeEvent) => void;
  /** Something that answers depend on may have changed. */
  readonly changed: () => void;
}

export class Group {
  readonly #options: GroupOptions;
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #runner: CoreRunner;
  readonly #watch: HolderWatch;
  readonly #bootedAt: Now;
  #drain: Drain | null = null;
  #drained: Promise<void> | null = null;
  #wakeDrain: (() => void) | null = null;
  #wakeAfterBatch: (() => void) | null = null;
  #eligible = true;
  #stopping = false;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#core = options.core;
    this.#clock = options.clock;
    this.#bootedAt = options.clock.now();
    this.#watch = new HolderWatch(this.#bootedAt.monotonicMs);
    this.#runner = new CoreRunner({ ...options, done: (batch) => this.#afterBatch(batch) });
  }

  start(): void {
    this.#runner.start();
  }

  /** The application said so before there was a group. */
  startIneligible(): void {
    this.#eligible = false;
    this.#runner.offer({ kind: "setEligible", eligible: false });
  }

  offer(input: Input): boolean {
    return this.#runner.offer(input);
  }

  get core(): Core {
    return this.#core;
  }

  get eligible(): boolean {
    return this.#eligible;
  }

  get draining(): boolean {
    return this.#drain !== null || this.#stopping;
  }

  view(now: Now): CoreView {
    return this.#core.view(now);
  }

  standing(now: Now): Standing {
    const { draining, eligible } = this;
    const around = { draining, eligible, member: true, bootedAt: this.#bootedAt.monotonicMs };
    return standingOf(this.#core.lockView(now), around, now);
  }

  leaderlessMs(now: Now): number {
    return this.#watch.leaderlessMs(now.monotonicMs);
  }

  syncingMs(now: Now): number {
    return this.#runner.syncingMs(now.monotonicMs);
  }

  /** The application says that it has stopped. Resolves once the lock is released. */
  async resign(to: string | null): Promise<void> {
    const now = this.#clock.now();
    if (this.#drain === null && !this.standing(now).isLeader) {
      throw new TenureError("not_holder", "this pod does not hold the lock");
    }
    if (to !== null && this.#core.transferTarget(to, now) === null) {
      throw new TenureError("unknown_target", `"${to}" is not a voter that is connected, eligible and not this pod`);
    }
    if (this.#drain !== null) {
      this.#drain.confirm(to);
      this.#wakeDrain?.();
      return this.#drained ?? undefined;
    }
    await this.#runner.perform({ kind: "resign", to });
  }

  /** A holder that becomes ineligible drains first; eligible again counts from the end of that drain. */
  async setEligible(eligible: boolean): Promise<void> {
    if (this.#eligible === eligible) return;
    this.#eligible = eligible;
    this.#options.observe({ kind: "eligibilityChanged", eligible });
    if (!eligible && this.#drain === null && !this.#stopping) {
      await this.#beginDrain("ineligible", this.#options.drainTimeoutMs);
    } else if (eligible && this.#drain === null && !this.#stopping) {
      await this.#runner.perform({ kind: "setEligible", eligible: true });
    }
    this.#options.changed();
  }

  /** SIGTERM: drain, release, hand over. Resolves when this node is no longer needed, or the time for it is over. */
  async leave(handoverAtOnce: boolean): Promise<void> {
    this.#stopping = true;
    if (handoverAtOnce) this.#drain?.confirm(null);
    if (this.#drain === null) await this.#beginDrain("signal", handoverAtOnce ? null : this.#options.drainTimeoutMs);
    this.#wakeDrain?.();
    this.#options.changed();
    await this.#drained;
    const { role, revoked } = this.#core.lockView(this.#clock.now());
    if (role !== "leader") return;
    if (!revoked) await this.#runner.perform({ kind: "resign", to: null });
    if (this.#core.members.length > 1) await this.#handedOver();
  }

  stop(): Promise<void> {
    this.#wakeDrain?.();
    return this.#runner.stop();
  }

  /** @param timeoutMs null: the application is known to be gone, so there is nothing to wait for */
  async #beginDrain(cause: DrainCause, timeoutMs: number | null): Promise<void> {
    const now = this.#clock.now();
    const { held } = this.#core.lockView(now);
    if (held !== null) {
      // From this line on no answer says "leader": what was given so far is all there is to wait for.
      const drain = new Drain(cause, now.monotonicMs, timeoutMs ?? 0, held.end);
      if (timeoutMs === null) drain.confirm(null);
      this.#drain = drain;
      this.#options.observe({ kind: "draining", cause, timeoutMs: timeoutMs ?? 0 });
      this.#drained = this.#finishDrain(drain);
    }
    this.#options.changed();
    await this.#runner.perform({ kind: "setEligible", eligible: false });
  }

  async #finishDrain(drain: Drain): Promise<void> {
    while (!drain.over(this.#clock.now())) await this.#sleepUntilDrainMayEnd(drain);
    await this.#runner.perform({ kind: "resign", to: drain.to });
    this.#options.observe({ kind: "drained", confirmed: drain.confirmed });
    this.#drain = null;
    this.#drained = null;
    if (this.#eligible && !this.#stopping) await this.#runner.perform({ kind: "setEligible", eligible: true });
    this.#options.changed();
  }

  #sleepUntilDrainMayEnd(drain: Drain): Promise<void> {
    return this.#sleep(drain.wakeMs(this.#clock.now()), (wake) => (this.#wakeDrain = wake));
  }

  /** A leader that resigned waits until its successor is heard: its vote may be the one that is needed. */
  async #handedOver(): Promise<void> {
    const until = monotonicMs(this.#clock.monotonic() + this.#options.handoverTimeoutMs);
    for (;;) {
      const now = this.#clock.now();
      const { role, leader } = this.#core.lockView(now);
      if ((role !== "leader" && leader !== null) || now.monotonicMs >= until) return;
      await this.#sleep(until - now.monotonicMs, (wake) => (this.#wakeAfterBatch = wake));
    }
  }

  #sleep(durationMs: number, wakeable: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.wakeAt(monotonicMs(this.#clock.monotonic() + durationMs), resolve);
      wakeable(() => {
        cancel();
        resolve();
      });
    });
  }

  #afterBatch(batch: readonly Effects[]): void {
    const { observe, changed } = this.#options;
    for (const { events } of batch) {
      for (const event of events) {
        const translated = eventOf(event, this.#core);
        if (translated !== null) observe(translated);
      }
    }
    this.#watchHolder();
    this.#wakeAfterBatch?.();
    changed();
  }

  #watchHolder(): void {
    const now = this.#clock.now();
    const { current } = this.#core.lockView(now);
    const { last } = this.#watch;
    const released = last !== null && this.#core.wasReleased(last.claim);
    const seen = this.#watch.update(current, released, now.monotonicMs);
    if (seen !== null) this.#options.observe({ kind: "tenureSeen", ...seen });
  }
}
