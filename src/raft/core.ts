/**
 * The protocol: one step at a time, an input and the time in, ordered effects out.
 *
 * Invariant: pure and deterministic. The same options and the same steps give the same effects, byte for byte. After
 * every step the checks of invariants.ts hold.
 *
 * Deliberately absent: clocks, timers, disks, sockets, randomness, logs. The node (src/node) has them.
 */
import { assert, unreachable } from "../base/assert.ts";
import {
  type FencingToken,
  type LogIndex,
  type Member,
  type MemberId,
  type MonotonicMs,
  monotonicMs,
  type Now,
} from "../base/types.ts";
import { changeMembers, mayChange } from "./change.ts";
import { onPreVoteReply, onTimeoutNow, onVoteReply, startPreVote } from "./candidate.ts";
import type { Effects, HardState, Input } from "./effect.ts";
import { onAppendRequest, tellLeaving } from "./follower.ts";
import { checkState, checkTransition, remember } from "./invariants.ts";
import { onAppendReply, onPersisted } from "./leader.ts";
import { leaseEnd, quorumDeadline } from "./leadership.ts";
import type { Configuration, CoreSnapshot } from "./entry.ts";
import type { Message } from "./message.ts";
import { Outbox } from "./outbox.ts";
import { compactWhenDue, onInstallSnapshot, snapshotOf } from "./snapshot.ts";
import { type CoreOptions, CoreState } from "./state.ts";
import { doWhatIsDue, expire, resign, transferTarget } from "./tenure.ts";
import { type CoreView, type LockView, lockViewOf, viewOf } from "./view.ts";
import { onPreVoteRequest, onVoteRequest } from "./voting.ts";

export class Core {
  readonly #state: CoreState;
  #lastNow: Now;

  constructor(options: CoreOptions) {
    this.#state = new CoreState(options);
    this.#lastNow = options.bootedAt;
    checkState(this.#state);
  }

  /**
   * @param now read when the input is taken up, not when it arrived: an older reading would shorten promises and waits;
   * never before that of an earlier step
   */
  step(input: Input, now: Now): Effects {
    const state = this.#state;
    const before = remember(state, this.#lastNow);
    this.#lastNow = now;
    const out = new Outbox();
    expire(state, now, out);
    this.#dispatch(input, now, out);
    doWhatIsDue(state, now, out);
    compactWhenDue(state, out);
    checkState(state);
    checkTransition(before, state, now);
    return out.finish(state.hardState);
  }

  /** The next instant at which a `tick` would do something. A late tick delays, it never endangers. */
  wakeAt(now: Now): MonotonicMs {
    const { leadership, electionDeadline } = this.#state;
    if (leadership === null) return electionDeadline;
    if (leadership.transfer !== null) return leadership.transfer.deadline;
    const instants: number[] = [leadership.nextRoundAt];
    // What was still ahead at the last step and is past by now has not been acted upon yet.
    const last = this.#lastNow;
    if (leadership.tenancy.claim === null && leadership.waitUntil > last.monotonicMs)
      instants.push(leadership.waitUntil);
    for (const end of [leaseEnd(this.#state), quorumDeadline(this.#state)]) {
      if (end !== null && end > last.holderMs) instants.push(now.monotonicMs + (end - now.holderMs));
    }
    return monotonicMs(Math.min(...instants));
  }

  view(now: Now): CoreView {
    return viewOf(this.#state, now);
  }

  /** The part of `view` that an application's poll needs, without the cost of the rest. */
  lockView(now: Now): LockView {
    return lockViewOf(this.#state, now);
  }

  /** Whom a resignation at `now` would hand over to; null: nobody who is able. */
  transferTarget(to: string | null, now: Now): Member | null {
    return transferTarget(this.#state, to, now);
  }

  /** The token that a claim at this index has or had. */
  tokenOf(claim: LogIndex): FencingToken {
    return this.#state.lock.tokenOf(claim);
  }

  /** Whether the log known so far says that the tenure of this claim was released by its holder. */
  wasReleased(claim: LogIndex): boolean {
    return this.#state.lock.state.some((tenure) => tenure.claim === claim && tenure.released);
  }

  /** Everyone in the latest configuration, this node included. */
  get members(): readonly Member[] {
    return this.#state.log.members;
  }

  /** The newest configuration of the log, committed or not. */
  get configuration(): Configuration {
    return this.#state.log.configuration;
  }

  /** Whether `configuration` names this node. */
  get isMember(): boolean {
    return this.#state.isMember(this.#state.self.id);
  }

  /** Everyone votes and nobody asks to leave: there is no change to be made, unless somebody asks to come in. */
  get isSettled(): boolean {
    const { log, leadership } = this.#state;
    if (log.configuration.learners.length > 0 || leadership === null) return false;
    for (const { leaving } of leadership.progress.values()) if (leaving) return false;
    return true;
  }

  /** What has to be durable of term, vote and promise. */
  get hardState(): HardState {
    return this.#state.hardState;
  }

  /** Incarnations that are out for good, the last one first. */
  get removed(): readonly MemberId[] {
    return this.#state.removed;
  }

  /** The newest configuration that cannot be lost. */
  get committedConfiguration(): Configuration {
    return this.#state.committedConfiguration;
  }

  /** Whether a `change` would be taken up at `now`. */
  mayChange(now: Now): boolean {
    return mayChange(this.#state, now);
  }

  /** The committed state, for a member that has nothing yet. */
  snapshot(): CoreSnapshot {
    return snapshotOf(this.#state);
  }

  /** Whether a committed configuration has left this incarnation out. */
  isRemoved(id: MemberId): boolean {
    return this.#state.removed.includes(id);
  }

  #dispatch(input: Input, now: Now, out: Outbox): void {
    const state = this.#state;
    switch (input.kind) {
      case "tick":
        if (state.role !== "leader" && now.monotonicMs >= state.electionDeadline) startPreVote(state, now, out);
        return;
      case "message":
        assert(input.from.id !== state.self.id, "a node sends nothing to itself");
        return this.#receive(input.from, input.message, now, out);
      case "persisted":
        return onPersisted(state, input.index, input.term, now, out);
      case "resign":
        return resign(state, input.to, input.stopped, now, out);
      case "setEligible":
        state.eligible = input.eligible;
        return;
      case "leave":
        state.leaving = true;
        return tellLeaving(state, out);
      case "change":
        return changeMembers(state, input.change, now, out);
      default:
        unreachable(input);
    }
  }

  #receive(from: Member, message: Message, now: Now, out: Outbox): void {
    const state = this.#state;
    switch (message.kind) {
      case "preVoteRequest":
        return onPreVoteRequest(state, from, message, now, out);
      case "preVoteReply":
        return onPreVoteReply(state, from, message, now, out);
      case "voteRequest":
        return onVoteRequest(state, from, message, now, out);
      case "voteReply":
        return onVoteReply(state, from, message, now, out);
      case "appendRequest":
        return onAppendRequest(state, from, message, now, out);
      case "appendReply":
        return onAppendReply(state, from, message, now, out);
      case "installSnapshot":
        return onInstallSnapshot(state, from, message, now, out);
      case "timeoutNow":
        return onTimeoutNow(state, from, message, now, out);
      default:
        unreachable(message);
    }
  }
}
