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
import type { FencingToken, HolderMs, MemberId, Term } from "../../src/base/types.ts";
import { majoritySize } from "../../src/lease/majority.ts";
import type { Effects } from "../../src/raft/effect.ts";
import type { CoreView } from "../../src/raft/view.ts";
import { type Append, isAppend } from "./appends.ts";
import type { Observed, Scene } from "./checks.ts";
import type { Life } from "./life.ts";
import { check, ROUNDING_MS } from "./violation.ts";

/** What is known of one incarnation. */
interface Word {
  /** When it last accepted an append of each term's leader, or opened a round of its own, in true time. */
  readonly promisedAtMs: Map<Term, number>;
  readonly rounds: Map<Term, number>;
}

/** What is known of one life. */
interface Standing {
  revokedIn: Term | null;
  /** The last token that it has ceased to hold. */
  over: FencingToken | null;
  /** The token of the last answer. */
  answered: FencingToken | null;
  transferSince: { readonly term: Term; readonly atMs: number } | null;
  electedAtMs: number;
}

export class LeaseChecks {
  readonly #scene: Scene;
  #lastToken = 0;
  #lastHolder: Life | null = null;
  tenures = 0;
  readonly #words = new Map<MemberId, Word>();
  readonly #standings = new WeakMap<Life, Standing>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** An answer "you hold it", before anybody acts on it. */
  granted(life: Life, token: FencingToken, end: HolderMs): void {
    const { machines } = this.#scene;
    const { machine, seen } = life;
    const self = machine.position;
    for (const other of machines) {
      if (other === machine) continue;
      const acts = other.application.actsAt(other.holderNow());
      const told = other.application.token;
      check(!acts, "exclusion", () => `n${self} holds ${token} while n${other.position} acts on ${told}`);
    }
    const held = seen?.held ?? null;
    check(
      held?.tenure.token === token,
      "answer",
      () => `n${self} is told ${token}, its core holds ${held?.tenure.token}`,
    );
    if (seen === null || held === null) return;
    const begins = token !== this.#lastToken;
    check(!begins || seen.eligible, "eligibility", () => `n${self} begins to hold ${token} while it is ineligible`);
    this.#checkToken(life, token);
    const nowHolder = machine.holderNow();
    check(
      end > nowHolder - ROUNDING_MS,
      "deadline",
      () => `n${self} is given a deadline that passed ${nowHolder - end} ms ago`,
    );
    const { over, revokedIn } = this.#standingOf(life);
    check(over !== token, "lapse", () => `n${self} holds ${token} again after it was over`);
    check(revokedIn !== seen.term, "revocation", () => `n${self} holds in t${seen.term}, in which it resigned`);
    const { term } = held.tenure;
    check(term === seen.term, "tenure", () => `n${self} holds in t${seen.term} by a claim of t${term}`);
    this.#checkBacking(life, seen, end);
    this.#checkContact(life, seen);
  }

  /** A tenure that an application was told to be over is over. */
  answered(life: Life, token: FencingToken | null): void {
    const standing = this.#standingOf(life);
    if (standing.answered !== null && standing.answered !== token) standing.over = standing.answered;
    standing.answered = token;
  }

  /** Any look at a node, also one that nobody acts on: a tenure that was seen to be over is over (L6). */
  looked(life: Life, before: CoreView | null, view: CoreView): void {
    const token = before?.held?.tenure.token;
    if (token !== undefined && view.held?.tenure.token !== token) this.#standingOf(life).over = token;
  }

  stepped(life: Life, { input, effects, before, view, now }: Observed): void {
    const { nowMs } = this.#scene.agenda;
    const { position } = life.machine;
    const standing = this.#standingOf(life);
    if (view.role === "leader" && (before?.role !== "leader" || before.term !== view.term))
      standing.electedAtMs = nowMs;
    if (input.kind === "resign" && before?.role === "leader" && before.term === view.term) {
      standing.revokedIn = view.term;
      check(view.held === null, "revocation", () => `n${position} holds right after it resigned`);
    }
    this.looked(life, before, view);
    this.#checkTransfer(life, view, now.monotonicMs, input.kind === "tick");
    for (const { message } of effects.send) {
      if (!isAppend(message) || message.holding === null) continue;
      check(
        view.held?.tenure.claim === message.holding,
        "announcement",
        () => `n${position} says that it holds by claim ${message.holding}, which it does not`,
      );
    }
    this.#notePromises(life, effects);
    if (input.kind === "tick" && view.role === "leader") this.#checkQuorum(life, view);
  }

  /** Tokens rise in the order of true time, and one token has one holder; whatever becomes of groups. */
  #checkToken(life: Life, token: FencingToken): void {
    const { position } = life.machine;
    check(token >= this.#lastToken, "token", () => `n${position} holds ${token} after ${this.#lastToken} was held`);
    if (token > this.#lastToken) {
      this.tenures += 1;
      this.#lastHolder = life;
    }
    check(this.#lastHolder === life, "token", () => `n${position} has ${token}, which another one had`);
    this.#lastToken = token;
  }

  /**
   * However slow the holder's clock and however fast the voters' clocks are from now on, a majority must have promised
   * for longer (L1 and L2): the wait of any successor rests on that.
   */
  #checkBacking({ machine }: Life, { term, configuration }: CoreView, end: number): void {
    const { agenda, honest, honestDrift } = this.#scene;
    const { voters, learners } = configuration;
    // A lone node sends nothing, so its rounds cannot be seen, and nobody can be harmed by them. And what the bound
    // makes of a promise means nothing to clocks that do not keep it.
    if (voters.length + learners.length === 1 || !honest) return;
    const leftMs = end - machine.holderNow();
    const lastMs = agenda.nowMs + leftMs / (1 - honestDrift);
    const spanMs = machine.settings.timing.leaseDurationMs / (1 + honestDrift);
    let backing = 0;
    for (const { id } of voters) {
      const promisedAtMs = this.#words.get(id)?.promisedAtMs.get(term);
      if (promisedAtMs !== undefined && promisedAtMs + spanMs >= lastMs - ROUNDING_MS) backing += 1;
    }
    check(
      backing >= majoritySize(voters.length),
      "backing",
      () =>
        `n${machine.position} may act until ${lastMs}, which needs promises of ${lastMs - spanMs} or later; ` +
        `only ${backing} of ${voters.length} voters made one`,
    );
  }

  /** Nobody holds for longer than D after it last had a way to a majority and back (L8). */
  #checkContact(life: Life, view: CoreView): void {
    const { machine } = life;
    const lostMs = this.#scene.agenda.nowMs - this.#contactMs(life, view);
    const { leaseDurationMs } = machine.settings.timing;
    check(
      lostMs <= leaseDurationMs + ROUNDING_MS,
      "minority",
      () => `n${machine.position} holds ${lostMs} ms after it lost the majority; D is ${leaseDurationMs} ms`,
    );
  }

  /** L8: once a tick has looked, nobody leads who has heard no majority for D. */
  #checkQuorum(life: Life, view: CoreView): void {
    const { agenda, honestDrift } = this.#scene;
    const { machine } = life;
    const sinceMs = Math.max(this.#contactMs(life, view), this.#standingOf(life).electedAtMs);
    const allowedMs = machine.settings.timing.leaseDurationMs / (1 - honestDrift);
    check(
      agenda.nowMs - sinceMs <= allowedMs + ROUNDING_MS,
      "quorum",
      () => `n${machine.position} leads t${view.term} ${agenda.nowMs - sinceMs} ms after it lost the majority`,
    );
  }

  /** L7 (6): a leader that has revoked leads no longer than the handover may take. */
  #checkTransfer(life: Life, { role, revoked, term }: CoreView, nowMs: number, ticked: boolean): void {
    const { position, settings } = life.machine;
    const standing = this.#standingOf(life);
    if (role !== "leader" || !revoked) {
      standing.transferSince = null;
      return;
    }
    const since = standing.transferSince;
    if (since === null || since.term !== term) {
      standing.transferSince = { term, atMs: nowMs };
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
  #contactMs({ machine }: Life, { configuration }: CoreView): number {
    const { agenda, network, members } = this.#scene;
    const { voters } = configuration;
    const contacts: number[] = [];
    let present = 0;
    for (const { id } of voters) {
      const other = members.of(id);
      if (other === null) continue;
      const position = other.machine.position;
      const there = network.openUntilMs(machine.position, position);
      const back = network.openUntilMs(position, machine.position);
      const contactMs =
        other.machine === machine
          ? agenda.nowMs
          : Math.min(there, back, other.diedAtMs ?? other.machine.silentSinceMs ?? agenda.nowMs);
      if (contactMs === agenda.nowMs) present += 1;
      contacts.push(contactMs);
    }
    const majority = majoritySize(voters.length);
    if (present >= majority) return agenda.nowMs;
    return contacts.toSorted((a, b) => b - a)[majority - 1] ?? 0;
  }

  /** L2 and L3, as others can see them: accepted appends, and new rounds. */
  #notePromises({ node }: Life, effects: Effects): void {
    const self = node.self?.id;
    if (self === undefined || effects.send.length === 0) return;
    const { nowMs } = this.#scene.agenda;
    let word = this.#words.get(self);
    if (word === undefined) this.#words.set(self, (word = { promisedAtMs: new Map(), rounds: new Map() }));
    for (const { message } of effects.send) {
      if (message.kind === "appendReply" && message.accepted) word.promisedAtMs.set(message.term, nowMs);
      if (isAppend(message) && opensRound(word, message)) word.promisedAtMs.set(message.term, nowMs);
    }
  }

  #standingOf(life: Life): Standing {
    let standing = this.#standings.get(life);
    if (standing === undefined) {
      standing = { revokedIn: null, over: null, answered: null, transferSince: null, electedAtMs: 0 };
      this.#standings.set(life, standing);
    }
    return standing;
  }
}

function opensRound({ rounds }: Word, { term, round }: Append): boolean {
  if (round <= (rounds.get(term) ?? 0)) return false;
  rounds.set(term, round);
  return true;
}
