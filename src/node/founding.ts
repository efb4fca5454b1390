/**
 * Runs the formation of a group: asks, listens, and carries out what src/node/formation.ts decides.
 *
 * Invariant: one input at a time, and each action of it is done before the next input; a Form is durable before any
 * reply that speaks of it.
 *
 * Deliberately absent: decisions.
 */
import { messageOf } from "../base/errors.ts";
import { FORMATION_QUEUE } from "../base/limits.ts";
import { type Member, type MonotonicMs, monotonicMs } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Form, Storage } from "../ports/storage.ts";
import type { FormationMessage, Transport } from "../ports/transport.ts";
import { FORMATION_INTERVAL_MS } from "./answers.ts";
import { Formation, type FormationAction, type FormationOptions } from "./formation.ts";

/** A group that did not form tells whom it waits for after this, and then this often. */
const REPORT_INTERVAL_MS = 10_000;

export interface FoundingOptions extends Omit<FormationOptions, "listed"> {
  readonly siblings: () => Promise<readonly string[]>;
  /** DNS lists these: they will be asked. */
  readonly met: (names: readonly string[]) => void;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly observe: (event: NodeEvent) => void;
  readonly becameGrouped: (form: Form) => Promise<void>;
  /** This Form will never have a majority, and the incarnation that accepted it ends with it. */
  readonly gaveUp: (form: Form) => void;
  /** It has found out, or doubts again, that there is a group. */
  readonly changed: () => void;
  readonly fail: (error: unknown) => void;
}

export class Founding {
  readonly #options: FoundingOptions;
  readonly #formation: Formation;
  /** Null until DNS has answered once: a failure is no proof that there are no others. */
  #listed: readonly string[] | null = null;
  #looking = false;
  #work: Promise<void> = Promise.resolve();
  #queued = 0;
  #stopped = false;
  #reportedAt: number;
  #cancelTick: (() => void) | null = null;

  constructor(options: FoundingOptions) {
    this.#options = options;
    this.#formation = new Formation({ ...options, listed: () => this.#listed });
    this.#reportedAt = options.clock.monotonic();
  }

  /**
   * To a peer that has just been connected: what this node is, once that is durable, or else the question.
   *
   * @param isMember its life in a group has begun; what formation has decided may still be on its way to the disk
   */
  introduce(name: string, isMember: boolean): void {
    const status = this.#formation.status();
    const question = (): FormationMessage => this.#formation.question(this.#options.clock.monotonic());
    this.#options.transport.sendTo(name, isMember ? { kind: "formStatus", nonce: "", status } : question());
  }

  /** Runs after what is under way here, and nothing of formation beside it; dropped where too much waits. */
  alone(work: () => Promise<void>): void {
    if (this.#queued >= FORMATION_QUEUE) return;
    this.#queued += 1;
    this.#enqueue(() => {
      this.#queued -= 1;
      return work();
    });
  }

  get mayJoin(): boolean {
    return this.#formation.mayJoin;
  }

  /** This incarnation was taken into a group. */
  joined(groupId: string): void {
    this.#formation.joined(groupId);
    this.#options.changed();
  }

  /** By hand; see Formation.formAlone. True once it is done, false if it is refused or this node is stopping. */
  async formAlone(): Promise<boolean> {
    let isAllowed = false;
    this.#do(() => {
      const actions = this.#formation.formAlone(this.#options.clock.monotonic());
      isAllowed = actions !== null;
      return actions ?? [];
    });
    await this.#work;
    return isAllowed;
  }

  /** A group exists, and this incarnation is not part of it. */
  get outsider(): boolean {
    return this.#formation.outsider;
  }

  /** Who has not answered: pods of the set, lately, and DNS, ever. */
  silent(now: MonotonicMs): readonly string[] {
    const pods = this.#formation.silent(now);
    return this.#listed === null ? [...pods, "DNS"] : pods;
  }

  /** Asks every FORMATION_INTERVAL_MS until there is a group. */
  start(): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    void this.#look();
    this.#do(() => this.#formation.tick(now));
    this.#report(now);
    this.#cancelTick = clock.wakeAt(monotonicMs(now + FORMATION_INTERVAL_MS), () => {
      if (!this.#stopped && !this.#formation.grouped) this.start();
    });
  }

  /** Answered before and after there is a group: a founder that was away learns of it this way. */
  receive(from: Member, message: FormationMessage): void {
    if (this.#queued >= FORMATION_QUEUE) return;
    this.#queued += 1;
    this.#do(() => {
      this.#queued -= 1;
      return this.#formation.receive(from, message, this.#options.clock.monotonic());
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTick?.();
    await this.#work;
  }

  /** What DNS lists now; a failure says nothing, and what was listed before stays in force. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const isFirst = this.#listed === null;
    const listed = await this.#options.siblings().catch((error: unknown) => this.#lookFailed(error));
    this.#looking = false;
    if (listed === null || this.#stopped || this.#formation.grouped) return;
    this.#listed = listed;
    this.#options.met(listed);
    if (isFirst) this.#do(() => this.#formation.tick(this.#options.clock.monotonic()));
  }

  #lookFailed(error: unknown): null {
    const message = `who is in the set: ${messageOf(error)}`;
    if (!this.#stopped) this.#options.observe({ kind: "fault", code: "discovery_failed", where: "siblings", message });
    return null;
  }

  #report(now: number): void {
    if (now - this.#reportedAt < REPORT_INTERVAL_MS || this.#formation.grouped) return;
    this.#reportedAt = now;
    const silent = this.silent(monotonicMs(now));
    this.#options.observe({ kind: "formationWaiting", silent, outsider: this.outsider });
  }

  #do(input: () => readonly FormationAction[]): void {
    this.#enqueue(async () => {
      const before = this.outsider;
      const actions = input();
      if (this.outsider !== before) this.#options.changed();
      for (const action of actions) await this.#perform(action);
    });
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#stopped) return;
      try {
        await work();
      } catch (error) {
        this.#stopped = true;
        this.#options.fail(error);
      }
    });
  }

  async #perform(action: FormationAction): Promise<void> {
    switch (action.kind) {
      case "send":
        this.#options.transport.sendTo(action.to, action.message);
        return;
      case "save":
        await this.#options.storage.saveForm(action.form);
        return;
      case "group":
        await this.#options.becameGrouped(action.form);
        return;
      case "giveUp":
        this.#options.gaveUp(action.form);
    }
  }
}
