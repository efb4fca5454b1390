/**
 * First start: from n empty directories to one group (DESIGN, Formation).
 *
 * A node is empty, then has accepted one Form, then is grouped. It is grouped once a majority of the Form's founders is
 * known to have accepted it. Only ordinal 0 proposes, and only when every other name has answered that it is empty, and
 * was asked lately (answers.ts); silence means wait.
 *
 * DNS may hold a formation back, by a name that it lists; it can never bring one about.
 *
 * Invariant: an incarnation accepts one Form, ever, durably, before it says so. When so many of the founders are gone
 * that no majority can accept it any more, the incarnation is given up with it, as if its pod had lost its disk: the
 * group may have lived and died unseen, and whoever is born anew has no part in it (DESIGN, Identity).
 *
 * A node that hears of a group which it cannot be a founder of asks to be taken in instead; see src/node/admission.ts.
 *
 * Deliberately absent: I/O. Actions are carried out in order by the node.
 */
import { assert } from "../base/assert.ts";
import type { Member, MonotonicMs } from "../base/types.ts";
import { majoritySize } from "../lease/majority.ts";
import { tokenBaseOf } from "../lease/token.ts";
import type { Form } from "../ports/storage.ts";
import type { FormationMessage, FormationStatus, IntroductoryMessage } from "../ports/transport.ts";
import { Answers } from "./answers.ts";

export type FormationAction =
  | { readonly kind: "send"; readonly to: string; readonly message: IntroductoryMessage }
  | { readonly kind: "save"; readonly form: Form }
  /** Begin as a founder of this Form. */
  | { readonly kind: "group"; readonly form: Form }
  /** Forget everything, and begin as a new incarnation: this Form can never have a majority. */
  | { readonly kind: "giveUp"; readonly form: Form };

export interface FormationOptions {
  readonly self: Member;
  /** All names of the set but this node's own. */
  readonly others: readonly string[];
  readonly proposer: boolean;
  /** As the disk has it. */
  readonly accepted: Form | null;
  /** The group that this node is a member of already; null while it has none. */
  readonly groupId: string | null;
  /** Names that DNS lists, also beyond the set as this node knows it; null while nobody has looked. */
  readonly listed: () => readonly string[] | null;
  readonly wallSeconds: () => number;
  /** 32 random hexadecimal digits, for group ids and nonces. */
  readonly newId: () => string;
}

export class Formation {
  readonly #options: FormationOptions;
  readonly #answers: Answers;
  #form: Form | null;
  #groupId: string | null;
  #outsider = false;

  constructor(options: FormationOptions) {
    this.#options = options;
    this.#answers = new Answers(options.newId);
    this.#form = options.accepted;
    this.#groupId = options.groupId;
  }

  get grouped(): boolean {
    return this.#groupId !== null;
  }

  /** Whether this incarnation may enter a group by being taken in: it has promised itself to no Form. */
  get mayJoin(): boolean {
    return this.#groupId === null && this.#form === null;
  }

  /** It was taken in. */
  joined(groupId: string): void {
    assert(this.mayJoin, "an incarnation belongs to one group");
    this.#groupId = groupId;
    this.#outsider = false;
  }

  /** A group exists and this incarnation is not one of its founders. */
  get outsider(): boolean {
    return this.#outsider;
  }

  /** Names that have not answered lately. */
  silent(now: MonotonicMs): readonly string[] {
    return this.#expected().filter((name) => this.#answers.fresh(name, now) === null);
  }

  status(): FormationStatus {
    // A founder's Form stays the answer for as long as its group is that of the Form: another founder may need it.
    const ofForm = this.#form !== null && (this.#groupId === null || this.#groupId === this.#form.groupId);
    if (this.#form !== null && ofForm) return { kind: "accepted", form: this.#form };
    if (this.#groupId !== null) return { kind: "member", groupId: this.#groupId };
    return { kind: "empty", wallSeconds: this.#options.wallSeconds() };
  }

  /** Every FORMATION_INTERVAL_MS while not grouped, and once at the start. */
  tick(now: MonotonicMs): readonly FormationAction[] {
    if (this.grouped) return [];
    const decided = this.#decide(now);
    this.#answers.forgetOthers(this.#options.others, now);
    // Also those who are not of the set as this node knows it: a set may have been scaled.
    const names = [...new Set([...this.#expected(), ...this.#answers.names])];
    return [...decided, ...asksOf(names, this.question(now))];
  }

  question(now: MonotonicMs): FormationMessage {
    return this.#answers.question(now);
  }

  /**
   * By hand: a group of this node alone, for the others to join. Null if that could make a second group as far as this
   * node can tell; only the one that proposes may do it, so that no proposal crosses it.
   */
  formAlone(now: MonotonicMs): readonly FormationAction[] | null {
    if (!this.mayJoin || this.#hearsOfGroup(now) || !this.#options.proposer) return null;
    const { self, newId, wallSeconds } = this.#options;
    return this.#accept({ groupId: newId(), founders: [self], tokenBase: tokenBaseOf(wallSeconds()) }, now);
  }

  receive(from: Member, message: FormationMessage, now: MonotonicMs): readonly FormationAction[] {
    switch (message.kind) {
      case "formQuery":
        return [
          { kind: "send", to: from.name, message: { kind: "formStatus", nonce: message.nonce, status: this.status() } },
        ];
      case "formStatus":
        return this.#hear(from, message.status, message.nonce, now);
      case "formPropose": {
        const actions = this.#hear(from, { kind: "accepted", form: message.form }, null, now);
        const accepted = this.#form?.groupId === message.form.groupId;
        const reply: FormationMessage = {
          kind: "formReply",
          groupId: message.form.groupId,
          accepted,
          status: this.status(),
        };
        return [
          ...actions.filter(isSave),
          { kind: "send", to: from.name, message: reply },
          ...actions.filter(isNotSave),
        ];
      }
      case "formReply":
        return this.#hear(from, message.status, null, now);
    }
  }

  #hear(from: Member, status: FormationStatus, nonce: string | null, now: MonotonicMs): readonly FormationAction[] {
    if (this.grouped) return [];
    if (!this.#answers.note(from, status, nonce, this.#expected().includes(from.name), now)) return [];
    const decided = this.#decide(now);
    const asks: FormationAction = { kind: "send", to: from.name, message: { kind: "joinRequest" } };
    return this.#outsider && this.mayJoin && status.kind !== "empty" ? [...decided, asks] : decided;
  }

  #decide(now: MonotonicMs): readonly FormationAction[] {
    if (this.#form === null) return this.#consider(now);
    if (this.#acceptedByMajority(this.#form, now)) {
      this.#groupId = this.#form.groupId;
      return [{ kind: "group", form: this.#form }];
    }
    return this.#impossible(this.#form, now) ? [{ kind: "giveUp", form: this.#form }] : [];
  }

  /** Empty: take the Form of another if it names this incarnation; else propose, if that is allowed. */
  #consider(now: MonotonicMs): readonly FormationAction[] {
    const forms = this.#answers
      .allFresh(now)
      .flatMap(({ status }) => (status.kind === "accepted" ? [status.form] : []));
    const mine = forms.find((form) => form.founders.some((founder) => this.#isSelf(founder)));
    this.#outsider = mine === undefined && this.#hearsOfGroup(now);
    if (mine !== undefined) return this.#accept(mine, now);
    if (!this.#options.proposer || this.#outsider) return [];
    // Before DNS was asked nobody knows whether the set has grown. A group may live in a name that it lists.
    if (this.#options.listed() === null) return [];
    const expected = this.#expected();
    const wereEmpty = this.#answers.wereEmpty(expected, now);
    if (wereEmpty === "perhaps") return asksOf(expected, this.#answers.newQuestion(now));
    return wereEmpty === "yes" ? this.#propose(now) : [];
  }

  #propose(now: MonotonicMs): readonly FormationAction[] {
    const founders = this.#options.others.flatMap((name) => this.#answers.fresh(name, now) ?? []);
    const clocks = founders.map(({ status }) => (status.kind === "empty" ? status.wallSeconds : 0));
    const seconds = Math.max(this.#options.wallSeconds(), ...clocks);
    const form: Form = {
      groupId: this.#options.newId(),
      founders: [this.#options.self, ...founders.map(({ from }) => from)],
      tokenBase: tokenBaseOf(seconds),
    };
    const proposals = this.#options.others.map((to): FormationAction => ({
      kind: "send",
      to,
      message: { kind: "formPropose", form },
    }));
    return [...this.#accept(form, now), ...proposals];
  }

  /** What was heard of a group stays in mind only as long as it is fresh: its last member may be gone for good. */
  #hearsOfGroup(now: MonotonicMs): boolean {
    return this.#answers.allFresh(now).some(({ status }) => status.kind !== "empty");
  }

  #accept(form: Form, now: MonotonicMs): readonly FormationAction[] {
    assert(this.#form === null, "an incarnation accepts one Form");
    this.#form = form;
    return [{ kind: "save", form }, ...this.#decide(now)];
  }

  /** All others of the set as this node knows it, and of the set as DNS lists it: it may have been scaled since. */
  #expected(): readonly string[] {
    return [...new Set([...this.#options.others, ...(this.#options.listed() ?? [])])];
  }

  /** Acceptance is for as long as the incarnation lives. */
  #acceptedByMajority(form: Form, now: MonotonicMs): boolean {
    const accepted = form.founders.filter((founder) => {
      if (this.#isSelf(founder)) return true;
      const heard = this.#answers.fresh(founder.name, now);
      return heard?.from.id === founder.id && groupOf(heard.status) === form.groupId;
    });
    return accepted.length >= majoritySize(form.founders.length);
  }

  #impossible(form: Form, now: MonotonicMs): boolean {
    const left = form.founders.filter((founder) => this.#isSelf(founder) || !this.#isGone(founder, form, now));
    return left.length < majoritySize(form.founders.length);
  }

  /** Its slot is occupied by another incarnation, or it has accepted another Form; silence proves nothing. */
  #isGone(founder: Member, form: Form, now: MonotonicMs): boolean {
    const heard = this.#answers.fresh(founder.name, now);
    if (heard === null) return false;
    const other = groupOf(heard.status);
    return heard.from.id !== founder.id || (other !== null && other !== form.groupId);
  }

  #isSelf(member: Member): boolean {
    return member.id === this.#options.self.id && member.name === this.#options.self.name;
  }
}

/** The group that this status speaks for; null if it is of an empty node. */
function groupOf(status: FormationStatus): string | null {
  if (status.kind === "accepted") return status.form.groupId;
  return status.kind === "member" ? status.groupId : null;
}

function asksOf(names: readonly string[], message: FormationMessage): readonly FormationAction[] {
  return names.map((to) => ({ kind: "send", to, message }));
}

function isSave(action: FormationAction): boolean {
  return action.kind === "save";
}

function isNotSave(action: FormationAction): boolean {
  return action.kind !== "save";
}
