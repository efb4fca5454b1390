/**
 * The application's side of a node (src/ports/application.ts).
 *
 * Invariant: every answer is made from the clocks at the moment of the call. The change counter rises whenever two
 * answers in a row differ in anything but the time that is left. It begins with the milliseconds since 2025-01-01, so
 * that an index of an earlier life of this process is below all of this one, unless the wall clock was set back.
 *
 * Deliberately absent: HTTP.
 */
import { term } from "../base/types.ts";
import type { Application, ClusterAnswer, HistoryAnswer, LeaderAnswer } from "../ports/application.ts";
import type { NodeSample } from "../ports/observer.ts";
import { allMembers } from "../raft/entry.ts";
import { notHolder, type Standing } from "./answer.ts";
import { historyOf, membersOf, rivalry, troubleOf, waitsFor } from "./cluster-view.ts";
import type { TenureNode } from "./node.ts";

const MS_PER_SECOND = 1_000;

/** A disk that has not finished one sync for this long is as good as dead: the liveness probe fails. */
const STUCK_SYNC_MS = 30_000;

export class NodeApplication implements Application {
  readonly #node: TenureNode;
  readonly #startedAtMs: number;
  readonly #listeners = new Set<() => void>();
  #last: Standing | null = null;
  #index: number;
  #telling = false;
  #ready = false;

  constructor(node: TenureNode) {
    this.#node = node;
    this.#startedAtMs = node.options.clock.monotonic();
    this.#index = Math.max(0, Math.floor(node.options.clock.wallSeconds() * MS_PER_SECOND));
    node.onChange(() => void this.#standing());
  }

  leader(): LeaderAnswer {
    const { name, group, clock } = this.#node.options;
    const standing = this.#standing();
    const { deadline } = standing;
    return {
      isLeader: standing.isLeader,
      name: standing.name,
      self: name,
      group,
      token: standing.token,
      term: standing.term,
      remainingMs: standing.remainingMs,
      deadlineMonotonicNs: deadline === null ? null : clock.toMonotonicNs(deadline).toString(),
      reason: standing.reason,
      index: this.#index,
    };
  }

  ready(): boolean {
    this.#ready ||= this.#node.group !== null;
    return this.#ready;
  }

  /** False when the disk hangs: the container is then better restarted. */
  live(): boolean {
    const { group, options } = this.#node;
    return group === null || group.syncingMs(options.clock.now()) < STUCK_SYNC_MS;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async resign(to: string | null): Promise<void> {
    const { group } = this.#node;
    if (group === null) throw notHolder(null);
    await group.resign(to);
  }

  async transfer(to: string | null): Promise<void> {
    const { group } = this.#node;
    if (group === null) throw notHolder(null);
    await group.transfer(to);
  }

  init(): Promise<void> {
    return this.#node.init();
  }

  rescue(confirm: string, lost: readonly string[]): Promise<void> {
    return this.#node.rescue(confirm, lost);
  }

  async setEligible(eligible: boolean): Promise<void> {
    const { group } = this.#node;
    if (group === null) this.#node.eligibleAtStart(eligible);
    else await group.setEligible(eligible);
  }

  eligible(): boolean {
    return this.#node.eligible;
  }

  cluster(): ClusterAnswer {
    const { name, group: groupName, clock, timing, version } = this.#node.options;
    const { group, groupId, tokenBase, peers, self } = this.#node;
    const base = { group: groupName, groupId, self: name, tokenBase, leaseDurationMs: timing.leaseDurationMs };
    if (group === null || self === null) {
      const trouble = waitsFor(this.#node.outsider, this.#node.silent);
      const nobody = { leader: null, holder: null, holderForMs: null, commitIndex: 0, lastIndex: 0, members: [] };
      return { ...base, ...nobody, term: term(0), trouble };
    }
    const now = clock.now();
    const view = group.view(now);
    const isConnected = (member: typeof self): boolean => this.#node.peers.isConnected(member.name, member.id);
    const members = membersOf(view, { self, version, contacts: peers.contacts, isConnected }, group.eligible, now);
    const noLeader = view.leader === null || group.standing(now).reason === "no-quorum";
    return {
      ...base,
      term: view.term,
      leader: members.find((member) => member.id === view.leader)?.name ?? null,
      holder: view.current?.holder.name ?? null,
      holderForMs: group.holderForMs(now),
      commitIndex: view.commitIndex,
      lastIndex: view.lastIndex,
      trouble: rivalry(this.#node.rivals) ?? troubleOf(members, noLeader, this.#node.emptied),
      members,
    };
  }

  history(): HistoryAnswer {
    const { options, group } = this.#node;
    const tenures = group === null ? [] : historyOf(group.view(options.clock.now()));
    return { group: options.group, tenures };
  }

  /** What a scrape reads. */
  sample(): NodeSample {
    const { clock } = this.#node.options;
    const { group, self } = this.#node;
    const now = clock.now();
    const standing = this.#standing();
    const view = group?.view(now) ?? null;
    const configuration = view?.configuration ?? { voters: [], learners: [] };
    const others = allMembers(configuration).filter((member) => member.id !== self?.id);
    const learns = configuration.learners.some((member) => member.id === self?.id);
    return {
      isLeader: standing.isLeader,
      token: standing.token ?? 0,
      leaseRemainingMs: standing.remainingMs,
      term: standing.term,
      role: view === null ? "none" : learns ? "learner" : view.role,
      commitIndex: view?.commitIndex ?? 0,
      lastIndex: view?.lastIndex ?? 0,
      members: { voter: configuration.voters.length, learner: configuration.learners.length },
      peers: others
        .filter(({ id }) => !learns || configuration.voters.some((voter) => voter.id === id))
        .map(({ name, id }) => ({ name, connected: this.#node.peers.isConnected(name, id) })),
      leaderlessMs: group?.leaderlessMs(now) ?? now.monotonicMs - this.#startedAtMs,
      eligible: this.eligible(),
      draining: group?.draining ?? false,
    };
  }

  #standing(): Standing {
    const { group, outsider, options } = this.#node;
    const standing = group === null ? withoutGroup(outsider) : group.standing(options.clock.now());
    const last = this.#last;
    const same =
      last !== null &&
      last.isLeader === standing.isLeader &&
      last.name === standing.name &&
      last.token === standing.token &&
      last.term === standing.term &&
      last.reason === standing.reason;
    this.#last = standing;
    if (!same) this.#index += 1;
    if (!same && last !== null) this.#tellSoon();
    return standing;
  }

  /**
   * Whoever sees a change first, a poll or a scrape perhaps, everyone who waits for one is told; and not from within,
   * so that an answer and its index belong together.
   */
  #tellSoon(): void {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

function withoutGroup(outsider: boolean): Standing {
  const reason = outsider ? "joining" : "starting";
  return { isLeader: false, name: null, token: null, term: term(0), remainingMs: 0, deadline: null, reason };
}
