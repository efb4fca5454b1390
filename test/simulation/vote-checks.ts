/**
 * Elections, as the Raft paper promises them (figure 3 and 5.2), across restarts.
 *
 * Invariant: what counts is what was said to others or saved, not what a core believes.
 *
 * Deliberately absent: who should win.
 */
import type { MemberId, Term } from "../../src/base/types.ts";
import type { Outgoing } from "../../src/raft/effect.ts";
import type { Observed } from "./checks.ts";
import type { Replica } from "./replica.ts";
import { check } from "./violation.ts";

export class VoteChecks {
  readonly #leaders = new Map<Term, number>();
  /** By node, then by term. */
  readonly #votes: Map<Term, MemberId>[] = [];

  stepped(replica: Replica, { input, before, view }: Observed): void {
    if (view.role === "leader") {
      const known = this.#leaders.get(view.term);
      check(
        known === undefined || known === replica.position,
        "one leader per term",
        () => `n${replica.position} and n${known} both lead t${view.term}`,
      );
      this.#leaders.set(view.term, replica.position);
    }
    // L7 (5): a TimeoutNow of another term changes nothing.
    if (input.kind === "message" && input.message.kind === "timeoutNow" && input.message.term !== before?.term) {
      check(view.term === before?.term, "TimeoutNow", () => `n${replica.position} campaigns on one of another term`);
    }
  }

  /** A vote exists once it is durable; one that a crash kept from the disk was told to nobody. */
  persisted(replica: Replica): void {
    const { term, votedFor } = replica.disk.hardState;
    if (votedFor !== null) this.#vote(replica, term, votedFor);
  }

  /** Durable before it is said (figure 2, "updated on stable storage before responding"). */
  sends(replica: Replica, { to, message }: Outgoing): void {
    const { hardState } = replica.disk;
    const candidate = message.kind === "voteRequest" ? replica.member.id : to.id;
    const votes = message.kind === "voteRequest" || (message.kind === "voteReply" && message.granted);
    check(
      hardState.term >= message.term || message.kind === "preVoteRequest" || message.kind === "preVoteReply",
      "durability",
      () => `n${replica.position} speaks of t${message.term}, its disk of t${hardState.term}`,
    );
    if (!votes) return;
    this.#vote(replica, message.term, candidate);
    check(
      hardState.term > message.term || hardState.votedFor === candidate,
      "durability",
      () => `n${replica.position} tells of a vote in t${message.term} that is not on its disk`,
    );
  }

  #vote(replica: Replica, term: Term, candidate: MemberId): void {
    const votes = (this.#votes[replica.position] ??= new Map<Term, MemberId>());
    const known = votes.get(term);
    check(
      known === undefined || known === candidate,
      "one vote per term",
      () => `n${replica.position} votes for ${candidate.slice(-1)} after ${known?.slice(-1)} in t${term}`,
    );
    votes.set(term, candidate);
  }
}
