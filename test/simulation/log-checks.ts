/**
 * The replicated log, as the Raft paper promises it (figure 3), and what must be on a disk before it is said.
 *
 * Invariant: what was once committed is remembered for ever, whatever becomes of those who committed it, and of the
 * logs that had it: a snapshot stands for everything up to it.
 *
 * Deliberately absent: the meaning of entries.
 */
import type { MemberId, Term } from "../../src/base/types.ts";
import type { Snapshot } from "../../src/ports/storage.ts";
import { MAX_REMOVED } from "../../src/base/limits.ts";
import { majoritySize } from "../../src/lease/majority.ts";
import type { Configuration, Entry, Member } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";
import { type Append, isAppend } from "./appends.ts";
import type { Observed, Scene } from "./checks.ts";
import type { Life } from "./life.ts";
import type { Machine } from "./machine.ts";
import type { Mirror } from "./mirror.ts";
import { check } from "./violation.ts";
import { canGoOn } from "./whole.ts";

interface Known {
  readonly entry: Entry;
  readonly previousTerm: number | null;
}

interface Committed {
  readonly entry: Entry;
  /** The term of the leader that committed it. */
  readonly inTerm: Term;
}

/** The one log of one group. */
class GroupLog {
  readonly known = new Map<Term, Map<number, Known>>();
  /** From the entry behind `base` on. */
  readonly committed: Committed[] = [];
  /** What it starts from: index 0, or the first snapshot after a rescue. Null until somebody has told. */
  base: Snapshot | null = null;
  /** Whoever was in a committed configuration. */
  readonly everyone = new Set<MemberId>();

  /** It is committed. */
  configure(configuration: Configuration): void {
    for (const { id } of [...configuration.voters, ...configuration.learners]) this.everyone.add(id);
  }

  get baseIndex(): number {
    return this.base?.index ?? 0;
  }

  get lastIndex(): number {
    return this.baseIndex + this.committed.length;
  }

  at(index: number): Committed | undefined {
    return this.committed[index - this.baseIndex - 1];
  }
}

export class LogChecks {
  readonly #scene: Scene;
  readonly #groups = new Map<string, GroupLog>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get committed(): number {
    return [...this.#groups.values()].reduce((sum, { committed }) => sum + committed.length, 0);
  }

  stepped(life: Life, { effects, before, view }: Observed): void {
    const { mirror } = life;
    if (mirror === null) return;
    const log = this.#logOf(life.groupId);
    const { position } = life.machine;
    for (const entry of effects.persist?.entries ?? []) checkMatching(log, position, mirror, entry);
    const leads = view.role === "leader";
    if (leads && (before?.role !== "leader" || before.term !== view.term)) {
      checkCompleteness(log, position, mirror, view.term);
    }
    const last = effects.apply.at(-1);
    check(
      !leads || last === undefined || last.term === view.term,
      "figure 8",
      () => `n${position} leads t${view.term} and commits ${last?.index} of t${last?.term} by counting`,
    );
    for (const entry of effects.apply) {
      this.#checkCommit(log, position, entry, leads ? view.term : null, view.configuration.voters);
    }
  }

  /** An acknowledgement speaks of what is on the disk: the entries, and the largest D (L2 and L3). */
  sends({ machine }: Life, message: Message, dueTo: Append | null): void {
    const { disk, position } = machine;
    const promisesMs = promiseOf(message, dueTo);
    check(
      disk.hardState.largestPromiseMs >= promisesMs,
      "durability",
      () => `n${position} promises ${promisesMs} ms, its disk knows of ${disk.hardState.largestPromiseMs} ms`,
    );
    if (message.kind !== "appendReply" || !message.accepted || disk.hardState.term > message.term) return;
    check(
      disk.lastIndex >= message.matchIndex,
      "durability",
      () => `n${position} acknowledges ${message.matchIndex}, its disk ends at ${disk.lastIndex}`,
    );
  }

  /** What the log of a group starts from. */
  begin(snapshot: Snapshot): void {
    const log = this.#logOf(snapshot.groupId);
    if (log.base !== null) return;
    log.base = snapshot;
    log.configure(snapshot.configuration);
    for (const id of snapshot.removed) log.everyone.add(id);
  }

  /**
   * The last configuration that a leader of `term` must know: it was committed in that term or before it. One that has
   * been replaced unawares may go on from there; what it appends is never committed.
   */
  committedConfiguration(groupId: string, term: Term): Configuration | null {
    const log = this.#groups.get(groupId);
    if (log === undefined) return null;
    const known = log.committed.filter(({ inTerm }) => inTerm <= term).flatMap(({ entry }) => configurationIn(entry));
    return known.at(-1) ?? log.base?.configuration ?? null;
  }

  wasMember(groupId: string, id: MemberId): boolean {
    return this.#groups.get(groupId)?.everyone.has(id) ?? false;
  }

  /** A snapshot says what the entries that it stands for have led to, and nothing that could still be lost. */
  savedSnapshot({ machine, rescuing }: Life, snapshot: Snapshot): void {
    const { position } = machine;
    const { index, term, configuration, tokenBase, lock, removed } = snapshot;
    const isRescue = rescuing !== null && rescuing !== snapshot.groupId && !this.#groups.has(snapshot.groupId);
    if (isRescue) this.#checkRescue(machine, rescuing, snapshot);
    if (index === 0 || isRescue) this.begin(snapshot);
    const log = this.#logOf(snapshot.groupId);
    const { base } = log;
    check(tokenBase === base?.tokenBase, "snapshot", () => `n${position} saves token base ${tokenBase}`);
    if (base === null || index === base.index) return;
    const last = log.at(index)?.entry;
    check(
      last?.term === term,
      "snapshot",
      () => `n${position} saves ${index} of t${term}, committed is t${last?.term}`,
    );
    const before = log.committed.slice(0, index - base.index).map(({ entry }) => entry);
    const configurations = [base.configuration, ...before.flatMap(configurationIn)];
    check(
      JSON.stringify(configuration) === JSON.stringify(configurations.at(-1)),
      "snapshot",
      () => `n${position} saves a configuration at ${index} that is not the committed one`,
    );
    check(
      JSON.stringify(removed) === JSON.stringify(removedBy(configurations, base.removed)),
      "snapshot",
      () => `n${position} saves ${removed.length} removed incarnations at ${index}, and not those that were removed`,
    );
    const claim = before.findLast((entry) => entry.kind === "claim");
    const token = claim === undefined ? base.lock[0]?.token : tokenBase + claim.index;
    check(
      lock[0]?.token === token,
      "snapshot",
      () => `n${position} saves a lock with token ${lock[0]?.token}, the last claim up to ${index} has ${token}`,
    );
  }

  /** A group that could go on without this node must not be given up, and its tokens are not given again. */
  #checkRescue({ position, disk }: Machine, old: string, snapshot: Snapshot): void {
    const { members } = this.#scene;
    const goesOn = canGoOn(members, old, disk.identity?.id ?? null);
    check(!goesOn, "rescue", () => `n${position} gives up a group that can go on without it`);
    const log = this.#logOf(old);
    const lastToken = (log.base?.tokenBase ?? 0) + log.lastIndex;
    check(
      snapshot.tokenBase > lastToken,
      "rescue",
      () => `n${position} begins again at token ${snapshot.tokenBase}, the old group can have given ${lastToken}`,
    );
    members.givenUp.add(old);
  }

  /** State Machine Safety; and a leader commits only what a majority has on its disks. */
  #checkCommit(
    log: GroupLog,
    position: number,
    entry: Entry,
    leaderTerm: Term | null,
    voters: readonly Member[],
  ): void {
    const known = log.at(entry.index);
    if (known !== undefined) {
      check(
        known.entry.term === entry.term && known.entry.kind === entry.kind,
        "committed prefix",
        () =>
          `n${position} applies ${entry.kind} of t${entry.term} at ${entry.index}, ` +
          `where ${known.entry.kind} of t${known.entry.term} was committed`,
      );
      return;
    }
    check(
      leaderTerm !== null && entry.index === log.lastIndex + 1,
      "committed prefix",
      () => `n${position} applies ${entry.index}, which no leader has committed`,
    );
    const durable = voters.filter(({ id }) => this.#isDurable(id, entry));
    check(
      durable.length >= majoritySize(voters.length),
      "durability",
      () => `n${position} commits ${entry.index}, which is on ${durable.length} of ${voters.length} disks`,
    );
    if (leaderTerm !== null) log.committed.push({ entry, inTerm: leaderTerm });
    if (entry.kind === "config") log.configure(entry.configuration);
  }

  /** A disk that was emptied since still counts: who acknowledged from it is dead for good. */
  #isDurable(id: MemberId, { index, term }: Entry): boolean {
    const disk = this.#scene.members.of(id)?.disk;
    return disk !== undefined && (index <= disk.baseIndex || disk.termAt(index) === term);
  }

  #logOf(groupId: string): GroupLog {
    let log = this.#groups.get(groupId);
    if (log === undefined) this.#groups.set(groupId, (log = new GroupLog()));
    return log;
  }
}

function configurationIn(entry: Entry): readonly Configuration[] {
  return entry.kind === "config" ? [entry.configuration] : [];
}

/** Whom each of them has left out, the last one first. */
function removedBy(configurations: readonly Configuration[], before: readonly MemberId[]): readonly MemberId[] {
  const idsOf = ({ voters, learners }: Configuration): readonly MemberId[] =>
    [...voters, ...learners].map(({ id }) => id);
  let removed = before;
  for (const [at, configuration] of configurations.entries()) {
    const next = configurations[at + 1];
    if (next === undefined) break;
    const stay = idsOf(next);
    removed = [...idsOf(configuration).filter((id) => !stay.includes(id)), ...removed].slice(0, MAX_REMOVED);
  }
  return removed;
}

function promiseOf(message: Message, dueTo: Append | null): number {
  if (isAppend(message)) return message.leaseDurationMs;
  if (message.kind !== "appendReply" || !message.accepted) return 0;
  return dueTo?.leaseDurationMs ?? 0;
}

/** Log Matching: same index and term, same entry and same entry before it; so by induction the same log. */
function checkMatching(log: GroupLog, position: number, mirror: Mirror, entry: Entry): void {
  // In a step that cuts and appends, the log in memory is already the new one.
  const previousTerm = mirror.termAt(entry.index - 1);
  let ofTerm = log.known.get(entry.term);
  if (ofTerm === undefined) log.known.set(entry.term, (ofTerm = new Map<number, Known>()));
  const known = ofTerm.get(entry.index);
  if (known === undefined) {
    ofTerm.set(entry.index, { entry, previousTerm });
    return;
  }
  const same = known.entry === entry || JSON.stringify(known.entry) === JSON.stringify(entry);
  check(
    same && (known.previousTerm === previousTerm || previousTerm === null || known.previousTerm === null),
    "log matching",
    () => `n${position} has another entry at index ${entry.index} of t${entry.term}`,
  );
}

/**
 * Leader Completeness: whoever leads has everything that leaders of earlier terms committed. As logs match, it is
 * enough to look for the last of it.
 */
function checkCompleteness({ committed }: GroupLog, position: number, mirror: Mirror, term: Term): void {
  const last = committed.findLast(({ inTerm }) => inTerm < term);
  if (last === undefined) return;
  const { entry } = last;
  const found = mirror.termAt(entry.index);
  check(
    found === entry.term || (found === null && entry.index < mirror.lastIndex),
    "leader completeness",
    () => `n${position} leads t${term} without ${entry.kind} ${entry.index} of t${entry.term}`,
  );
}
