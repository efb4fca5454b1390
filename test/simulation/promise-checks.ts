/**
 * Promises and waits, held against a model of DESIGN, L2 to L7, that knows only what goes in and out of a node.
 *
 * Invariant: the model never asks the core what it believes; a promise of the model never shrinks within a life.
 *
 * Deliberately absent: the lease of a lone node. It opens rounds that nobody sees and reports promises to nobody.
 */
import type { MemberId, Term } from "../../src/base/types.ts";
import type { Input } from "../../src/raft/effect.ts";
import type { TimeoutNow, VoteReply } from "../../src/raft/message.ts";
import { isMemberOf } from "../../src/raft/entry.ts";
import { type Append, isAppend } from "./appends.ts";
import type { Observed } from "./checks.ts";
import type { Life } from "./life.ts";
import { check, ROUNDING_MS } from "./violation.ts";

interface Campaign {
  readonly term: Term;
  readonly certificate: Term | null;
  readonly granted: Set<MemberId>;
  waitUntil: number;
}

interface Model {
  /** On this node's CLOCK_MONOTONIC. */
  deadline: number;
  term: Term | null;
  round: { readonly term: Term; readonly number: number } | null;
  campaign: Campaign | null;
}

export class PromiseChecks {
  readonly #models = new WeakMap<Life, Model>();

  /** L4: what a life before may have promised counts from now on, to a term that nobody remembers. */
  starts(life: Life): void {
    const deadline = life.clock.monotonic() + life.machine.disk.hardState.largestPromiseMs;
    this.#models.set(life, { deadline, term: null, round: null, campaign: null });
  }

  stepped(life: Life, observed: Observed): void {
    const model = this.#models.get(life);
    if (model === undefined) return;
    const { position } = life.machine;
    const { input, effects, before, view, now } = observed;
    if (view.term !== before?.term) this.#campaigns(model, observed);
    else this.#hearsBallot(model, observed);
    for (const { to, message } of effects.send) {
      if (message.kind === "voteReply") this.#checkReply(position, model, message, now.monotonicMs);
      // A farewell to whoever is out of the group opens no round; it carries the number of the last one.
      if (isAppend(message) && isMemberOf(view.configuration, to.id)) this.#opensRound(model, message, now.monotonicMs);
      if (message.kind === "timeoutNow") this.#checkCertificate(position, model, message, now.monotonicMs);
      if (message.kind === "appendReply" && message.accepted) this.#accepts(model, input, now.monotonicMs);
    }
    const { campaign } = model;
    const entries = effects.persist?.entries ?? [];
    for (const { kind, term } of entries) {
      if (view.role !== "leader" || term !== view.term || (kind !== "claim" && kind !== "config")) continue;
      const act = kind === "claim" ? "claims" : "changes the members";
      const rule = kind === "claim" ? "wait" : "change";
      // A leader by certificate may claim in one append with its noop: the one is not committed without the other.
      const isFirst = entries.some((entry) => entry.kind === "noop" && entry.term === term);
      const goesWithNoop = kind === "claim" && isFirst && campaign !== null && campaign.certificate !== null;
      check(
        goesWithNoop || life.mirror?.termAt(view.commitIndex) === view.term,
        rule,
        () => `n${position} ${act} in t${view.term} before it has committed anything of it`,
      );
      check(campaign !== null && campaign.term === view.term, rule, () => `n${position} ${act} without a campaign`);
      check(
        now.monotonicMs >= (campaign?.waitUntil ?? Infinity) - ROUNDING_MS,
        rule,
        () => `n${position} ${act} at ${now.monotonicMs}, its wait ends at ${campaign?.waitUntil}`,
      );
    }
  }

  /** L5 and L7 (4): a new term in which this node is a candidate, or was one for a moment. */
  #campaigns(model: Model, { input, view, now }: Observed): void {
    model.campaign = null;
    if (view.role !== "candidate" && view.role !== "leader") return;
    const message = input.kind === "message" ? input.message : null;
    const certificate = message?.kind === "timeoutNow" ? message.certificate : null;
    const waitUntil = certificate !== null && model.term === certificate ? now.monotonicMs : model.deadline;
    model.campaign = { term: view.term, certificate, granted: new Set(), waitUntil };
  }

  #hearsBallot({ campaign }: Model, { input, before, now }: Observed): void {
    if (campaign === null || before?.role !== "candidate") return;
    if (input.kind !== "message" || input.message.kind !== "voteReply") return;
    const { term, granted, remainingMs, promiseTerm } = input.message;
    if (!granted || term !== campaign.term || campaign.granted.has(input.from.id)) return;
    campaign.granted.add(input.from.id);
    if (campaign.certificate !== null && promiseTerm === campaign.certificate) return;
    campaign.waitUntil = Math.max(campaign.waitUntil, now.monotonicMs + remainingMs);
  }

  /** L5: neither less than was promised, which would be unsafe, nor more, which would make others wait in vain. */
  #checkReply(position: number, model: Model, { remainingMs, promiseTerm }: VoteReply, nowMs: number): void {
    const expectedMs = Math.max(0, model.deadline - nowMs);
    check(
      Math.abs(remainingMs - expectedMs) <= ROUNDING_MS,
      "promise",
      () => `n${position} reports ${remainingMs} ms of its promise, it has ${expectedMs} ms left`,
    );
    check(
      promiseTerm === model.term,
      "promise",
      () => `n${position} reports a promise to t${promiseTerm}, it made it to t${model.term}`,
    );
  }

  /** L7 (3): who still waits for older leases cannot vouch that they are over. */
  #checkCertificate(position: number, { campaign }: Model, message: TimeoutNow, nowMs: number): void {
    const { term, certificate } = message;
    if (certificate === null) return;
    const over = campaign !== null && campaign.term === term && nowMs >= campaign.waitUntil - ROUNDING_MS;
    check(
      over && certificate === term,
      "certificate",
      () => `n${position} certifies t${certificate} at ${nowMs}, its wait ends at ${campaign?.waitUntil}`,
    );
  }

  /** L3. */
  #opensRound(model: Model, { term, round, leaseDurationMs }: Append, nowMs: number): void {
    if (model.round !== null && model.round.term === term && round <= model.round.number) return;
    model.round = { term, number: round };
    model.deadline = Math.max(model.deadline, nowMs + leaseDurationMs);
    model.term = term;
  }

  /** L2. */
  #accepts(model: Model, input: Input, nowMs: number): void {
    if (input.kind !== "message" || !isAppend(input.message)) return;
    model.deadline = Math.max(model.deadline, nowMs + input.message.leaseDurationMs);
    model.term = input.message.term;
  }
}
