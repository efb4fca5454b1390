/**
 * The network of the demo: a TCP proxy in each direction between two members, so that one of them can be cut off.
 *
 * Each member asks a DNS server of its own, whose records lead to the proxies that stand for *its* links. A member that
 * is cut off loses what it dials as well as what dials it: open connections are dropped, new ones refused.
 *
 * Invariant: no byte passes between a member that is cut off and any other.
 *
 * Deliberately absent: delay and loss of single packets, and any understanding of what passes.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

const HOST = "127.0.0.1";

export interface Address {
  readonly host: string;
  readonly port: number;
}

class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where the far end listens now; null before it ever did. */
  targetPort: number | null = null;
  #isCut = false;

  constructor() {
    // Half-open: the end of one direction is passed on as such.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#join(near));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, HOST, resolve);
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the link does not listen");
    return address.port;
  }

  set isCut(isCut: boolean) {
    this.#isCut = isCut;
    if (isCut) this.#drop();
  }

  async close(): Promise<void> {
    this.#drop();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #join(near: Socket): void {
    if (this.#isCut || this.targetPort === null) {
      near.on("error", () => undefined);
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: HOST, port: this.targetPort, allowHalfOpen: true, noDelay: true });
    this.#tie(near, far);
    this.#tie(far, near);
    near.pipe(far);
    far.pipe(near);
  }

  #tie(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => other.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

export class Links {
  readonly #links = new Map<string, Link>();
  readonly #cutOff = new Set<string>();
  readonly #names: readonly string[];

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** A link from each of these members to each other one. */
  static async create(names: readonly string[]): Promise<Links> {
    const links = new Links(names);
    for (const from of names) {
      for (const to of names.filter((name) => name !== from)) links.#links.set(`${from} ${to}`, new Link());
    }
    await Promise.all([...links.#links.values()].map((link) => link.listen()));
    return links;
  }

  /** Where `from` is told that `to` listens, which really does so at `port`. Its own address is nobody's link. */
  address(from: string, to: string, port: number): Address {
    const link = this.#links.get(`${from} ${to}`);
    if (link === undefined) return { host: HOST, port };
    link.targetPort = port;
    return { host: HOST, port: link.port };
  }

  isCutOff(name: string): boolean {
    return this.#cutOff.has(name);
  }

  cutOff(name: string): void {
    this.#cutOff.add(name);
    this.#apply();
  }

  heal(name: string): void {
    this.#cutOff.delete(name);
    this.#apply();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #apply(): void {
    for (const from of this.#names) {
      for (const to of this.#names) {
        const link = this.#links.get(`${from} ${to}`);
        if (link !== undefined) link.isCut = this.#cutOff.has(from) || this.#cutOff.has(to);
      }
    }
  }
}
