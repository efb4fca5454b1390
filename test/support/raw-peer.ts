/**
 * The other end of the peer protocol by hand, either side: it says what it is told to, right or wrong.
 *
 * Invariant: it shares no code with src/transport, so that an error there cannot hide here.
 *
 * Deliberately absent: patience. What does not come ends the test by its timeout.
 */
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { TlsOptions, ConnectionOptions } from "node:tls";

export interface RawFrame {
  readonly kind?: string;
  readonly [field: string]: unknown;
}

export function rawFrame(value: unknown): Buffer {
  const body = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

export class RawPeer {
  readonly socket: Socket;
  readonly frames: RawFrame[] = [];
  /** Resolves when the connection is closed, with what failed it. */
  readonly closed: Promise<Error | null>;
  #buffer = Buffer.alloc(0);
  #taken = 0;
  #wake: (() => void) | null = null;
  #isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    let failure: Error | null = null;
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        this.#wake?.();
        resolve(failure);
      });
    });
  }

  /** `from`: another address of the loopback network to call from. */
  static dial(port: number, from = "127.0.0.1"): RawPeer {
    return new RawPeer(connect({ host: "127.0.0.1", port, localAddress: from }));
  }

  static dialTls(port: number, options: ConnectionOptions): RawPeer {
    const checked = { checkServerIdentity: (): undefined => undefined, ...options };
    return new RawPeer(connectTls({ host: "127.0.0.1", port, ...checked }));
  }

  send(...values: readonly unknown[]): this {
    this.socket.write(Buffer.concat(values.map(rawFrame)));
    return this;
  }

  bytes(bytes: Buffer | string): this {
    this.socket.write(bytes);
    return this;
  }

  /** The next frame, or null when the connection is closed before it came. */
  async next(): Promise<RawFrame | null> {
    while (this.frames.length <= this.#taken) {
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#taken += 1;
    return this.frames[this.#taken - 1] ?? null;
  }

  #received(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 4 && this.#buffer.length >= 4 + this.#buffer.readUInt32BE(0)) {
      const end = 4 + this.#buffer.readUInt32BE(0);
      const frame: unknown = JSON.parse(this.#buffer.toString("utf8", 4, end));
      this.#buffer = this.#buffer.subarray(end);
      if (typeof frame === "object" && frame !== null) this.frames.push({ ...frame });
    }
    this.#wake?.();
  }
}

export interface RawListener {
  readonly port: number;
  /** The next connection that was accepted. */
  next(): Promise<RawPeer>;
  /** How many there were. */
  readonly accepted: () => number;
  close(): Promise<void>;
}

/** A port whose connections the test answers by hand. */
export async function rawListener(tls: TlsOptions | null = null, port = 0, host = "127.0.0.1"): Promise<RawListener> {
  const waiting: RawPeer[] = [];
  const all: Socket[] = [];
  let wake: (() => void) | null = null;
  const server = tls === null ? createServer() : createTlsServer(tls);
  server.on(tls === null ? "connection" : "secureConnection", (socket: Socket) => {
    all.push(socket);
    waiting.push(new RawPeer(socket));
    wake?.();
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen({ host, port }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => all.length,
    next: async () => {
      for (;;) {
        const peer = waiting.shift();
        if (peer !== undefined) return peer;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close: async () => {
      for (const socket of all) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
