/**
 * A node's life as a member: the core with its runner, the application's lock, drains and resignations.
 *
 * Invariant: once the application has been told to stop, no answer says "leader" again before a new tenure; the lock
 * is released only when the drain is over.
 *
 * Deliberately absent: formation before it, and the transport's and storage's lives, which belong to the node.
 */
import { TenureError } from "../base/errors.ts";
import { type MonotonicMs, monotonicMs, type Now } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Core } from "../raft/core.ts";
import type { Effects, Input } from "../raft/effect.ts";
import type { CoreView, LockView } from "../raft/view.ts";
import { Ageing } from "./ageing.ts";
import { agesAt, type Circumstances, notHolder, recentUntil, type Standing, standingOf } from "./answer.ts";
import { Drain, type DrainCause } from "./drain.ts";
import { eventOf } from "./event.ts";
import { HolderWatch } from "./holder-watch.ts";
import { CoreRunner, type RunnerOptions } from "./runner.ts";

export interface GroupOptions extends Omit<RunnerOptions, "done"> {
  readonly drainTimeoutMs: number;
  /** How long a handover may take before a stopping node goes anyway, in ms. */
  readonly handoverTimeoutMs: number;
  readonly observe: (event: NodeEvent) => void;
  /** After each batch, with everything durable, sent and observed. */
  readonly after: (batch: readonly Effects[]) => void;
  /** Something that answers depend on may have changed. */
  readonly changed: () => void;
}

export class Group {
  readonly #options: GroupOptions;
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #runner: CoreRunner;
  readonly #watch: HolderWatch;
  readonly #ageing: Ageing;
  readonly #bootedAt: Now;
  #drain: Drain | null = null;
  #drained: Promise<void> | null = null;
  #wakeDrain: (() => void) | null = null;
  #wakeAfterBatch: (() => void) | null = null;
  #eligible = true;
  #stopping = false;
  #removed = false;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#core = options.core;
    this.#clock = options.clock;
    this.#bootedAt = options.clock.now();
    this.#watch = new HolderWatch(this.#bootedAt.monotonicMs);
    this.#runner = new CoreRunner({ ...options, done: (batch) => this.#afterBatch(batch) });
    this.#ageing = new Ageing(options.clock, () => this.#agesAt(), options.changed);
  }

  start(): void {
    this.#runner.start();
    this.#ageing.look();
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
    return standingOf(this.#core.lockView(now), this.#circumstances, now);
  }

  /** No leader has spoken for as long as its lease lasts, or since this node's start. */
  leaderless(now: Now): boolean {
    return now.monotonicMs >= recentUntil(this.#core.lockView(now), this.#bootedAt.monotonicMs);
  }

  #agesAt(): MonotonicMs | null {
    const now = this.#clock.now();
    return agesAt(this.#core.lockView(now), this.#circumstances, now);
  }

  get #circumstances(): Circumstances {
    const { draining, eligible } = this;
    return { draining, eligible, member: this.#core.isMember, bootedAt: this.#bootedAt.monotonicMs };
  }

  /** For how long this node has known of the tenure that is current, in ms; null when there is none. */
  holderForMs(now: Now): number | null {
    const { current } = this.#core.lockView(now);
    return current === null ? null : this.#watch.knownForMs(current, now.monotonicMs);
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
    this.#mustHoldOrDrain(now);
    if (to !== null) this.#mustBeAble(to, now);
    if (this.#drain !== null) {
      this.#drain.confirm(to);
      this.#wakeDrain?.();
      return this.#drained ?? undefined;
    }
    await this.#runner.perform({ kind: "resign", to, stopped: true });
  }

  /**
   * A person moves the lock: drain, hand over, stay eligible. Resolves once released. During another drain it only says
   * to whom.
   */
  async transfer(to: string | null): Promise<void> {
    const now = this.#clock.now();
    this.#mustHoldOrDrain(now);
    this.#mustBeAble(to, now);
    // Nothing is awaited between the look at the lease and the drain that rests on it.
    const begun = this.#drain === null ? this.#beginDrain("transfer", this.#options.drainTimeoutMs, now) : null;
    this.#drain?.aim(to);
    const drained = this.#drained;
    await begun;
    await drained;
  }

  #mustHoldOrDrain(now: Now): void {
    if (this.#drain !== null) return;
    const { isLeader, name } = this.standing(now);
    if (!isLeader) throw notHolder(name);
  }

  /** @param to null: anybody */
  #mustBeAble(to: string | null, now: Now): void {
    if (this.#core.transferTarget(to, now) !== null) return;
    const missing = to === null ? "there is no voter" : `"${to}" is not a voter`;
    throw new TenureError("unknown_target", `${missing} that is connected, eligible and not this pod`);
  }

  /** A holder that becomes ineligible drains first; eligible again counts from the end of that drain. */
  async setEligible(eligible: boolean): Promise<void> {
    if (this.#eligible === eligible) return;
    this.#eligible = eligible;
    this.#options.observe({ kind: "eligibilityChanged", eligible });
    if (!eligible && this.#drain === null && !this.#stopping) {
      await this.#beginDrain("ineligible", this.#options.drainTimeoutMs, this.#clock.now());
    } else if (eligible && this.#drain === null && !this.#stopping) {
      await this.#runner.perform({ kind: "setEligible", eligible: true });
    }
    this.#options.changed();
  }

  /** SIGTERM: drain, release, hand over. Resolves when this node is no longer needed, or the time for it is over. */
  async leave(handoverAtOnce: boolean): Promise<void> {
    this.#stopping = true;
    if (handoverAtOnce) this.#drain?.confirm(null);
    const timeoutMs = handoverAtOnce ? null : this.#options.drainTimeoutMs;
    if (this.#drain === null) await this.#beginDrain("signal", timeoutMs, this.#clock.now());
    this.#wakeDrain?.();
    this.#options.changed();
    await this.#drained;
    const { role, revoked } = this.#core.lockView(this.#clock.now());
    if (role !== "leader") return;
    if (!revoked) await this.#runner.perform({ kind: "resign", to: null, stopped: handoverAtOnce });
    if (this.#core.members.length > 1) {
      await this.#until((view) => view.role !== "leader" && view.leader !== null);
    }
  }

  /** After `leave`: asks to be removed, because the disk goes with the pod. Resolves once it is, or in time anyway. */
  async depart(): Promise<void> {
    if (this.#core.members.length === 1 || this.#removed) return;
    await this.#runner.perform({ kind: "leave" });
    await this.#until((view) => this.#removed || view.role === "leader");
  }

  /** A committed configuration has left this incarnation out. */
  get removed(): boolean {
    return this.#removed;
  }

  stop(): Promise<void> {
    this.#wakeDrain?.();
    this.#ageing.stop();
    return this.#runner.stop();
  }

  /** @param timeoutMs null: the application is known to be gone, so there is nothing to wait for */
  async #beginDrain(cause: DrainCause, timeoutMs: number | null, now: Now): Promise<void> {
    const { held } = this.#core.lockView(now);
    if (held !== null) {
      // From this line on no answer says "leader": what was given so far is all there is to wait for.
      const drain = new Drain(cause, now.monotonicMs, timeoutMs ?? 0, held.furthestEnd);
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
    // Who was chosen as the drain began may be gone by now; anybody is better than an election.
    const isAble = this.#core.transferTarget(drain.to, this.#clock.now()) !== null;
    await this.#runner.perform({ kind: "resign", to: isAble ? drain.to : null, stopped: true });
    this.#options.observe({ kind: "drained", confirmed: drain.confirmed });
    this.#drain = null;
    this.#drained = null;
    if (this.#eligible && !this.#stopping) await this.#runner.perform({ kind: "setEligible", eligible: true });
    this.#options.changed();
  }

  #sleepUntilDrainMayEnd(drain: Drain): Promise<void> {
    return this.#sleep(drain.wakeMs(this.#clock.now()), (wake) => (this.#wakeDrain = wake));
  }

  /**
   * A stopping node waits for what others still need it for: a leader that resigned until its successor is heard,
   * because its vote may be the one that counts; a member that leaves until those who stay can do without it.
   */
  async #until(isDone: (view: LockView) => boolean): Promise<void> {
    const until = monotonicMs(this.#clock.monotonic() + this.#options.handoverTimeoutMs);
    for (;;) {
      const now = this.#clock.now();
      if (isDone(this.#core.lockView(now)) || now.monotonicMs >= until) return;
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
    const { observe, changed, after } = this.#options;
    for (const { events } of batch) {
      for (const event of events) {
        if (event.kind === "removed") this.#removed = true;
        const translated = eventOf(event, this.#core);
        if (translated !== null) observe(translated);
      }
    }
    this.#watchHolder();
    this.#wakeAfterBatch?.();
    after(batch);
    this.#ageing.look();
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
