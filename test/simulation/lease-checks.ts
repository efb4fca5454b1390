/**
 * What the lock promises, in true time (DESIGN, sections 1 and 2).
 *
 * Two applications overlap exactly if one is told "you hold it" while another still acts on what it was told before; so
 * it is enough to look at every answer that is given.
 *
 * Invariant: every deadline ever handed out counts until it has passed on its own machine's clock, also those of
 * crashed and paused nodes, unless the application said that it stopped.
 *
 * Deliberately absent: how a core decides. Only answers, acknowledgements and true time are looked at.
 */
import type { Term } from "../../src/base/types.ts";
import { majoritySize, newestOfMajority } from "../../src/lease/majority.ts";
import type { Effects } from "../../src/raft/effect.ts";
import type { AppendRequest } from "../../src/raft/message.ts";
import type { CoreView } from "../../src/raft/view.ts";
import type { Observed, Scene } from "./checks.ts";
import type { Replica } from "./replica.ts";
import { check } from "./violation.ts";

/** Sums of a few numbers of about 10^6 ms are exact to better than this. */
const ROUNDING_MS = 1e-6;

export class LeaseChecks {
  readonly #scene: Scene;
  #lastToken = 0;
  #lastHolder = -1;
  tenures = 0;
  /** When each node last accepted an append of each term's leader, or opened a round of its own, in true time. */
  readonly #promisedAtMs: Map<Term, number>[] = [];
  readonly #rounds: Map<Term, number>[] = [];
  readonly #revokedIn: (Term | null)[] = [];
  /** The last token of each node that it has ceased to hold. */
  readonly #over: number[] = [];
  readonly #transferSince: ({ readonly term: Term; readonly atMs: number } | null)[] = [];
  readonly #electedAtMs = new Map<Term, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  granted(replica: Replica, { term, eligible }: CoreView, { tenure, end }: NonNullable<CoreView["held"]>): void {
    const { replicas, agenda } = this.#scene;
    const self = replica.position;
    for (const other of replicas) {
      if (other === replica) continue;
      const acts = other.application.actsAt(other.clock.holder(agenda.nowMs));
      const told = other.application.token;
      check(!acts, "exclusion", () => `n${self} holds ${tenure.token} while n${other.position} acts on ${told}`);
    }
    const begins = tenure.token !== this.#lastToken;
    check(!begins || eligible, "eligibility", () => `n${self} begins to hold ${tenure.token} while it is ineligible`);
    this.#checkToken(self, tenure.token);
    const nowHolder = replica.clock.holder(agenda.nowMs);
    check(end > nowHolder, "deadline", () => `n${self} is given a deadline that passed ${nowHolder - end} ms ago`);
    check(this.#over[self] !== tenure.token, "lapse", () => `n${self} holds ${tenure.token} again after it was over`);
    check(this.#revokedIn[self] !== term, "revocation", () => `n${self} holds in t${term}, in which it resigned`);
    check(tenure.term === term, "tenure", () => `n${self} holds in t${term} by a claim of t${tenure.term}`);
    this.#checkBacking(replica, term, end);
    this.#checkContact(replica);
    replica.application.told(end, tenure.token);
  }

  /** Any look at a node, also one that nobody acts on: a tenure that was seen to be over is over (L6). */
  looked(replica: Replica, before: CoreView | null, view: CoreView): void {
    const token = before?.held?.tenure.token;
    if (token !== undefined && view.held?.tenure.token !== token) this.#over[replica.position] = token;
  }

  stepped(replica: Replica, { input, effects, before, view, now }: Observed): void {
    const { nowMs } = this.#scene.agenda;
    if (view.role === "leader" && (before?.role !== "leader" || before.term !== view.term)) {
      this.#electedAtMs.set(view.term, nowMs);
    }
    if (input.kind === "resign" && before?.role === "leader" && before.term === view.term) {
      this.#revokedIn[replica.position] = view.term;
      check(view.held === null, "revocation", () => `n${replica.position} holds right after it resigned`);
    }
    this.looked(replica, before, view);
    this.#checkTransfer(replica, view, now.monotonicMs, input.kind === "tick");
    for (const { message } of effects.send) {
      if (message.kind !== "appendRequest" || message.holding === null) continue;
      check(
        view.held?.tenure.claim === message.holding,
        "announcement",
        () => `n${replica.position} says that it holds by claim ${message.holding}, which it does not`,
      );
    }
    this.#notePromises(replica, effects);
    if (input.kind === "tick" && view.role === "leader") this.#checkQuorum(replica, view.term);
  }

  /** Tokens rise in the order of true time, and one token has one holder. */
  #checkToken(holder: number, token: number): void {
    check(token >= this.#lastToken, "token", () => `n${holder} holds ${token} after ${this.#lastToken} was held`);
    if (token > this.#lastToken) {
      this.tenures += 1;
      this.#lastHolder = holder;
    }
    check(this.#lastHolder === holder, "token", () => `n${holder} and n${this.#lastHolder} both had ${token}`);
    this.#lastToken = token;
  }

  /**
   * However slow the holder's clock and however fast the voters' clocks are from now on, a majority must have promised
   * for longer (L1 and L2): the wait of any successor rests on that.
   */
  #checkBacking(replica: Replica, term: Term, end: number): void {
    const { agenda, replicas, voters, honest, honestDrift } = this.#scene;
    // A lone node sends nothing, so its rounds cannot be seen, and nobody can be harmed by them. And what the bound
    // makes of a promise means nothing to clocks that do not keep it.
    if (replicas.length === 1 || !honest) return;
    const leftMs = end - replica.clock.holder(agenda.nowMs);
    const lastMs = agenda.nowMs + leftMs / (1 - honestDrift);
    const spanMs = replica.settings.timing.leaseDurationMs / (1 + honestDrift);
    const backing = replicas.slice(0, voters).filter(({ position }) => {
      const promisedAtMs = this.#promisedAtMs[position]?.get(term);
      return promisedAtMs !== undefined && promisedAtMs + spanMs >= lastMs - ROUNDING_MS;
    });
    const outlivesMs = (): number => lastMs - spanMs;
    check(
      backing.length >= majoritySize(voters),
      "backing",
      () =>
        `n${replica.position} may act until ${lastMs}, which needs promises of ${outlivesMs()} or later; ` +
        `only ${backing.length} of ${voters} voters made one`,
    );
  }

  /** Nobody holds for longer than D after it last had a way to a majority and back (L8). */
  #checkContact(replica: Replica): void {
    const { agenda } = this.#scene;
    const lostMs = agenda.nowMs - this.#contactMs(replica);
    const { leaseDurationMs } = replica.settings.timing;
    check(
      lostMs <= leaseDurationMs + ROUNDING_MS,
      "minority",
      () => `n${replica.position} holds ${lostMs} ms after it lost the majority; D is ${leaseDurationMs} ms`,
    );
  }

  /** L8: once a tick has looked, nobody leads who has heard no majority for D. */
  #checkQuorum(replica: Replica, term: Term): void {
    const { agenda, honestDrift } = this.#scene;
    const sinceMs = Math.max(this.#contactMs(replica), this.#electedAtMs.get(term) ?? 0);
    const allowedMs = replica.settings.timing.leaseDurationMs / (1 - honestDrift);
    check(
      agenda.nowMs - sinceMs <= allowedMs + ROUNDING_MS,
      "quorum",
      () => `n${replica.position} leads t${term} ${agenda.nowMs - sinceMs} ms after it lost the majority`,
    );
  }

  /** L7 (6): a leader that has revoked leads no longer than the handover may take. */
  #checkTransfer(replica: Replica, { role, revoked, term }: CoreView, nowMs: number, ticked: boolean): void {
    const { position, settings } = replica;
    if (role !== "leader" || !revoked) {
      this.#transferSince[position] = null;
      return;
    }
    const since = this.#transferSince[position];
    if (since === null || since === undefined || since.term !== term) {
      this.#transferSince[position] = { term, atMs: nowMs };
      return;
    }
    const { heartbeatIntervalMs } = settings.timing;
    check(
      !ticked || nowMs - since.atMs < 2 * heartbeatIntervalMs + ROUNDING_MS,
      "transfer",
      () => `n${position} still leads t${term} ${nowMs - since.atMs} ms after it resigned`,
    );
  }

  /** The last true time at which a round could have gone out to a majority that could have answered. */
  #contactMs(replica: Replica): number {
    const { agenda, network, replicas, voters } = this.#scene;
    const contacts = replicas.slice(0, voters).map((other) => {
      if (other === replica) return agenda.nowMs;
      const there = network.openUntilMs(replica.position, other.position);
      const back = network.openUntilMs(other.position, replica.position);
      return Math.min(there, back, other.silentSinceMs ?? agenda.nowMs);
    });
    return newestOfMajority(contacts) ?? 0;
  }

  /** L2 and L3, as others can see them: accepted appends, and new rounds. */
  #notePromises(replica: Replica, effects: Effects): void {
    const { nowMs } = this.#scene.agenda;
    const promises = (this.#promisedAtMs[replica.position] ??= new Map<Term, number>());
    for (const { message } of effects.send) {
      if (message.kind === "appendReply" && message.accepted) promises.set(message.term, nowMs);
      if (message.kind === "appendRequest" && this.#opens(replica, message)) promises.set(message.term, nowMs);
    }
  }

  #opens(replica: Replica, { term, round }: AppendRequest): boolean {
    const rounds = (this.#rounds[replica.position] ??= new Map<Term, number>());
    if (round <= (rounds.get(term) ?? 0)) return false;
    rounds.set(term, round);
    return true;
  }
}
