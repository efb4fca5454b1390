/**
 * One member of a transcript's world: its core, its disk, its clocks, and what waits for it while it is paused.
 *
 * Invariant: the disk has exactly what was persisted; a start reads it and nothing else. Every step is kept, so that a
 * second core can be brought to the same state and be asked what a core does not show (its promise).
 *
 * Deliberately absent: the network.
 */
import { assert, present } from "../../../src/base/assert.ts";
import { holderMs, type MemberId, monotonicMs, type Member, type Now, type Term } from "../../../src/base/types.ts";
import type { LeaseTiming } from "../../../src/lease/timing.ts";
import { Core } from "../../../src/raft/core.ts";
import type { Effects, Input } from "../../../src/raft/effect.ts";
import type { Configuration, CoreSnapshot } from "../../../src/raft/entry.ts";
import type { LogBase } from "../../../src/raft/log.ts";
import type { CoreOptions } from "../../../src/raft/state.ts";
import type { CoreView } from "../../../src/raft/view.ts";
import { type Disk, written } from "../../support/disk.ts";
import { hardStateOf } from "../../support/entries.ts";
import { voteRequest } from "../../support/messages.ts";
import { memberNamed } from "./args.ts";

export interface NodeOptions {
  readonly self: Member;
  readonly timing: LeaseTiming;
  readonly priority: number;
  readonly seed: number;
  readonly base: LogBase;
  readonly tokenBase: number;
}

export interface Membership {
  readonly latest: Configuration;
  readonly committed: Configuration;
  readonly removed: readonly MemberId[];
}

interface Life {
  readonly core: Core;
  readonly options: CoreOptions;
  readonly steps: { readonly input: Input; readonly now: Now }[];
}

export class Node {
  readonly options: NodeOptions;
  disk: Disk = { hardState: hardStateOf(0), entries: [], snapshot: null };
  /** How far the holder clock is ahead: a machine that was suspended. */
  suspendedMs = 0;
  paused = false;
  /** Inputs that came while it was paused, oldest first. */
  waiting: Input[] = [];
  #life: Life | null = null;

  constructor(options: NodeOptions) {
    this.options = options;
  }

  get name(): string {
    return this.options.self.name;
  }

  get running(): boolean {
    return this.#life !== null;
  }

  at(nowMs: number): Now {
    return { monotonicMs: monotonicMs(nowMs), holderMs: holderMs(nowMs + this.suspendedMs) };
  }

  start(nowMs: number): void {
    assert(this.#life === null, "a node that runs is not started");
    const { hardState, entries, snapshot } = this.disk;
    const formation = { ...this.options.base, lock: [], removed: [] };
    const base = snapshot ?? formation;
    const { lock, removed } = base;
    const bootedAt = this.at(nowMs);
    const options: CoreOptions = { ...this.options, base, lock, removed, hardState, entries, bootedAt };
    this.#life = { core: new Core(options), options, steps: [] };
  }

  crash(): void {
    this.#life = null;
    this.paused = false;
    this.waiting = [];
  }

  step(input: Input, nowMs: number): Effects {
    const { core, steps } = this.#alive();
    const now = this.at(nowMs);
    steps.push({ input, now });
    const effects = core.step(input, now);
    this.disk = written(this.disk, effects);
    return effects;
  }

  view(nowMs: number): CoreView {
    return this.#alive().core.view(this.at(nowMs));
  }

  /** What it knows of the members: appended, committed, and out for good. */
  get membership(): Membership {
    const { configuration, committedConfiguration, removed } = this.#alive().core;
    return { latest: configuration, committed: committedConfiguration, removed };
  }

  /** What it would give a pod that is taken in. */
  committedState(): CoreSnapshot {
    return this.#alive().core.snapshot();
  }

  wakeAt(nowMs: number): number {
    return this.#alive().core.wakeAt(this.at(nowMs));
  }

  /** What is left of its promise, as it would tell a candidate now; asked of a copy, so that nothing changes. */
  promise(nowMs: number): { readonly remainingMs: number; readonly term: Term | null } {
    const { options, steps } = this.#alive();
    const copy = new Core(options);
    for (const { input, now } of steps) copy.step(input, now);
    const asked: Input = { kind: "message", from: memberNamed("m99"), message: voteRequest(0) };
    const answer = present(copy.step(asked, this.at(nowMs)).send[0]?.message, "a vote request is answered");
    assert(answer.kind === "voteReply", "by a vote reply");
    return { remainingMs: answer.remainingMs, term: answer.promiseTerm };
  }

  #alive(): Life {
    return present(this.#life, `${this.name} is running`);
  }
}
