/**
 * Keeps one connection to one peer, for ever: look up, try the addresses, stay, and begin again when it is lost.
 *
 * Invariant: at most one connection at a time is used; after `stop` no event is told. Addresses are never kept beyond
 * the attempts made with them, because a pod's address is no identity (DESIGN, Identity).
 *
 * A peer that dials in shows where it is and who it is now, before DNS does. So its call ends a wait, and ends a
 * connection to who it was before: to an incarnation whose machine may have died without a word, or to the same one
 * from before it had a group. A reborn pod is reached once it has called, not when a record or a timeout runs out.
 *
 * Deliberately absent: a limit of attempts. A peer may be away for a year and is then found within two seconds.
 */
import { messageOf, TenureError } from "../base/errors.ts";
import { PEER_BACKOFF_MAX_MS, PEER_BACKOFF_MIN_MS, PEER_ROUND_BUDGET_MS } from "../base/limits.ts";
import type { PeerAddress } from "../ports/discovery.ts";
import type { LocalPeer } from "../ports/transport.ts";
import { explain } from "./explain.ts";
import type { Cause } from "./explain.ts";
import type { Caller } from "./handshake.ts";
import { Outgoing } from "./outgoing.ts";
import type { OutgoingPeer, TlsSide } from "./outgoing.ts";

export interface DiallerEvents {
  connected(peer: OutgoingPeer): void;
  disconnected(): void;
  /** Each failed attempt; the backoff bounds them. `where` is the address, or null when it was the look-up. */
  failed(cause: Cause, where: string | null): void;
  overflowed(): void;
  roundTrip(durationMs: number): void;
}

export interface DiallerOptions {
  readonly name: string;
  readonly local: LocalPeer;
  readonly tls: TlsSide | null;
  readonly lookup: (name: string) => Promise<readonly PeerAddress[]>;
  /** Where a peer listens of which there is no record yet: all pods of a service use one port. */
  readonly defaultPort: number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly events: DiallerEvents;
}

export class Dialler {
  readonly #options: DiallerOptions;
  #isStopped = false;
  #outgoing: Outgoing | null = null;
  /** Failed rounds in a row. */
  #failures = 0;
  /** Addresses of the present look-up that were tried in vain; the others go first. */
  #tried = new Set<string>();
  /** Ends the wait that `#run` is in, if any. */
  #interrupt: (() => void) | null = null;
  #isPausing = false;
  /** The call of the peer that no round has taken up yet. */
  #caller: Caller | null = null;
  /** Whether `connected` was told, and no `disconnected` since. */
  #isTold = false;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** Who is connected right now. */
  get peer(): OutgoingPeer | null {
    return this.#isStopped ? null : (this.#outgoing?.peer ?? null);
  }

  send(frame: Buffer): boolean {
    return !this.#isStopped && this.#outgoing !== null && this.#outgoing.send(frame);
  }

  tick(): void {
    this.#outgoing?.tick();
  }

  /** Dials until it is stopped; resolves when the last connection is closed. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#round();
      if (!this.#isStopped && this.#caller === null) await this.#pause(this.#backoffMs());
      this.#failures += 1;
    }
  }

  /** The peer has just dialled in: unless this node is connected to that very peer, it dials it at once. */
  hurry(caller: Caller): void {
    const outgoing = this.#outgoing;
    const peer = outgoing?.peer ?? null;
    if (peer !== null && isSame(peer, caller)) return;
    this.#failures = 0;
    this.#caller = caller;
    // A handshake under way is not cut off: the other end would hear a new hello, and both could go on like that.
    if (outgoing !== null && (peer !== null || !outgoing.isOpen)) outgoing.drop();
    if (this.#isPausing) this.#interrupt?.();
  }

  /** Flushes and closes; `run` then resolves within PEER_CLOSE_TIMEOUT_MS. */
  stop(): void {
    this.#isStopped = true;
    this.#outgoing?.end();
    this.#interrupt?.();
    if (this.#isTold) this.#options.events.disconnected();
  }

  /**
   * Ends when a connection that was good is lost, when every address failed, when the budget is spent, or after a
   * failure when the peer has called meanwhile.
   */
  async #round(): Promise<void> {
    const host = this.#caller?.host ?? null;
    this.#caller = null;
    const endMs = performance.now() + PEER_ROUND_BUDGET_MS;
    const found = await this.#lookUp();
    const guess = this.#guess(host, found);
    for (const address of [...guess, ...this.#inOrder(found)]) {
      if (this.#isStopped || performance.now() > endMs) return;
      this.#tried.add(textOf(address));
      const wasGood = await this.#connect(address, guess.includes(address));
      if (wasGood) this.#tried.clear();
      if (wasGood || this.#caller !== null) return;
    }
  }

  /**
   * Where the peer has called from, if no record says so: a record may be older than the pod. Pods reach each other
   * without address translation (the network model of Kubernetes); where they do not, this is one failed attempt.
   */
  #guess(host: string | null, found: readonly PeerAddress[]): readonly PeerAddress[] {
    if (host === null || found.some((address) => address.host === host)) return [];
    return [{ host, port: found[0]?.port ?? this.#options.defaultPort }];
  }

  /** As looked up, but those that failed in the rounds before come last, so that a long list is gone through. */
  #inOrder(addresses: readonly PeerAddress[]): readonly PeerAddress[] {
    const texts = new Set(addresses.map(textOf));
    this.#tried = new Set([...this.#tried].filter((text) => texts.has(text)));
    if (this.#tried.size === texts.size) this.#tried.clear();
    const isFresh = (address: PeerAddress): boolean => !this.#tried.has(textOf(address));
    return [...addresses.filter(isFresh), ...addresses.filter((address) => !isFresh(address))];
  }

  async #lookUp(): Promise<readonly PeerAddress[]> {
    const { name, lookup, events } = this.#options;
    try {
      const addresses = await this.#interruptible(lookup(name));
      if (addresses === null) return [];
      if (addresses.length === 0) {
        events.failed({ code: "discovery_failed", message: "there is no DNS record of it" }, null);
      }
      return addresses;
    } catch (error) {
      const code = error instanceof TenureError ? error.code : "discovery_failed";
      if (!this.#isStopped) events.failed({ code, message: messageOf(error) }, null);
      return [];
    }
  }

  /** Resolves when the connection is closed: true when it had been good. Nobody is told that a guess was wrong. */
  #connect(address: PeerAddress, isGuess: boolean): Promise<boolean> {
    const { name, local, tls, events } = this.#options;
    return new Promise((resolve) => {
      let wasGood = false;
      this.#outgoing = new Outgoing({
        address,
        name,
        local,
        tls,
        events: {
          ready: (peer) => {
            if (this.#caller !== null && !isSame(peer, this.#caller)) {
              // Somebody else called since: this may be who the peer was before.
              this.#outgoing?.drop();
              return;
            }
            wasGood = true;
            this.#caller = null;
            this.#failures = 0;
            this.#isTold = !this.#isStopped;
            if (this.#isTold) events.connected(peer);
          },
          closed: (error, wasSelf) => {
            this.#outgoing = null;
            resolve(wasGood);
            if (this.#isStopped) return;
            if (error !== null && !wasSelf && !(isGuess && !wasGood)) events.failed(explain(error), textOf(address));
            const wasTold = this.#isTold;
            this.#isTold = false;
            if (wasTold) events.disconnected();
          },
          overflowed: () => {
            if (!this.#isStopped) events.overflowed();
          },
          roundTrip: (durationMs) => {
            if (!this.#isStopped) events.roundTrip(durationMs);
          },
        },
      });
    });
  }

  /** Full jitter, so that peers that lost each other do not meet in step: anything up to a ceiling that doubles. */
  #backoffMs(): number {
    const ceilingMs = Math.min(PEER_BACKOFF_MAX_MS, PEER_BACKOFF_MIN_MS * 2 ** Math.min(this.#failures + 1, 16));
    return PEER_BACKOFF_MIN_MS + this.#options.random() * (ceilingMs - PEER_BACKOFF_MIN_MS);
  }

  async #pause(durationMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), durationMs);
    this.#isPausing = true;
    await this.#interruptible(promise);
    this.#isPausing = false;
    clearTimeout(timer);
  }

  /** Null when `stop` was called first. */
  async #interruptible<T>(wait: Promise<T>): Promise<T | null> {
    const { promise, resolve, reject } = Promise.withResolvers<T | null>();
    this.#interrupt = () => resolve(null);
    wait.then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#interrupt = null;
    }
  }
}

function isSame(peer: OutgoingPeer, caller: Caller): boolean {
  return peer.member.id === caller.member.id && peer.ownGroupId === caller.groupId;
}

function textOf({ host, port }: PeerAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
