/**
 * The running node: identity, formation, then membership, and the application's view of it all.
 *
 * Invariant: formation's and the core's writes are durable before anything that depends on them is sent; whatever
 * fails for good is reported once through `fatal`, and from then on every answer is "not the leader".
 *
 * Deliberately absent: adapters, processes and signals (main.ts), and changes of membership.
 */
import { assert } from "../base/assert.ts";
import { TenureError } from "../base/errors.ts";
import { MAX_VOTERS } from "../base/limits.ts";
import { logIndex, type Member, type MemberId, term } from "../base/types.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Form, HardState, Snapshot, StoredState } from "../ports/storage.ts";
import type { LocalPeer, PeerMessage, TransportHandlers } from "../ports/transport.ts";
import { Core } from "../raft/core.ts";
import type { Configuration } from "../raft/entry.ts";
import { Contacts } from "./contacts.ts";
import { Founding } from "./founding.ts";
import { Group } from "./group.ts";
import { otherNames, parseSetName } from "./names.ts";
import type { NodeOptions } from "./options.ts";

const NO_STATE: HardState = { term: term(0), votedFor: null, largestPromiseMs: 0 };

export class TenureNode {
  readonly options: NodeOptions;
  readonly contacts = new Contacts();
  readonly #listeners = new Set<() => void>();
  #self: Member | null = null;
  #founding: Founding | null = null;
  #group: Group | null = null;
  #groupId: string | null = null;
  #tokenBase: number | null = null;
  #eligible = true;
  #failed = false;

  constructor(options: NodeOptions) {
    this.options = options;
  }

  get self(): Member | null {
    return this.#self;
  }

  get group(): Group | null {
    return this.#failed ? null : this.#group;
  }

  get groupId(): string | null {
    return this.#groupId;
  }

  get tokenBase(): number | null {
    return this.#tokenBase;
  }

  /** A group exists, and this incarnation is not part of it. */
  get outsider(): boolean {
    return this.#founding?.outsider ?? false;
  }

  get eligible(): boolean {
    return this.#group?.eligible ?? this.#eligible;
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
    const { storage, transport, name, version, replicas, clock, entropy } = this.options;
    const stored = await storage.load();
    this.#self = await this.#identify(stored);
    this.observe({ kind: "started", member: name, incarnation: this.#self.id, version });
    const others = otherNames(name, replicas);
    this.#founding = new Founding({
      self: this.#self,
      others,
      proposer: parseSetName(name)?.ordinal === 0,
      accepted: stored.form,
      grouped: stored.snapshot !== null,
      wallSeconds: () => clock.wallSeconds(),
      newGroupId: entropy.id,
      clock,
      storage,
      transport,
      observe: (event) => this.observe(event),
      becameGrouped: (form) => this.#grouped(form),
      fail: (error) => this.fail(error),
    });
    if (stored.snapshot !== null) this.#rejoin(stored.snapshot, stored);
    transport.setPeers(this.#group === null ? others : this.#peerNames());
    await transport.start(this.#local(), this.#handlers());
    if (this.#group === null) this.#founding.start();
    else this.#group.start();
  }

  /** SIGTERM; see Group.leave. Without a group there is nothing to hand over. */
  async leave(handoverAtOnce: boolean): Promise<void> {
    await this.group?.leave(handoverAtOnce);
  }

  async close(): Promise<void> {
    await this.#group?.stop();
    await this.#founding?.stop();
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
    this.options.fatal(error);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  async #identify(stored: StoredState): Promise<Member> {
    const { name, storage, entropy } = this.options;
    if (stored.identity !== null) {
      if (stored.identity.name !== name) {
        const found = stored.identity.name;
        throw new TenureError(
          "storage_in_use",
          `the data directory belongs to "${found}", this pod is "${name}": give each pod a directory of its own`,
        );
      }
      return stored.identity;
    }
    const identity = { id: entropy.id(), name };
    await storage.saveIdentity(identity);
    return identity;
  }

  #local(): LocalPeer {
    assert(this.#self !== null, "the identity is known before anyone is spoken to");
    return { group: this.options.group, groupId: this.#groupId, self: this.#self, version: this.options.version };
  }

  #handlers(): TransportHandlers {
    return {
      message: (from, message, groupId) => this.#onMessage(from, message, groupId),
      connected: (peer, groupId, version) => {
        this.contacts.connected(peer, version);
        this.observe({ kind: "peerConnected", peer: peer.name, incarnation: peer.id, version });
        if (groupId === null && this.#group === null) {
          this.options.transport.sendTo(peer.name, { kind: "formQuery" });
        }
      },
      disconnected: (peer) => this.observe({ kind: "peerDisconnected", peer }),
      fault: (code, where, message) => this.observe({ kind: "fault", code, where, message }),
      roundTrip: (peer, durationMs) => this.observe({ kind: "peerRoundTrip", peer, durationMs }),
    };
  }

  #onMessage(from: Member, message: PeerMessage, groupId: string | null): void {
    this.contacts.heard(from, this.options.clock.monotonic());
    switch (message.kind) {
      case "formQuery":
      case "formStatus":
      case "formPropose":
      case "formReply":
        return this.#founding?.receive(from, message);
      default:
        if (this.#group === null || groupId !== this.#groupId) return;
        if (!this.#group.offer({ kind: "message", from, message })) {
          this.observe({ kind: "fault", code: "peer_overflow", where: from.name, message: "the input queue is full" });
        }
    }
  }

  /** The moment at which a founder becomes a member: the snapshot of the Form makes it durable. */
  async #grouped(form: Form): Promise<void> {
    const snapshot: Snapshot = {
      index: logIndex(0),
      term: term(0),
      groupId: form.groupId,
      configuration: configurationOf(form),
      tokenBase: form.tokenBase,
      removed: [],
      lock: [],
    };
    await this.options.storage.saveSnapshot(snapshot);
    this.#become(snapshot, { hardState: NO_STATE, entries: [] });
    const founders = form.founders.map((founder) => founder.name);
    this.observe({ kind: "formed", groupId: form.groupId, founders, tokenBase: form.tokenBase });
    this.options.transport.setPeers(this.#peerNames());
    this.options.transport.setLocal(this.#local());
    this.#group?.start();
    this.changed();
  }

  #rejoin(snapshot: Snapshot, stored: StoredState): void {
    this.#become(snapshot, stored);
    const lastIndex = stored.entries.at(-1)?.index ?? snapshot.index;
    this.observe({ kind: "rejoined", groupId: snapshot.groupId, term: stored.hardState.term, lastIndex });
  }

  #become(snapshot: Snapshot, { hardState, entries }: Pick<StoredState, "hardState" | "entries">): void {
    assert(this.#self !== null, "the identity comes first");
    const { clock, storage, timing, priority, entropy, drainTimeoutMs, transport } = this.options;
    this.#groupId = snapshot.groupId;
    this.#tokenBase = snapshot.tokenBase;
    const { index, term: baseTerm, configuration, tokenBase, lock } = snapshot;
    const core = new Core({
      self: this.#self,
      timing,
      priority,
      seed: entropy.seed(),
      base: { index, term: baseTerm, configuration },
      tokenBase,
      lock,
      hardState,
      entries,
      bootedAt: clock.now(),
    });
    this.#group = new Group({
      core,
      clock,
      storage,
      drainTimeoutMs,
      handoverTimeoutMs: timing.leaseDurationMs,
      send: (to, message) => {
        transport.send(to, message);
      },
      observe: (event) => this.observe(event),
      changed: () => this.changed(),
      fail: (error) => this.fail(error),
    });
    if (!this.#eligible) this.#group.startIneligible();
  }

  #peerNames(): readonly string[] {
    const members = this.#group?.core.members ?? [];
    const names = members.filter((member) => member.id !== this.#self?.id).map((member) => member.name);
    this.contacts.keep(names);
    return names;
  }

  isConnected(name: string, id: MemberId): boolean {
    return this.options.transport.connectedId(name) === id;
  }
}

/** The founders vote, up to MAX_VOTERS in the order of their ordinals; further ones listen (DESIGN, Membership). */
export function configurationOf(form: Form): Configuration {
  const byOrdinal = form.founders.toSorted(
    (a, b) => (parseSetName(a.name)?.ordinal ?? 0) - (parseSetName(b.name)?.ordinal ?? 0),
  );
  return { voters: byOrdinal.slice(0, MAX_VOTERS), learners: byOrdinal.slice(MAX_VOTERS) };
}
