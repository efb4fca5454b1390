/**
 * The running node: identity, then a way into a group (formed, joined or rescued), then membership until the end of it.
 *
 * Invariant: formation's and the core's writes are durable before anything that depends on them is sent; whatever
 * fails for good is reported once through `fatal`, and from then on every answer is "not the leader". An incarnation
 * that learns of its own removal forgets everything and starts again as a new one.
 *
 * Deliberately absent: adapters, processes and signals (main.ts), and decisions: see formation.ts, membership.ts and
 * rescue.ts.
 *
 * Longer than 300 lines because the ways into a group and out of it share one state and must not overlap: apart, each
 * would need the others' inside.
 */
import { present } from "../base/assert.ts";
import { messageOf, TenureError } from "../base/errors.ts";
import { type Member, term } from "../base/types.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Form, HardState, Snapshot, StoredState } from "../ports/storage.ts";
import type { LocalPeer } from "../ports/transport.ts";
import type { Effects } from "../raft/effect.ts";
import { isMemberOf } from "../raft/entry.ts";
import { snapshotOfForm } from "./founders.ts";
import { Founding } from "./founding.ts";
import type { Group } from "./group.ts";
import { Life } from "./life.ts";
import { handlersOf } from "./mail.ts";
import { otherNames, parseSetName } from "./names.ts";
import { Peers } from "./peers.ts";
import type { NodeOptions } from "./options.ts";
import { isMajorityGone, refusal, replaced, rescued } from "./rescue.ts";

type LogState = Pick<StoredState, "hardState" | "entries">;

const NO_STATE: HardState = { term: term(0), votedFor: null, largestPromiseMs: 0 };
const NO_LOG: LogState = { hardState: NO_STATE, entries: [] };

export class TenureNode {
  readonly options: NodeOptions;
  readonly peers: Peers;
  readonly #listeners = new Set<() => void>();
  #self: Member | null = null;
  #founding: Founding | null = null;
  #life: Life | null = null;
  #eligible = true;
  #failed = false;
  /** Between two lives: one is over and the next has not begun. */
  #changing = false;
  #change: Promise<void> = Promise.resolve();
  #leaving = false;

  constructor(options: NodeOptions) {
    this.options = options;
    this.peers = new Peers({
      ...options,
      others: this.#others(),
      membership: () => (this.#life === null ? null : { self: this.#me(), core: this.#life.group.core }),
    });
  }

  get self(): Member | null {
    return this.#self;
  }

  get group(): Group | null {
    return this.#failed ? null : (this.#life?.group ?? null);
  }

  get groupId(): string | null {
    return this.#life?.groupId ?? null;
  }

  get tokenBase(): number | null {
    return this.#life?.tokenBase ?? null;
  }

  /** A group exists, and this incarnation is not part of it. */
  get outsider(): boolean {
    return this.#founding?.outsider ?? false;
  }

  /** Who has not answered, while there is no group here; see Founding.silent. */
  get silent(): readonly string[] {
    return this.#founding?.silent(this.options.clock.monotonic()) ?? [];
  }

  get eligible(): boolean {
    return this.group?.eligible ?? this.#eligible;
  }

  /** Before there is a group: what the core will begin with. */
  eligibleAtStart(eligible: boolean): void {
    this.#eligible = eligible;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the disk, listens, and joins in. Throws `storage_*`, or what the peer port says. */
  async start(): Promise<void> {
    const { storage, transport } = this.options;
    const stored = await storage.load();
    const { snapshot } = stored;
    this.#founding = this.#newFounding(await this.#identify(stored.identity), stored.form, snapshot?.groupId ?? null);
    if (snapshot !== null) {
      this.#become(snapshot, stored);
      const lastIndex = stored.entries.at(-1)?.index ?? snapshot.index;
      this.observe({ kind: "rejoined", groupId: snapshot.groupId, term: stored.hardState.term, lastIndex });
    }
    this.peers.keep();
    await transport.start(this.#local(), this.#handlers());
    if (this.#life === null) this.#founding.start();
    else this.#life.group.start();
    this.changed();
  }

  /**
   * SIGTERM; see Group.leave. A member whose disk goes with its pod is then removed, so that those who stay need not
   * count it. Without a group there is nothing to hand over.
   */
  async leave(handoverAtOnce: boolean): Promise<void> {
    this.#leaving = true;
    // Without a group there is no way into one any more; one that has been decided upon is entered, and then left.
    if (this.#changing) await this.#change;
    if (this.#life === null) await this.#founding?.stop();
    await this.group?.leave(handoverAtOnce);
    if (this.options.ephemeral) await this.group?.depart();
  }

  /**
   * `tenure init`: a group of this node alone, for the others to join. Rejects with `init_refused` where a group exists
   * or could be forming.
   */
  async init(): Promise<void> {
    const formed = this.#life === null && (await this.#founding?.formAlone()) === true;
    if (formed) return;
    const exists = this.#life !== null || this.outsider;
    throw new TenureError("init_refused", exists ? "a group exists already" : "only ordinal 0 may form a group alone");
  }

  /** Voters whose names are taken by new incarnations. */
  get emptied(): readonly Member[] {
    return this.group === null ? [] : replaced(this.peers.survey(this.#me(), this.group.core));
  }

  /** Pods that are in another group of this name: there were two rescues, or a group came back that was given up. */
  get rivals(): readonly string[] {
    return this.peers.rivals;
  }

  /** Whether so many came back without their data that only a person can help. */
  get rescueNeeded(): boolean {
    return this.group !== null && isMajorityGone(this.peers.survey(this.#me(), this.group.core));
  }

  /**
   * `tenure rescue`: a new group of this member alone, with tokens above all of the old one, in one durable step.
   * Rejects with `rescue_refused`.
   *
   * @param confirm the id of the group that is given up
   * @param lost names of pods that are gone with their disks, by a person's word
   */
  async rescue(confirm: string, lost: readonly string[]): Promise<void> {
    const refuse = (why: string): TenureError => new TenureError("rescue_refused", why);
    const listed = await this.#siblings().catch((error: unknown) => {
      throw refuse(`DNS does not say which pods there are, so some may be members unseen: ${messageOf(error)}`);
    });
    const life = this.#life;
    if (life === null || this.#changing || this.#leaving) throw refuse("this pod is not a member of a group");
    if (confirm !== life.groupId) throw refuse(`to confirm, give the id of this pod's group: ${life.groupId}`);
    const set = [...this.#others(), ...listed];
    const why = refusal({ ...this.peers.survey(this.#me(), life.group.core), set }, lost);
    if (why !== null) throw refuse(why);
    await this.#between(async () => {
      const { storage } = this.options;
      const self = this.#me();
      const { hardState, snapshot } = rescued(self, life.group.core, life.tokenBase, this.options);
      await storage.append({ hardState, entries: [] });
      await storage.saveSnapshot(snapshot);
      this.#founding = this.#newFounding(self, null, snapshot.groupId);
      this.#enter(snapshot, { hardState, entries: [] });
      this.observe({ kind: "rescued", groupId: snapshot.groupId, tokenBase: snapshot.tokenBase });
    });
  }

  async close(): Promise<void> {
    await this.#change;
    await this.#founding?.stop();
    await this.#life?.group.stop();
    await this.options.transport.close();
    await this.options.storage.close();
  }

  observe(event: NodeEvent): void {
    this.options.observer.observe(event);
  }

  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.changed();
    // The process may take a moment to end, and what this node knows may not be on its disk.
    void this.options.transport.close().catch(() => {});
    this.options.fatal(error);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** The identity on the disk, or a new one. */
  async #identify(stored: Member | null): Promise<Member> {
    const { name, storage, entropy, version } = this.options;
    if (stored !== null && stored.name !== name) {
      const owner = `the data directory belongs to "${stored.name}", this pod is "${name}"`;
      throw new TenureError("storage_in_use", `${owner}: give each pod a directory of its own`);
    }
    const identity = stored ?? { id: entropy.id(), name };
    if (stored === null) await storage.saveIdentity(identity);
    this.#self = identity;
    this.observe({ kind: "started", member: name, incarnation: identity.id, version });
    return identity;
  }

  #me(): Member {
    return present(this.#self, "the identity comes first");
  }

  #newFounding(self: Member, accepted: Form | null, groupId: string | null): Founding {
    const { name, clock, entropy, storage, transport } = this.options;
    return new Founding({
      self,
      others: this.#others(),
      proposer: parseSetName(name)?.ordinal === 0,
      accepted,
      groupId,
      wallSeconds: () => clock.wallSeconds(),
      newId: entropy.id,
      siblings: () => this.#siblings(),
      met: (names) => {
        for (const each of names) this.peers.mayNeedAnswer(each);
      },
      clock,
      storage,
      transport,
      observe: (event) => this.observe(event),
      becameGrouped: (form) => this.#formed(form),
      changed: () => this.changed(),
      gaveUp: (form) => this.#startAnew({ kind: "formationGivenUp", groupId: form.groupId }),
      fail: (error) => this.fail(error),
    });
  }

  #siblings(): Promise<readonly string[]> {
    return this.options.siblings?.() ?? Promise.resolve([]);
  }

  #others(): readonly string[] {
    return otherNames(this.options.name, this.options.replicas);
  }

  #local(): LocalPeer {
    const { group, version } = this.options;
    return { group, groupId: this.groupId, self: this.#me(), version };
  }

  #handlers(): ReturnType<typeof handlersOf> {
    return handlersOf({
      clock: this.options.clock,
      contacts: this.peers.contacts,
      self: () => this.#self,
      founding: () => this.#founding,
      life: () => this.#life,
      observe: (event) => this.observe(event),
      mayNeedAnswer: (name) => this.peers.mayNeedAnswer(name),
      otherGroup: (name, isRefused) => this.peers.otherGroup(name, isRefused),
      joined: (snapshot) => this.#joined(snapshot),
      removed: (groupId) => this.#removed(groupId),
    });
  }

  /** The moment at which a founder becomes a member: the snapshot of the Form makes it durable. */
  async #formed(form: Form): Promise<void> {
    const { groupId, tokenBase } = form;
    const snapshot = snapshotOfForm(form);
    await this.options.storage.saveSnapshot(snapshot);
    const founders = form.founders.map((founder) => founder.name);
    this.#enter(snapshot, NO_LOG);
    this.observe({ kind: "formed", groupId, founders, tokenBase });
  }

  /** A leader says that a committed configuration names this incarnation. It has never voted or promised anything. */
  #joined(snapshot: Snapshot): void {
    const { configuration, groupId, term: atTerm, index } = snapshot;
    const founding = this.#founding;
    const isNamed = this.#self !== null && isMemberOf(configuration, this.#self.id);
    if (!isNamed || founding === null) return;
    founding.alone(async () => {
      if (!founding.mayJoin || founding !== this.#founding || this.#changing) return;
      founding.joined(groupId);
      await this.options.storage.saveSnapshot(snapshot);
      this.#enter(snapshot, NO_LOG);
      this.observe({ kind: "joined", groupId, term: atTerm, index });
    });
  }

  /** A member of that group says that this incarnation is out of it. */
  #removed(groupId: string): void {
    const founding = this.#founding;
    if (this.#life !== null) {
      if (this.#life.groupId === groupId) this.#startAnew({ kind: "removed" });
      return;
    }
    // It was taken in and removed before it ever heard of it. It has nothing to forget but who it is.
    founding?.alone(() => {
      if (founding === this.#founding && founding.mayJoin) this.#startAnew({ kind: "removed" });
      return Promise.resolve();
    });
  }

  /** What this incarnation knows is worth nothing, and what it is must never act again. */
  #startAnew(why: NodeEvent): void {
    const { storage, transport } = this.options;
    if (this.#changing || this.#leaving) return;
    this.observe(why);
    void this.#between(async () => {
      await storage.wipe();
      this.#founding = this.#newFounding(await this.#identify(null), null, null);
      this.peers.keep();
      transport.setLocal(this.#local());
      this.#founding.start();
    });
  }

  /** One life at a time: the last write of the old one is done before the first of the new one. */
  #between(change: () => Promise<void>): Promise<void> {
    this.#changing = true;
    this.#change = this.#carryOut(change);
    return this.#change;
  }

  async #carryOut(change: () => Promise<void>): Promise<void> {
    try {
      await this.#founding?.stop();
      await this.#life?.group.stop();
      this.#eligible = this.eligible;
      this.#life = null;
      this.changed();
      await change();
    } catch (error) {
      this.fail(error);
    } finally {
      this.#changing = false;
      this.changed();
    }
  }

  #enter(snapshot: Snapshot, state: LogState): void {
    const { transport } = this.options;
    const { group } = this.#become(snapshot, state);
    this.peers.keep();
    transport.setLocal(this.#local());
    group.start();
    this.changed();
  }

  #become(snapshot: Snapshot, { hardState, entries }: LogState): Life {
    const life = new Life({
      node: this.options,
      self: this.#me(),
      snapshot,
      state: { hardState, entries },
      observe: (event) => this.observe(event),
      after: (batch) => this.#afterBatch(life, batch),
      changed: () => this.changed(),
      fail: (error) => this.fail(error),
    });
    this.#life = life;
    if (!this.#eligible) life.group.startIneligible();
    return life;
  }

  #afterBatch(life: Life, batch: readonly Effects[]): void {
    const now = this.options.clock.now();
    const kinds = new Set(batch.flatMap(({ events }) => events).map(({ kind }) => kind));
    const isChanged = kinds.has("configurationChanged") || kinds.has("configurationCommitted");
    this.peers.forget(now.monotonicMs, isChanged);
    if (kinds.has("removed")) return this.#startAnew({ kind: "removed" });
    const isStranded = life.isStranded(this.rivals, now);
    if (isStranded) return this.#startAnew({ kind: "stranded", groupId: life.groupId });
    if (!this.#leaving && life.mayBeOut(now)) life.askToJoin();
    life.lookAtMembers(now);
  }
}
