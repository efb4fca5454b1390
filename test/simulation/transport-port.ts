/**
 * The transport port of one life of a node: connections to peers by name, over the simulated network.
 *
 * Invariant: it keeps the port's rules of who may hear what: a handshake names group, group id and incarnation of both
 * ends, and a message reaches only the incarnation that it was sent to, under the group id that both ends agreed on. An
 * ordered world also keeps the rules of a connection: what was sent to a life that is over, or before a new handshake,
 * is gone. Other worlds lose, double, reorder and repeat messages across restarts, which is more than the port may do.
 *
 * Deliberately absent: bytes, certificates and pings; src/transport and its tests have them.
 */
import type { MemberId } from "../../src/base/types.ts";
import { PEER_BACKOFF_MAX_MS, PEER_BACKOFF_MIN_MS, PEER_SILENCE_MS } from "../../src/base/limits.ts";
import type { Member } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";
import type {
  FormationMessage,
  LocalPeer,
  PeerMessage,
  Transport,
  TransportHandlers,
} from "../../src/ports/transport.ts";
import type { Life } from "./life.ts";
import type { Surroundings } from "./surroundings.ts";

interface Connection {
  readonly peer: Member;
  readonly groupId: string | null;
  readonly to: SimulatedTransport;
  readonly toEpoch: number;
}

export class SimulatedTransport implements Transport {
  readonly life: Life;
  readonly #around: Surroundings;
  readonly #position: number;
  readonly #connections = new Map<string, Connection>();
  readonly #dialling = new Set<string>();
  #names: readonly string[] = [];
  #local: LocalPeer | null = null;
  #handlers: TransportHandlers | null = null;
  #epoch = 0;

  constructor(life: Life, around: Surroundings) {
    this.life = life;
    this.#around = around;
    this.#position = life.machine.position;
  }

  get local(): LocalPeer | null {
    return this.#local;
  }

  start(local: LocalPeer, handlers: TransportHandlers): Promise<void> {
    if (this.life.ended) return new Promise(() => undefined);
    this.#local = local;
    this.#handlers = handlers;
    this.#around.listening[this.#position] = this;
    for (const name of this.#names) this.#dialLater(name, 0);
    return Promise.resolve();
  }

  setLocal(local: LocalPeer): void {
    this.#local = local;
    this.#epoch += 1;
    for (const name of this.#connections.keys()) this.#disconnect(name, 0);
    for (const other of this.#around.listening) other?.forget(this);
  }

  setPeers(names: readonly string[]): void {
    this.#names = names;
    for (const name of this.#connections.keys()) if (!names.includes(name)) this.#disconnect(name, 0);
    if (this.#handlers !== null) for (const name of names) this.#dialLater(name, 0);
  }

  sendTo(name: string, message: FormationMessage): boolean {
    const connection = this.#connections.get(name);
    if (connection === undefined || this.life.ended) return false;
    return this.#pass(connection, message);
  }

  send(to: Member, message: Message): boolean {
    const connection = this.#connections.get(to.name);
    if (connection === undefined || connection.peer.id !== to.id || connection.groupId === null) return false;
    if (this.life.ended || this.life.machine.mayFailInStep()) return false;
    return this.#pass(connection, message);
  }

  connectedId(name: string): MemberId | null {
    return this.#connections.get(name)?.peer.id ?? null;
  }

  close(): Promise<void> {
    this.end();
    return Promise.resolve();
  }

  /** The process is gone, or its port is closed; the others notice soon. */
  end(): void {
    this.#handlers = null;
    this.#connections.clear();
    const { listening } = this.#around;
    if (listening[this.#position] !== this) return;
    listening[this.#position] = null;
    for (const other of listening) other?.forget(this);
  }

  /** Nothing gets through to this machine any more. */
  silence(position: number): void {
    for (const [name, { to }] of this.#connections) if (to.#position === position) this.#disconnect(name, 0);
  }

  /** The other end has gone, or says something else of itself. */
  forget(gone: SimulatedTransport): void {
    for (const [name, { to }] of this.#connections) {
      if (to === gone) this.#soon(() => this.#connections.get(name)?.to === gone && this.#disconnect(name, 0));
    }
  }

  /** Whether every peer that can be reached is connected. */
  get settled(): boolean {
    return this.#names.every((name) => {
      if (this.#connections.has(name)) return true;
      const position = this.#around.machines.findIndex((machine) => machine.name === name);
      const other = this.#around.listening[position] ?? null;
      return other === null || !this.#reaches(position) || this.#around.machines[position]?.paused === true;
    });
  }

  #reaches(position: number): boolean {
    const { network } = this.#around;
    return network.isOpen(this.#position, position) && network.isOpen(position, this.#position);
  }

  #soon(action: () => void): void {
    const { agenda, chance, network } = this.#around;
    agenda.after(network.settings.latencyMs + chance.exponential(network.settings.jitterMs), () => {
      if (!this.life.ended) this.life.machine.whenAwake(this.life, action);
    });
  }

  #dialLater(name: string, attempt: number): void {
    if (this.#handlers === null || this.#connections.has(name) || this.#dialling.has(name)) return;
    const { agenda, chance, stormy, swarm } = this.#around;
    const longestMs = stormy ? PEER_BACKOFF_MAX_MS : Math.min(PEER_BACKOFF_MAX_MS, swarm.unitMs / 8);
    const backoffMs = attempt === 0 ? 0 : Math.min(longestMs, PEER_BACKOFF_MIN_MS * 2 ** (attempt - 1));
    this.#dialling.add(name);
    agenda.after(backoffMs * chance.between(0.5, 1), () =>
      this.#soon(() => {
        if (!this.#dialling.delete(name)) return;
        if (!this.#dial(name)) this.#dialLater(name, attempt + 1);
      }),
    );
  }

  /** The other end has just dialled here, so it can be reached. */
  #dialBack(name: string): void {
    if (!this.#names.includes(name)) return;
    this.#dialling.delete(name);
    this.#dialLater(name, 0);
  }

  /** One attempt. True when it is over: connected, or no longer wanted. */
  #dial(name: string): boolean {
    const [handlers, local] = [this.#handlers, this.#local];
    if (handlers === null || local === null || !this.#names.includes(name) || this.#connections.has(name)) return true;
    const { directory, listening, tally } = this.#around;
    const position = directory.find(name);
    const to = position === null ? null : (listening[position] ?? null);
    if (position === null || to === null || to === this || to.life.machine.paused || !this.#reaches(position))
      return false;
    const other = to.#local;
    if (other === null || to.#handlers === null) return false;
    if (other.self.name !== name) {
      tally.wrongPeer += 1;
      handlers.fault("peer_name", name, `found ${other.self.name}`);
      return false;
    }
    const isOtherGroup = other.groupId !== null && local.groupId !== null && other.groupId !== local.groupId;
    if (other.group !== local.group || isOtherGroup) {
      handlers.fault("peer_group", name, "belongs to another group");
      return false;
    }
    const groupId = other.groupId === local.groupId ? other.groupId : null;
    this.#connections.set(name, { peer: other.self, groupId, to, toEpoch: to.#epoch });
    handlers.connected(other.self, groupId, other.version);
    to.#soon(() => to.#dialBack(local.self.name));
    return true;
  }

  #disconnect(name: string, attempt: number): void {
    if (!this.#connections.delete(name)) return;
    this.#handlers?.disconnected(name);
    if (this.#names.includes(name)) this.#dialLater(name, attempt);
  }

  #pass(connection: Connection, message: PeerMessage): boolean {
    const local = this.#local;
    if (local === null) return false;
    const { machine } = this.life;
    this.#around.checks.sends(this.life, connection.peer, message);
    const from = local.self;
    const send = (): void =>
      this.#around.network.send(this.#position, connection.to.#position, () => {
        const receiver = this.#around.listening[connection.to.#position] ?? null;
        receiver?.receive(from, message, connection);
      });
    // A process that was stopped between two messages says the second one when it goes on.
    if (machine.paused) machine.whenAwake(this.life, send);
    else send();
    return true;
  }

  receive(from: Member, message: PeerMessage, { peer, groupId, to, toEpoch }: Connection): void {
    if (this.#local === null || peer.id !== this.#local.self.id) return;
    const isOther = to !== this || toEpoch !== this.#epoch;
    if (isOther && this.#around.network.settings.ordered) return;
    if (groupId !== null && groupId !== this.#local.groupId) return;
    if (isOther) this.#around.tally.acrossLives += 1;
    this.life.machine.whenAwake(this.life, () => this.#handlers?.message(from, message, groupId));
  }
}

/** How long a link must be closed before a connection over it is given up. */
export const SILENCE_MS = PEER_SILENCE_MS;
