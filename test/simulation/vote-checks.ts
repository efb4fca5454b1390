/**
 * Elections, as the Raft paper promises them (figure 3 and 5.2), across restarts.
 *
 * Invariant: what counts is what was said to others or saved, not what a core believes.
 *
 * Deliberately absent: who should win.
 */
import type { MemberId, Term } from "../../src/base/types.ts";
import type { Member } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";
import type { Observed } from "./checks.ts";
import type { Life } from "./life.ts";
import { check } from "./violation.ts";

export class VoteChecks {
  /** By group and term. */
  readonly #leaders = new Map<string, MemberId>();
  readonly #votes = new Map<MemberId, Map<Term, MemberId>>();

  /** How often a node became leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  stepped(life: Life, { input, before, view }: Observed): void {
    const { position } = life.machine;
    const self = life.node.self?.id;
    if (view.role === "leader" && self !== undefined && (before?.role !== "leader" || before.term !== view.term)) {
      const key = `${life.groupId}${view.term}`;
      const known = this.#leaders.get(key);
      check(
        known === undefined || known === self,
        "one leader per term",
        () => `n${position} and ${known?.slice(-1)} both lead t${view.term}`,
      );
      this.#leaders.set(key, self);
    }
    // L7 (5): a TimeoutNow of another term changes nothing.
    if (input.kind === "message" && input.message.kind === "timeoutNow" && input.message.term !== before?.term) {
      check(view.term === before?.term, "TimeoutNow", () => `n${position} campaigns on one of another term`);
    }
  }

  /** A vote exists once it is durable; one that a crash kept from the disk was told to nobody. */
  persisted({ machine }: Life): void {
    const { hardState, identity } = machine.disk;
    const { term, votedFor } = hardState;
    if (votedFor !== null && identity !== null) this.#vote(machine.position, identity.id, term, votedFor);
  }

  /** Durable before it is said (figure 2, "updated on stable storage before responding"). */
  sends({ machine }: Life, to: Member, message: Message): void {
    const { hardState, identity, snapshot } = machine.disk;
    if (message.kind === "preVoteRequest" || message.kind === "preVoteReply" || identity === null) return;
    // Who has just joined has the term of the snapshot, which is on its disk, and has never voted.
    const known = Math.max(hardState.term, snapshot?.term ?? 0);
    check(
      known >= message.term,
      "durability",
      () => `n${machine.position} speaks of t${message.term}, its disk of t${known}`,
    );
    if (message.kind !== "voteRequest" && (message.kind !== "voteReply" || !message.granted)) return;
    const candidate = message.kind === "voteRequest" ? identity.id : to.id;
    this.#vote(machine.position, identity.id, message.term, candidate);
    check(
      hardState.term > message.term || hardState.votedFor === candidate,
      "durability",
      () => `n${machine.position} tells of a vote in t${message.term} that is not on its disk`,
    );
  }

  #vote(position: number, self: MemberId, term: Term, candidate: MemberId): void {
    let votes = this.#votes.get(self);
    if (votes === undefined) this.#votes.set(self, (votes = new Map<Term, MemberId>()));
    const known = votes.get(term);
    check(
      known === undefined || known === candidate,
      "one vote per term",
      () => `n${position} votes for ${candidate.slice(-1)} after ${known?.slice(-1)} in t${term}`,
    );
    votes.set(term, candidate);
  }
}
