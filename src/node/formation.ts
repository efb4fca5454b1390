/**
 * First start: from n empty directories to one group (DESIGN, Formation).
 *
 * A node is empty, then has accepted one Form, then is grouped. It is grouped once a majority of the Form's founders is
 * known to have accepted it. Only ordinal 0 proposes, and only when every other name has answered, lately, that it is
 * empty; silence means wait.
 *
 * DNS may hold a formation back, by a name that it lists; it can never bring one about.
 *
 * Invariant: an incarnation accepts one Form, durably, before it says so. One that it accepted is dropped only when no
 * other founder can ever accept it: each of their slots is occupied by another incarnation or has another Form.
 *
 * A node that hears of a group which it cannot be a founder of asks to be taken in instead; see src/node/admission.ts.
 *
 * Deliberately absent: I/O. Actions are carried out in order by the node.
 */
import { assert } from "../base/assert.ts";
import { MAX_DNS_RECORDS, MAX_MEMBERS, MAX_WALL_SECONDS } from "../base/limits.ts";
import type { Member, MonotonicMs } from "../base/types.ts";
import { majoritySize } from "../lease/majority.ts";
import { tokenBaseOf } from "../lease/token.ts";
import type { Form } from "../ports/storage.ts";
import type { FormationMessage, FormationStatus, IntroductoryMessage } from "../ports/transport.ts";

/** An answer older than this says nothing of now; it is several times the interval of asking. */
export const STATUS_FRESH_MS = 1_500;
/** How often a node without a group asks the others. */
export const FORMATION_INTERVAL_MS = 200;

/** Names of which something is kept: every one of a set and of its DNS records, and some room for strangers. */
const MAX_HEARD = MAX_MEMBERS + MAX_DNS_RECORDS;

export type FormationAction =
  | { readonly kind: "send"; readonly to: string; readonly message: IntroductoryMessage }
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
  /** The group that this node is a member of already; null while it has none. */
  readonly groupId: string | null;
  /** Names that DNS lists, also beyond the set as this node knows it; null while nobody has looked. */
  readonly listed: () => readonly string[] | null;
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
  #groupId: string | null;
  #outsider = false;

  constructor(options: FormationOptions) {
    this.#options = options;
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
    return this.#expected().filter((name) => this.#fresh(name, now) === null);
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
    this.#forgetStrangers(now);
    // Also those who are not of the set as this node knows it: a set may have been scaled.
    const names = [...new Set([...this.#expected(), ...this.#heard.keys()])];
    const asks = names.map((to): FormationAction => ({ kind: "send", to, message: { kind: "formQuery" } }));
    return [...decided, ...asks];
  }

  /**
   * By hand: a group of this node alone, for the others to join. Null if that could make a second group as far as this
   * node can tell; only the one that proposes may do it, so that no proposal crosses it.
   */
  formAlone(now: MonotonicMs): readonly FormationAction[] | null {
    if (!this.mayJoin || this.#hearsOfGroup(now) || !this.#options.proposer) return null;
    const { self, newGroupId, wallSeconds } = this.#options;
    return this.#accept({ groupId: newGroupId(), founders: [self], tokenBase: tokenBaseOf(wallSeconds()) }, now);
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
    if (this.grouped) return [];
    if (status.kind === "empty" && status.wallSeconds > MAX_WALL_SECONDS) return [];
    const isExpected = this.#expected().includes(from.name);
    if (!isExpected && !this.#heard.has(from.name) && this.#heard.size >= MAX_HEARD) return [];
    this.#heard.set(from.name, { from, status, at: now });
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
    if (this.#impossible(this.#form, now)) {
      this.#form = null;
      return [{ kind: "save", form: null }];
    }
    return [];
  }

  /** Empty: take the Form of another if it names this incarnation; else propose, if that is allowed. */
  #consider(now: MonotonicMs): readonly FormationAction[] {
    const forms = [...this.#heard.values()]
      .filter(({ at }) => isFresh(at, now))
      .flatMap(({ status }) => (status.kind === "accepted" ? [status.form] : []));
    const mine = forms.find((form) => form.founders.some((founder) => this.#isSelf(founder)));
    this.#outsider = mine === undefined && this.#hearsOfGroup(now);
    if (mine !== undefined) return this.#accept(mine, now);
    if (!this.#options.proposer || this.#outsider) return [];
    const founders = this.#emptyFounders(now);
    if (founders === null || !this.#strangersAreEmpty(now)) return [];
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

  /** What was heard of a group stays in mind only as long as it is fresh: its last member may be gone for good. */
  #hearsOfGroup(now: MonotonicMs): boolean {
    return [...this.#heard.values()].some(({ status, at }) => status.kind !== "empty" && isFresh(at, now));
  }

  #accept(form: Form, now: MonotonicMs): readonly FormationAction[] {
    assert(this.#form === null, "an incarnation accepts one Form");
    this.#form = form;
    return [{ kind: "save", form }, ...this.#decide(now)];
  }

  /** Names outside the set are kept only while they talk. */
  #forgetStrangers(now: MonotonicMs): void {
    for (const [name, { at }] of this.#heard) {
      if (!isFresh(at, now) && !this.#options.others.includes(name)) this.#heard.delete(name);
    }
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

  /**
   * A set that was scaled up after its pods were configured has more names than this node expects. If DNS lists one, a
   * group may live there: a name that does not answer that it is empty holds the formation back.
   */
  #strangersAreEmpty(now: MonotonicMs): boolean {
    const strangers = this.#expected().filter((name) => !this.#options.others.includes(name));
    return (
      this.#options.listed() !== null && strangers.every((name) => this.#fresh(name, now)?.status.kind === "empty")
    );
  }

  #expected(): readonly string[] {
    return [...new Set([...this.#options.others, ...(this.#options.listed() ?? [])])];
  }

  /** Acceptance is for ever, so an old answer of that very incarnation is as good as a new one. */
  #acceptedByMajority(form: Form, now: MonotonicMs): boolean {
    const accepted = form.founders.filter((founder) => {
      if (this.#isSelf(founder)) return true;
      const heard = this.#heard.get(founder.name);
      if (heard === undefined || heard.from.id !== founder.id) return false;
      return groupOf(heard.status) === form.groupId && isFresh(heard.at, now);
    });
    return accepted.length >= majoritySize(form.founders.length);
  }

  #impossible(form: Form, now: MonotonicMs): boolean {
    const others = form.founders.filter((founder) => !this.#isSelf(founder));
    return others.every((founder) => {
      const heard = this.#fresh(founder.name, now);
      if (heard === null) return false;
      if (heard.from.id !== founder.id) return true;
      const other = groupOf(heard.status);
      return other !== null && other !== form.groupId;
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

/** The group that this status speaks for; null if it is of an empty node. */
function groupOf(status: FormationStatus): string | null {
  if (status.kind === "accepted") return status.form.groupId;
  return status.kind === "member" ? status.groupId : null;
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
