/**
 * First start: from n empty directories to one group (DESIGN, Formation).
 *
 * A node is empty, then has accepted one Form, then is grouped. It is grouped once a majority of the Form's founders is
 * known to have accepted it. Only ordinal 0 proposes, and only when every other name has answered, lately, that it is
 * empty; silence means wait.
 *
 * Invariant: an incarnation accepts one Form, durably, before it says so. One that it accepted is dropped only when no
 * other founder can ever accept it: each of their slots is occupied by another incarnation or has another Form.
 *
 * Deliberately absent: I/O. Actions are carried out in order by the node; DNS never decides anything here. Joining a
 * group that exists comes with changes of membership.
 */
import { assert } from "../base/assert.ts";
import type { Member, MonotonicMs } from "../base/types.ts";
import { majoritySize } from "../lease/majority.ts";
import { tokenBaseOf } from "../lease/token.ts";
import type { Form } from "../ports/storage.ts";
import type { FormationMessage, FormationStatus } from "../ports/transport.ts";

/** An answer older than this says nothing of now; it is several times the interval of asking. */
export const STATUS_FRESH_MS = 1_500;
/** How often a node without a group asks the others. */
export const FORMATION_INTERVAL_MS = 200;

export type FormationAction =
  | { readonly kind: "send"; readonly to: string; readonly message: FormationMessage }
  | { readonly kind: "save"; readonly form: Form | null }
  /** Begin as a founder of this Form. */
  | { readonly kind: "group"; readonly form: Form };

export interface FormationOptions {
  readonly self: Member;
  /** All names of the set but this node's own. */
  readonly others: readonly string[];
  readonly proposer: boolean;
  /** As the disk has it. */
  readonly accepted: Form | null;
  /** The accepted Form has led to a vote or an append: this node is grouped already. */
  readonly grouped: boolean;
  readonly wallSeconds: () => number;
  /** 32 random hexadecimal digits. */
  readonly newGroupId: () => string;
}

interface Heard {
  readonly from: Member;
  readonly status: FormationStatus;
  readonly at: MonotonicMs;
}

export class Formation {
  readonly #options: FormationOptions;
  readonly #heard = new Map<string, Heard>();
  #form: Form | null;
  #grouped: boolean;
  #outsider = false;

  constructor(options: FormationOptions) {
    this.#options = options;
    this.#form = options.accepted;
    this.#grouped = options.grouped;
  }

  get grouped(): boolean {
    return this.#grouped;
  }

  /** A group exists and this incarnation is not one of its founders. */
  get outsider(): boolean {
    return this.#outsider;
  }

  /** Names that have not answered lately. */
  silent(now: MonotonicMs): readonly string[] {
    return this.#options.others.filter((name) => this.#fresh(name, now) === null);
  }

  status(): FormationStatus {
    if (this.#form !== null) return { kind: "accepted", form: this.#form };
    return { kind: "empty", wallSeconds: this.#options.wallSeconds() };
  }

  /** Every FORMATION_INTERVAL_MS while not grouped, and once at the start. */
  tick(now: MonotonicMs): readonly FormationAction[] {
    if (this.#grouped) return [];
    const asks = this.#options.others.map((to): FormationAction => ({
      kind: "send",
      to,
      message: { kind: "formQuery" },
    }));
    return [...this.#decide(now), ...asks];
  }

  receive(from: Member, message: FormationMessage, now: MonotonicMs): readonly FormationAction[] {
    switch (message.kind) {
      case "formQuery":
        return [{ kind: "send", to: from.name, message: { kind: "formStatus", status: this.status() } }];
      case "formStatus":
        return this.#hear(from, message.status, now);
      case "formPropose": {
        const actions = this.#hear(from, { kind: "accepted", form: message.form }, now);
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
        return this.#hear(from, message.status, now);
    }
  }

  #hear(from: Member, status: FormationStatus, now: MonotonicMs): readonly FormationAction[] {
    this.#heard.set(from.name, { from, status, at: now });
    return this.#grouped ? [] : this.#decide(now);
  }

  #decide(now: MonotonicMs): readonly FormationAction[] {
    if (this.#form === null) return this.#consider(now);
    if (this.#acceptedByMajority(this.#form, now)) {
      this.#grouped = true;
      return [{ kind: "group", form: this.#form }];
    }
    if (this.#impossible(this.#form, now)) {
      this.#form = null;
      return [{ kind: "save", form: null }];
    }
    return [];
  }

  /** Empty: take the Form of another if it names this incarnation; else propose, if that is allowed. */
  #consider(now: MonotonicMs): readonly FormationAction[] {
    const forms = [...this.#heard.values()].flatMap(({ status }) => (status.kind === "accepted" ? [status.form] : []));
    const mine = forms.find((form) => form.founders.some((founder) => this.#isSelf(founder)));
    if (mine !== undefined) return this.#accept(mine, now);
    // What was heard of a group stays in mind only as long as it is fresh: its last member may be gone for good.
    this.#outsider = [...this.#heard.values()].some(({ status, at }) => status.kind !== "empty" && isFresh(at, now));
    if (!this.#options.proposer || this.#outsider) return [];
    const founders = this.#emptyFounders(now);
    if (founders === null) return [];
    const seconds = Math.max(this.#options.wallSeconds(), ...founders.map(({ wallSeconds }) => wallSeconds));
    const form: Form = {
      groupId: this.#options.newGroupId(),
      founders: [this.#options.self, ...founders.map(({ member }) => member)],
      tokenBase: tokenBaseOf(seconds),
    };
    const proposals = this.#options.others.map((to): FormationAction => ({
      kind: "send",
      to,
      message: { kind: "formPropose", form },
    }));
    return [...this.#accept(form, now), ...proposals];
  }

  #accept(form: Form, now: MonotonicMs): readonly FormationAction[] {
    assert(this.#form === null, "an incarnation accepts one Form");
    this.#form = form;
    return [{ kind: "save", form }, ...this.#decide(now)];
  }

  /** All others, or null unless each has answered lately that it is empty. */
  #emptyFounders(now: MonotonicMs): readonly { readonly member: Member; readonly wallSeconds: number }[] | null {
    const founders = [];
    for (const name of this.#options.others) {
      const heard = this.#fresh(name, now);
      if (heard === null || heard.status.kind !== "empty") return null;
      founders.push({ member: heard.from, wallSeconds: heard.status.wallSeconds });
    }
    return founders;
  }

  /** Acceptance is for ever, so an old answer of that very incarnation is as good as a new one. */
  #acceptedByMajority(form: Form, now: MonotonicMs): boolean {
    const accepted = form.founders.filter((founder) => {
      if (this.#isSelf(founder)) return true;
      const heard = this.#heard.get(founder.name);
      if (heard === undefined || heard.from.id !== founder.id) return false;
      return heard.status.kind === "accepted" && heard.status.form.groupId === form.groupId && isFresh(heard.at, now);
    });
    return accepted.length >= majoritySize(form.founders.length);
  }

  #impossible(form: Form, now: MonotonicMs): boolean {
    const others = form.founders.filter((founder) => !this.#isSelf(founder));
    return others.every((founder) => {
      const heard = this.#fresh(founder.name, now);
      if (heard === null) return false;
      if (heard.from.id !== founder.id) return true;
      return heard.status.kind === "accepted" && heard.status.form.groupId !== form.groupId;
    });
  }

  #fresh(name: string, now: MonotonicMs): Heard | null {
    const heard = this.#heard.get(name);
    return heard !== undefined && isFresh(heard.at, now) ? heard : null;
  }

  #isSelf(member: Member): boolean {
    return member.id === this.#options.self.id && member.name === this.#options.self.name;
  }
}

function isFresh(at: MonotonicMs, now: MonotonicMs): boolean {
  return now - at <= STATUS_FRESH_MS;
}

function isSave(action: FormationAction): boolean {
  return action.kind === "save";
}

function isNotSave(action: FormationAction): boolean {
  return action.kind !== "save";
}
