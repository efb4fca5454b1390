/**
 * Everything the core knows, in one place, and the few moves that keep it consistent.
 *
 * Invariant: see invariants.ts, which checks this state after every step. `leadership` is present exactly while the
 * role is leader; it goes with the role, so that nothing of a lease survives a step-down (yugabyte-db#18121).
 *
 * Deliberately absent: the rules. They live in the file of the role or message they belong to.
 */
import { assert } from "../base/assert.ts";
import {
  type LogIndex,
  type Member,
  type MemberId,
  type MonotonicMs,
  monotonicMs,
  type Now,
  type Term,
} from "../base/types.ts";
import type { HolderLease } from "../lease/holder-lease.ts";
import { VoterPromise } from "../lease/promise.ts";
import { LockRegister, type LockState } from "../lease/register.ts";
import type { Tenancy } from "../lease/tenancy.ts";
import { type LeaseTiming, usableLeaseMs } from "../lease/timing.ts";
import type { HardState, Role } from "./effect.ts";
import type { Configuration, Entry } from "./entry.ts";
import { type LogBase, RaftLog } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import { Dice } from "./random.ts";

export interface CoreOptions {
  readonly self: Member;
  readonly timing: LeaseTiming;
  /** Orders candidates inside the election window; larger first. 0 to 100. */
  readonly priority: number;
  /** For election timeouts; any 32-bit integer. */
  readonly seed: number;
  readonly base: LogBase;
  readonly tokenBase: number;
  readonly lock: LockState;
  /** As the snapshot has it. */
  readonly removed: readonly MemberId[];
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
  readonly bootedAt: Now;
}

/** What the leader knows of another member. */
export interface Progress {
  readonly member: Member;
  /** The last index known to be on its disk and equal to ours. */
  match: LogIndex;
  next: LogIndex;
  /** The last index sent since; an ack of less than this is not answered with the same entries again. */
  sent: LogIndex;
  heardAt: MonotonicMs | null;
  eligible: boolean;
  priority: number;
  leaving: boolean;
}

export interface Transfer {
  readonly target: Member;
  readonly deadline: MonotonicMs;
}

export interface Leadership {
  readonly electedAt: Now;
  /** L5: no claim before it. */
  readonly waitUntil: MonotonicMs;
  readonly noop: LogIndex;
  /** The last of our own entries that is durable. */
  persisted: LogIndex;
  readonly progress: Map<MemberId, Progress>;
  readonly lease: HolderLease;
  readonly tenancy: Tenancy;
  nextRoundAt: MonotonicMs;
  transfer: Transfer | null;
}

/** One campaign: who granted, and until when their promises must be waited out. */
export interface Campaign {
  readonly granted: Map<MemberId, MonotonicMs>;
  readonly refused: Set<MemberId>;
  /** L7 (4): the term whose promises count as nothing; null without a certificate. */
  readonly certificate: Term | null;
}

export class CoreState {
  readonly self: Member;
  readonly timing: LeaseTiming;
  readonly priority: number;
  readonly dice: Dice;
  readonly log: RaftLog;
  readonly lock: LockRegister;
  readonly promise: VoterPromise;
  readonly bootedAt: Now;

  term: Term;
  votedFor: MemberId | null;
  largestPromiseMs: number;
  role: Role = "follower";
  leader: MemberId | null = null;
  commitIndex: LogIndex;
  /** The newest configuration up to `commitIndex`. */
  committedConfiguration: Configuration;
  /** Incarnations that a committed configuration has left out, the last one first; replicated. */
  removed: readonly MemberId[];
  eligible = true;
  /** Asks to be removed. */
  leaving = false;

  /** When this node begins its next PreVote, if it may. */
  electionDeadline: MonotonicMs;
  /** The last append of a current leader, accepted or not. */
  lastAppendAt: MonotonicMs | null = null;
  /** D of the leader last heard: it shapes this node's own patience. */
  leaderLeaseMs: number;
  /** PreVotes begun since a leader was last heard. */
  attempts = 0;
  /** The claim under which the leader said it holds, and until when that can be believed. */
  leaderHolding: { readonly claim: LogIndex; readonly until: MonotonicMs } | null = null;
  campaign: Campaign | null = null;
  leadership: Leadership | null = null;

  constructor(options: CoreOptions) {
    this.self = options.self;
    this.timing = options.timing;
    this.priority = options.priority;
    this.dice = new Dice(options.seed);
    this.log = new RaftLog(options.base, options.entries);
    this.lock = new LockRegister(options.tokenBase, options.lock);
    this.promise = new VoterPromise(options.bootedAt.monotonicMs, options.hardState.largestPromiseMs);
    this.bootedAt = options.bootedAt;
    // A node that has just joined has a snapshot of a term in which it has never voted.
    const behind = options.hardState.term < options.base.term;
    this.term = behind ? options.base.term : options.hardState.term;
    this.votedFor = behind ? null : options.hardState.votedFor;
    this.largestPromiseMs = options.hardState.largestPromiseMs;
    this.commitIndex = options.base.index;
    this.committedConfiguration = options.base.configuration;
    this.removed = options.removed;
    this.leaderLeaseMs = options.timing.leaseDurationMs;
    assert(this.log.lastTerm <= this.term, "no entry is newer than the current term");
    // Nobody has promised anything to anybody in a new group, so its first election need not wait for U.
    const patience = this.largestPromiseMs === 0 ? 0 : this.patienceMs;
    this.electionDeadline = this.drawFirstTry(options.bootedAt.monotonicMs, patience);
  }

  get voters(): readonly Member[] {
    return this.log.configuration.voters;
  }

  get voterIds(): readonly MemberId[] {
    return this.log.voterIds;
  }

  isMember(id: MemberId): boolean {
    return this.log.hasMember(id);
  }

  isVoter(id: MemberId): boolean {
    return this.voters.some((voter) => voter.id === id);
  }

  get hardState(): HardState {
    return { term: this.term, votedFor: this.votedFor, largestPromiseMs: this.largestPromiseMs };
  }

  /** U of the leader last heard, in ms: within it a follower neither campaigns nor grants a PreVote. */
  get patienceMs(): number {
    return usableLeaseMs(this.leaderLeaseMs, this.timing.clockDrift);
  }

  /** `from` + `delayMs` + a random part of the election window: the first try, inside the drift margin. */
  drawFirstTry(from: MonotonicMs, delayMs: number): MonotonicMs {
    return monotonicMs(from + delayMs + this.dice.next() * (this.leaderLeaseMs - this.patienceMs));
  }

  /** A try that follows one that failed or another's: `delayMs`, then a random part of the wide spread. */
  drawNextTry(from: MonotonicMs, delayMs: number): MonotonicMs {
    return this.drawSoon(monotonicMs(from + delayMs));
  }

  /** A random instant soon after `from`; spread wider than the network is slow even where the drift bound is small. */
  drawSoon(from: MonotonicMs): MonotonicMs {
    const spreadMs = Math.max(this.leaderLeaseMs - this.patienceMs, this.leaderLeaseMs / 8);
    return monotonicMs(from + this.dice.next() * spreadMs);
  }

  /**
   * When a leader was last heard, or may have been: a node that has just restarted does not remember, and must not help
   * to depose a leader that it would hear a moment later. Null: never.
   */
  get leaderHeardAt(): MonotonicMs | null {
    const { lastAppendAt, bootedAt, largestPromiseMs } = this;
    return lastAppendAt ?? (largestPromiseMs > 0 ? bootedAt.monotonicMs : null);
  }

  /** L2, L3: promises D to the leader of `term`; a D above all before is persisted with this step. */
  makePromise(now: Now, leaseDurationMs: number, term: Term, out: Outbox): void {
    this.promise.make(now.monotonicMs, leaseDurationMs, term);
    if (leaseDurationMs > this.largestPromiseMs) {
      this.largestPromiseMs = leaseDurationMs;
      out.hardStateChanged();
    }
  }

  setLeader(leader: MemberId | null, out: Outbox): void {
    if (this.leader === leader) return;
    this.leader = leader;
    out.event({ kind: "leaderChanged", leader, term: this.term });
  }

  setRole(role: Role, out: Outbox): void {
    if (this.role === role) return;
    this.role = role;
    out.event({ kind: "roleChanged", role, term: this.term });
  }
}

/**
 * Steps down, or stays a follower, in `term` (Raft paper, 5.1). A vote given in the same term is kept: erasing it
 * would allow a second one (redpanda#14).
 */
export function becomeFollower(state: CoreState, term: Term, leader: MemberId | null, now: Now, out: Outbox): void {
  assert(term >= state.term, "terms never fall");
  endUnwonCampaign(state, out);
  loseLeadership(state, now, out);
  if (term > state.term) {
    state.term = term;
    state.votedFor = null;
    state.leaderHolding = null;
    out.hardStateChanged();
  }
  state.campaign = null;
  state.setRole("follower", out);
  state.setLeader(leader, out);
}

/** Tells of a campaign that ends without a win: a PreVote costs no term, a vote does. */
export function endUnwonCampaign(state: CoreState, out: Outbox): void {
  if (state.role === "preCandidate") out.event({ kind: "electionEnded", outcome: "refused", term: state.term });
  if (state.role === "candidate") out.event({ kind: "electionEnded", outcome: "lost", term: state.term });
}

function loseLeadership(state: CoreState, now: Now, out: Outbox): void {
  const { leadership } = state;
  if (leadership === null) return;
  const { claim, held } = leadership.tenancy;
  if (claim !== null && held) out.event({ kind: "lapsed", claim, term: state.term });
  state.electionDeadline = state.drawNextTry(now.monotonicMs, state.timing.heartbeatIntervalMs);
  state.leadership = null;
}
