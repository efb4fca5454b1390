/**
 * A TCP proxy for one link, in the network of the end that dials: passes everything on, each chunk after its delay.
 *
 * Invariant: bytes of one connection and direction keep their order; those of different ones overtake each other when
 * delays vary. Closes and resets are passed on.
 *
 * Deliberately absent: loss, which nftables makes below TCP.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

const HOST = "127.0.0.1";

export interface Delay {
  readonly minMs: number;
  readonly maxMs: number;
}

export class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #delay: () => Delay;
  /** Where the far end listens now; null before it ever did. */
  target: { readonly host: string; readonly port: number } | null = null;
  delayedChunks = 0;

  private constructor(delay: () => Delay) {
    this.#delay = delay;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#join(near));
  }

  static async open(delay: () => Delay): Promise<Link> {
    const link = new Link(delay);
    await new Promise<void>((resolve, reject) => {
      link.#server.once("error", reject);
      link.#server.listen(0, HOST, resolve);
    });
    return link;
  }

  get address(): { readonly host: string; readonly port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the link does not listen");
    return { host: HOST, port: address.port };
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #join(near: Socket): void {
    if (this.target === null) {
      near.on("error", () => undefined);
      near.resetAndDestroy();
      return;
    }
    const far = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    this.#tie(near, far);
    this.#tie(far, near);
    this.#pass(near, far);
    this.#pass(far, near);
  }

  #tie(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => other.destroy());
    socket.once("close", () => {
      this.#sockets.delete(socket);
      other.destroy();
    });
  }

  #pass(from: Socket, to: Socket): void {
    let freeAtMs = 0;
    const later = (act: () => void): void => {
      const { minMs, maxMs } = this.#delay();
      const nowMs = performance.now();
      const dueMs = Math.max(freeAtMs, nowMs + minMs + Math.random() * (maxMs - minMs));
      freeAtMs = dueMs;
      if (dueMs <= nowMs) return act();
      this.delayedChunks += 1;
      setTimeout(act, dueMs - nowMs);
    };
    from.on("data", (chunk: Buffer) => later(() => to.writable && to.write(chunk)));
    from.on("end", () => later(() => to.end()));
  }
}
