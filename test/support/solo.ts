/**
 * One core alone: the test plays every other member, the clock and the disk.
 *
 * Invariant: nothing happens by itself. Time moves, a message arrives and a disk catches up by the test's word only, so
 * a test states each cause of what it expects.
 *
 * Deliberately absent: a network. Several cores together are a `Cluster` or a transcript.
 */
import { assert, present } from "../../src/base/assert.ts";
import type { Member, MemberId } from "../../src/base/types.ts";
import type { LockState } from "../../src/lease/register.ts";
import type { LeaseTiming } from "../../src/lease/timing.ts";
import { Core } from "../../src/raft/core.ts";
import type { CoreEvent, Effects, HardState, Input, MemberChange } from "../../src/raft/effect.ts";
import type { Configuration, CoreSnapshot, Entry } from "../../src/raft/entry.ts";
import type { LogBase } from "../../src/raft/log.ts";
import type { AppendRequest, Message } from "../../src/raft/message.ts";
import type { CoreView } from "../../src/raft/view.ts";
import { memberAt, TOKEN_BASE } from "./cluster.ts";
import { baseOf, hardStateOf, nowOf, votersOf } from "./entries.ts";
import { type AppendReplyFields, appendReply, preVoteReply, voteReply, voteRequest } from "./messages.ts";
import { TIMING } from "./timing.ts";

export interface SoloOptions {
  /** The number of voters, positions 0 …; ignored when `base` says who they are. */
  readonly voters?: number;
  readonly self?: number;
  readonly base?: LogBase;
  readonly timing?: Partial<LeaseTiming>;
  readonly priority?: number;
  readonly seed?: number;
  readonly tokenBase?: number;
  readonly lock?: LockState;
  readonly removed?: readonly MemberId[];
  readonly hardState?: HardState;
  readonly entries?: readonly Entry[];
  readonly bootedAtMs?: number;
}

export class Solo {
  readonly core: Core;
  readonly self: number;
  readonly configuration: Configuration;
  nowMs: number;
  /** What the holder clock is ahead of the other: a suspended machine. */
  suspendedMs = 0;
  hardState: HardState;
  /** As the disk has it. */
  entries: Entry[];
  /** The newest one on the disk since the start. */
  snapshot: CoreSnapshot | null = null;
  readonly #base: LogBase;
  readonly #asked = new Map<string, AppendRequest>();

  constructor(options: SoloOptions = {}) {
    this.self = options.self ?? 0;
    this.nowMs = options.bootedAtMs ?? 0;
    const base = options.base ?? baseOf(votersOf(options.voters ?? 3));
    this.#base = base;
    this.configuration = base.configuration;
    this.hardState = options.hardState ?? hardStateOf(0);
    this.entries = [...(options.entries ?? [])];
    this.core = new Core({
      self: memberAt(this.self),
      timing: { ...TIMING, ...options.timing },
      priority: options.priority ?? 0,
      seed: options.seed ?? 1,
      base,
      tokenBase: options.tokenBase ?? TOKEN_BASE,
      lock: options.lock ?? [],
      removed: options.removed ?? [],
      hardState: this.hardState,
      entries: this.entries,
      bootedAt: nowOf(this.nowMs),
    });
  }

  get view(): CoreView {
    return this.core.view(nowOf(this.nowMs, this.nowMs + this.suspendedMs));
  }

  /** The other voters, as positions. */
  get others(): readonly number[] {
    return this.configuration.voters.map(positionOf).filter((position) => position !== this.self);
  }

  /** As many of the other voters as make a majority together with this node. */
  get helpers(): readonly number[] {
    return this.others.slice(0, Math.floor(this.configuration.voters.length / 2));
  }

  at(ms: number): this {
    this.nowMs = ms;
    return this;
  }

  after(ms: number): this {
    return this.at(this.nowMs + ms);
  }

  step(input: Input): Effects {
    const effects = this.core.step(input, nowOf(this.nowMs, this.nowMs + this.suspendedMs));
    this.#persist(effects);
    for (const { to, message } of effects.send) {
      if (message.kind === "appendRequest") this.#asked.set(to.name, message);
    }
    return effects;
  }

  tick(): Effects {
    return this.step({ kind: "tick" });
  }

  receive(from: number, message: Message): Effects {
    return this.step({ kind: "message", from: memberAt(from), message });
  }

  /** The disk has caught up with all that was handed to it. */
  persisted(): Effects {
    const last = present(this.entries.at(-1), "there is an entry to report");
    return this.step({ kind: "persisted", index: last.index, term: last.term });
  }

  resign(to: number | null = null): Effects {
    return this.step({ kind: "resign", to: to === null ? null : memberAt(to).name, stopped: true });
  }

  change(change: MemberChange): Effects {
    return this.step({ kind: "change", change });
  }

  /** The last append that was sent to a member. */
  asked(position: number): AppendRequest {
    return present(this.#asked.get(memberAt(position).name), `m${position} was sent an append`);
  }

  /** That member accepts the last append that it was sent. */
  ack(position: number, fields: AppendReplyFields = {}): Effects {
    const { round, prevIndex, entries } = this.asked(position);
    const echo = { round, matchIndex: prevIndex + entries.length };
    return this.receive(position, appendReply(this.view.term, { ...echo, ...fields }));
  }

  /** As many others as needed accept what they were sent. */
  ackAll(): readonly Effects[] {
    return this.helpers.map((position) => this.ack(position));
  }

  /** Moves to the node's own wake-up, and wakes it. */
  wake(): Effects {
    this.at(Math.max(this.nowMs, this.core.wakeAt(nowOf(this.nowMs, this.nowMs + this.suspendedMs))));
    return this.tick();
  }

  /** Up to candidate of the next term. */
  campaign(): Effects {
    let effects = this.wake();
    for (const position of this.helpers) effects = this.receive(position, preVoteReply(this.view.term + 1, true));
    assert(this.view.role === "candidate" || this.helpers.length === 0, "everyone would have voted");
    return effects;
  }

  /** Up to leader of the next term, its noop on its own disk only. */
  elect(remainingMs = 0, promiseTerm: number | null = null): Effects {
    let effects = this.campaign();
    const asked = this.view.term;
    for (const position of this.helpers) {
      effects = this.receive(position, voteReply(asked, true, remainingMs, promiseTerm));
    }
    assert(this.view.role === "leader", "a majority voted");
    return effects;
  }

  /** Up to holder: elected, noop committed, claim committed. */
  hold(): this {
    this.elect();
    for (let step = 0; step < 2; step += 1) {
      this.persisted();
      this.ackAll();
    }
    assert(this.view.held !== null, "it holds");
    return this;
  }

  /** The promise as a vote reply tells it; the request is too old to change anything. */
  promise(): { readonly remainingMs: number; readonly promiseTerm: number | null } {
    assert(this.view.term > 0, "a request of term 0 is old");
    const reply = present(this.receive(this.others[0] ?? 1, voteRequest(0)).send[0]?.message, "there is a reply");
    assert(reply.kind === "voteReply" && !reply.granted, "an old request is refused");
    return { remainingMs: reply.remainingMs, promiseTerm: reply.promiseTerm };
  }

  /** A process that starts from what is on the disk now. */
  restarted(): Solo {
    const { self, nowMs, hardState, entries, snapshot } = this;
    const start = snapshot ?? { lock: [], removed: [] };
    const base = snapshot ?? this.#base;
    return new Solo({ ...start, base, self, hardState, entries, bootedAtMs: nowMs });
  }

  #persist({ persist, snapshot }: Effects): void {
    if (persist !== null) {
      if (persist.hardState !== undefined) this.hardState = persist.hardState;
      const after = persist.truncateAfter;
      if (after !== undefined) this.entries = this.entries.filter((entry) => entry.index <= after);
      this.entries.push(...persist.entries);
    }
    if (snapshot === null) return;
    this.entries = entriesBehind(this.entries, snapshot);
    this.snapshot = snapshot;
  }
}

/** Raft paper, figure 13, step 6: entries stay only behind the snapshot's own last one. */
export function entriesBehind(entries: readonly Entry[], { index, term }: CoreSnapshot): Entry[] {
  const known = entries.find((entry) => entry.index === index)?.term;
  return known === term ? entries.filter((entry) => entry.index > index) : [];
}

export function positionOf(member: Member): number {
  return Number(member.name.slice(1));
}

/** What was sent to a member, in order. */
export function sentTo(effects: Effects, position: number): readonly Message[] {
  return effects.send.filter(({ to }) => positionOf(to) === position).map(({ message }) => message);
}

/** What was sent of one kind, to anyone, in order. */
export function sent<K extends Message["kind"]>(effects: Effects, kind: K): readonly Extract<Message, { kind: K }>[] {
  return effects.send.flatMap(({ message }) => (isOf(message, kind) ? [message] : []));
}

/** The one message of that kind that was sent. */
export function only<K extends Message["kind"]>(effects: Effects, kind: K): Extract<Message, { kind: K }> {
  const all = sent(effects, kind);
  assert(all.length === 1, `exactly one ${kind} was sent, not ${all.length}`);
  return present(all[0], "there is one");
}

export function eventsOf<K extends CoreEvent["kind"]>(
  effects: Effects | readonly Effects[],
  kind: K,
): readonly Extract<CoreEvent, { kind: K }>[] {
  const all = "events" in effects ? [effects] : effects;
  return all.flatMap(({ events }) => events.flatMap((event) => (isOf(event, kind) ? [event] : [])));
}

function isOf<T extends { readonly kind: string }, K extends T["kind"]>(
  value: T,
  kind: K,
): value is Extract<T, { kind: K }> {
  return value.kind === kind;
}
