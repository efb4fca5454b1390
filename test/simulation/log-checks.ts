/**
 * The replicated log, as the Raft paper promises it (figure 3), and what must be on a disk before it is said.
 *
 * Invariant: what was once committed is remembered for ever, whatever becomes of those who committed it.
 *
 * Deliberately absent: the meaning of entries.
 */
import type { Term } from "../../src/base/types.ts";
import { majoritySize } from "../../src/lease/majority.ts";
import type { Input, Outgoing } from "../../src/raft/effect.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { Observed, Scene } from "./checks.ts";
import type { Replica } from "./replica.ts";
import { check } from "./violation.ts";

interface Known {
  readonly entry: Entry;
  readonly previousTerm: number;
}

interface Committed {
  readonly entry: Entry;
  /** The term of the leader that committed it. */
  readonly inTerm: Term;
}

export class LogChecks {
  readonly #scene: Scene;
  readonly #known = new Map<string, Known>();
  readonly #committed: Committed[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get committed(): number {
    return this.#committed.length;
  }

  stepped(replica: Replica, { effects, before, view }: Observed): void {
    for (const entry of effects.persist?.entries ?? []) this.#checkMatching(replica, entry);
    const leads = view.role === "leader";
    if (leads && (before?.role !== "leader" || before.term !== view.term)) this.#checkCompleteness(replica, view.term);
    const last = effects.apply.at(-1);
    check(
      !leads || last === undefined || last.term === view.term,
      "figure 8",
      () => `n${replica.position} leads t${view.term} and commits ${last?.index} of t${last?.term} by counting`,
    );
    for (const entry of effects.apply) this.#checkCommit(replica, entry, leads ? view.term : null);
  }

  /** An acknowledgement speaks of what is on the disk: the entries, and the largest D (L2 and L3). */
  sends(replica: Replica, { message }: Outgoing, dueTo: Input): void {
    const { disk, position } = replica;
    const promisesMs =
      message.kind === "appendRequest"
        ? message.leaseDurationMs
        : message.kind === "appendReply" &&
            message.accepted &&
            dueTo.kind === "message" &&
            dueTo.message.kind === "appendRequest"
          ? dueTo.message.leaseDurationMs
          : 0;
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

  /** Log Matching: same index and term, same entry and same entry before it; so by induction the same log. */
  #checkMatching(replica: Replica, entry: Entry): void {
    // In a step that cuts and appends, the log in memory is already the new one.
    const previousTerm = replica.memory[entry.index - 2]?.term ?? 0;
    const key = `${entry.term}/${entry.index}`;
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { entry, previousTerm });
      return;
    }
    const same = known.entry === entry || JSON.stringify(known.entry) === JSON.stringify(entry);
    check(
      same && known.previousTerm === previousTerm,
      "log matching",
      () => `n${replica.position} has another entry at index ${entry.index} of t${entry.term}`,
    );
  }

  /** Leader Completeness: whoever leads has everything that leaders of earlier terms committed. */
  #checkCompleteness(replica: Replica, term: Term): void {
    for (const { entry, inTerm } of this.#committed) {
      if (inTerm >= term) continue;
      check(
        replica.memory[entry.index - 1]?.term === entry.term,
        "leader completeness",
        () => `n${replica.position} leads t${term} without ${entry.kind} ${entry.index} of t${entry.term}`,
      );
    }
  }

  /** State Machine Safety; and a leader commits only what a majority has on its disks. */
  #checkCommit(replica: Replica, entry: Entry, leaderTerm: Term | null): void {
    const known = this.#committed[entry.index - 1];
    if (known !== undefined) {
      check(
        known.entry.term === entry.term && known.entry.kind === entry.kind,
        "committed prefix",
        () =>
          `n${replica.position} applies ${entry.kind} of t${entry.term} at ${entry.index}, ` +
          `where ${known.entry.kind} of t${known.entry.term} was committed`,
      );
      return;
    }
    check(
      leaderTerm !== null,
      "committed prefix",
      () => `n${replica.position} applies ${entry.index}, which no leader has committed`,
    );
    const { replicas, voters } = this.#scene;
    const durable = replicas.slice(0, voters).filter(({ disk }) => disk.termAt(entry.index) === entry.term);
    check(
      durable.length >= majoritySize(voters),
      "durability",
      () => `n${replica.position} commits ${entry.index}, which is on ${durable.length} of ${voters} disks`,
    );
    if (leaderTerm !== null) this.#committed.push({ entry, inTerm: leaderTerm });
  }
}
