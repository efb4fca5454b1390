/**
 * The door of a group: who asked to be taken in, and who is told that it was, or that it is out.
 *
 * Invariant: only a leader takes in, and says so only once a *committed* configuration names the asker; whoever is out
 * is told so by any member that knows. An asker that is not heard again is forgotten.
 *
 * Deliberately absent: the decision whom to take (src/node/membership.ts) and the change itself (src/raft/change.ts).
 */
import { MAX_MEMBERS } from "../base/limits.ts";
import type { Member, MemberId, MonotonicMs, Now } from "../base/types.ts";
import type { LeaseTiming } from "../lease/timing.ts";
import type { IntroductoryMessage } from "../ports/transport.ts";
import type { Core } from "../raft/core.ts";
import type { MemberChange } from "../raft/effect.ts";
import { type CoreSnapshot, isMemberOf } from "../raft/entry.ts";
import { nextChange } from "./membership.ts";

/** A request older than this counts no more; askers repeat it several times as often. */
const JOIN_FRESH_MS = 1_500;
/** Above so many members a leader has hundreds of steps a second, and looks at the members after some of them only. */
const SMALL_GROUP = 10;

export interface AdmissionOptions {
  readonly core: Core;
  readonly self: Member;
  readonly timing: LeaseTiming;
  readonly groupId: string;
  readonly welcome: (snapshot: CoreSnapshot) => IntroductoryMessage;
  readonly sendTo: (name: string, message: IntroductoryMessage) => void;
}

export class Admission {
  readonly #options: AdmissionOptions;
  /** By name: of two pods with one name only the last asker is in the running. */
  readonly #asked = new Map<string, { readonly member: Member; readonly atMs: number }>();
  /** When this leader added them: before that nobody can have been silent. The last MAX_MEMBERS. */
  readonly #addedAt = new Map<MemberId, MonotonicMs>();
  /** Nothing is looked at before this instant. */
  #lookAtMs = 0;
  #proposed: { readonly change: MemberChange; readonly lastIndex: number } | null = null;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  asked(from: Member, now: Now): void {
    const { core } = this.#options;
    if (core.isRemoved(from.id)) return this.turnAway(from);
    if (core.lockView(now).role !== "leader") return;
    if (this.#isCommitted(from.id)) return this.#welcome(from);
    this.#lookAtMs = now.monotonicMs;
    this.#asked.delete(from.name);
    if (this.#asked.size < MAX_MEMBERS) this.#asked.set(from.name, { member: from, atMs: now.monotonicMs });
  }

  /** Says so to an incarnation that a committed configuration has left out. */
  turnAway(from: Member): void {
    const { groupId, sendTo } = this.#options;
    sendTo(from.name, { kind: "removed", groupId, member: from.id });
  }

  /** After each step of a leader: those who are in by now are told, and the next change is proposed. */
  next(now: Now): MemberChange | null {
    const { core, self, timing } = this.#options;
    // The usual case, after every heartbeat.
    if (this.#asked.size === 0 && core.isSettled) return null;
    this.#forget(now);
    for (const { member } of this.#asked.values()) {
      if (!this.#isCommitted(member.id)) continue;
      this.#asked.delete(member.name);
      this.#welcome(member);
    }
    if (now.monotonicMs < this.#lookAtMs || !core.mayChange(now)) return null;
    const members = core.members;
    const joiners = [...this.#asked.values()]
      .map(({ member }) => member)
      .filter(({ id }) => !core.isRemoved(id) && members.every((known) => known.id !== id));
    const view = core.view(now);
    const change = nextChange({ view, self, timing, joiners, addedAt: this.#addedAt, now });
    if (change !== null && !this.#isRepeated(change, view.lastIndex)) {
      if (change.kind === "addLearner") this.#added(change.member.id, now.monotonicMs);
      return change;
    }
    const isSmall = core.members.length <= SMALL_GROUP;
    this.#lookAtMs = now.monotonicMs + (isSmall ? 0 : timing.heartbeatIntervalMs / 8);
    return null;
  }

  /** A change that led to no entry would lead to none again: it must not keep the node busy. */
  #isRepeated(change: MemberChange, lastIndex: number): boolean {
    const { id } = change.kind === "addLearner" ? change.member : change;
    const last = this.#proposed;
    const lastId = last?.change.kind === "addLearner" ? last.change.member.id : last?.change.id;
    const isRepeated = last?.lastIndex === lastIndex && last.change.kind === change.kind && lastId === id;
    this.#proposed = { change, lastIndex };
    return isRepeated;
  }

  #added(id: MemberId, at: MonotonicMs): void {
    this.#addedAt.delete(id);
    const [oldest] = this.#addedAt.keys();
    if (this.#addedAt.size >= MAX_MEMBERS && oldest !== undefined) this.#addedAt.delete(oldest);
    this.#addedAt.set(id, at);
  }

  #welcome(member: Member): void {
    const { core, sendTo, welcome } = this.#options;
    sendTo(member.name, welcome(core.snapshot()));
  }

  #isCommitted(id: MemberId): boolean {
    return isMemberOf(this.#options.core.committedConfiguration, id);
  }

  #forget(now: Now): void {
    for (const [name, { atMs }] of this.#asked) {
      if (now.monotonicMs - atMs > JOIN_FRESH_MS) this.#asked.delete(name);
    }
  }
}
