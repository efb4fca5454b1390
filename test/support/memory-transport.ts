/**
 * A network of transports in one process, without sockets: for tests of what stands on the transport.
 *
 * Invariant: it keeps the port's contract (test/contract/transport.contract.ts): the same rules of group, name and
 * incarnation, messages as copies, in order, never during the call that sends them.
 *
 * Deliberately absent: bytes, certificates, pings and time. Whoever wants loss or delay cuts links.
 */
import { setImmediate } from "node:timers";
import { assert, present } from "../../src/base/assert.ts";
import type { MemberId } from "../../src/base/types.ts";
import type {
  IntroductoryMessage,
  LocalPeer,
  PeerMessage,
  Transport,
  TransportHandlers,
} from "../../src/ports/transport.ts";
import type { Member } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";

/** One direction of talk; replaced by a new one whenever either end says something else of itself. */
interface Link {
  readonly to: MemoryTransport;
  readonly toEpoch: number;
  readonly peer: Member;
  readonly groupId: string | null;
}

export class MemoryNetwork {
  readonly #started = new Map<string, MemoryTransport>();
  readonly #cuts = new Set<string>();

  transport(): MemoryTransport {
    return new MemoryTransport(this);
  }

  /** No link from one to the other any more, until it is healed. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
    this.settle();
  }

  heal(): void {
    this.#cuts.clear();
    this.settle();
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`);
  }

  find(name: string): MemoryTransport | undefined {
    return this.#started.get(name);
  }

  join(name: string, transport: MemoryTransport): void {
    this.#started.set(name, transport);
    this.settle();
  }

  leave(name: string, transport: MemoryTransport): void {
    if (this.#started.get(name) === transport) this.#started.delete(name);
    this.settle();
  }

  /** Makes and breaks links so that they are what the state of all ends asks for. */
  settle(): void {
    setImmediate(() => {
      for (const transport of this.#started.values()) transport.settle();
    });
  }
}

export class MemoryTransport implements Transport {
  readonly #network: MemoryNetwork;
  readonly #links = new Map<string, Link>();
  #names: readonly string[] = [];
  #local: LocalPeer | null = null;
  #handlers: TransportHandlers | null = null;
  #epoch = 0;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  get local(): LocalPeer {
    return present(this.#local, "a transport knows its own node once it is started");
  }

  get epoch(): number {
    return this.#epoch;
  }

  start(local: LocalPeer, handlers: TransportHandlers): Promise<void> {
    assert(this.#local === null, "a transport is started once");
    this.#local = local;
    this.#handlers = handlers;
    this.#network.join(local.self.name, this);
    return Promise.resolve();
  }

  setLocal(local: LocalPeer): void {
    this.#local = local;
    this.#epoch += 1;
    for (const name of this.#links.keys()) this.#unlink(name);
    this.#network.settle();
  }

  setPeers(names: readonly string[]): void {
    this.#names = names;
    assert(!names.includes(this.#local?.self.name ?? ""), "a node is not its own peer");
    for (const name of this.#links.keys()) {
      if (!names.includes(name)) this.#unlink(name);
    }
    this.#network.settle();
  }

  sendTo(name: string, message: IntroductoryMessage): boolean {
    const link = this.#links.get(name);
    if (link === undefined) return false;
    this.#pass(name, link, message);
    return true;
  }

  send(to: Member, message: Message): boolean {
    const link = this.#links.get(to.name);
    if (link === undefined || link.peer.id !== to.id || link.groupId === null) return false;
    this.#pass(to.name, link, message);
    return true;
  }

  connectedId(name: string): MemberId | null {
    return this.#links.get(name)?.peer.id ?? null;
  }

  close(): Promise<void> {
    this.#handlers = null;
    this.#links.clear();
    if (this.#local !== null) this.#network.leave(this.#local.self.name, this);
    return Promise.resolve();
  }

  settle(): void {
    for (const name of this.#names) {
      if (this.#handlers === null) return;
      const other = this.#network.find(name);
      const link = this.#links.get(name);
      const isReachable = other !== undefined && !this.#network.isCut(this.local.self.name, name);
      if (link !== undefined && (!isReachable || link.to !== other || link.toEpoch !== other.epoch)) this.#unlink(name);
      if (isReachable && !this.#links.has(name)) this.#link(name, other);
    }
  }

  #link(name: string, to: MemoryTransport): void {
    const { group, groupId, self, version } = to.local;
    const isOther = groupId !== null && this.local.groupId !== null && groupId !== this.local.groupId;
    if (group !== this.local.group || isOther) {
      this.#handlers?.fault("peer_group", name, "belongs to another group");
      return;
    }
    const agreed = groupId === this.local.groupId ? groupId : null;
    this.#links.set(name, { to, toEpoch: to.epoch, peer: self, groupId: agreed });
    this.#handlers?.connected(self, agreed, version);
  }

  #unlink(name: string): void {
    this.#links.delete(name);
    this.#handlers?.disconnected(name);
  }

  #pass(name: string, link: Link, message: PeerMessage): void {
    const from = this.local.self;
    const copy = structuredClone(message);
    setImmediate(() => {
      if (this.#links.get(name) === link) link.to.receive(from, copy, link);
    });
  }

  receive(from: Member, message: PeerMessage, link: Link): void {
    if (link.toEpoch === this.#epoch) this.#handlers?.message(from, message, link.groupId);
  }
}
