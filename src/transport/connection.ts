/**
 * One TCP or TLS connection that carries frames, either direction.
 *
 * Invariant: `closed` is called exactly once, last, and no frame is handed on after `end`, `fail` or a violation. The
 * socket always has an error listener. One write per frame.
 *
 * Deliberately absent: the handshake, and who may say what (incoming.ts, outgoing.ts).
 */
import type { Socket } from "node:net";
import { TenureError } from "../base/errors.ts";
import { PEER_CLOSE_TIMEOUT_MS } from "../base/limits.ts";
import { FrameReader } from "./frame.ts";

export interface ConnectionOwner<Frame> {
  /** Throws a `TenureError` for bytes that are no frame of this protocol. */
  decode(body: Buffer): Frame;
  frame(frame: Frame): void;
  /** The other end broke the protocol: the connection must be closed, with or without a last word. */
  violation(error: TenureError): void;
  /** Null: an orderly close, by either end. */
  closed(error: Error | null): void;
  /** What was queued has been written. */
  drained(): void;
}

export class Connection<Frame extends object> {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner<Frame>;
  readonly #reader: FrameReader;
  #error: Error | null = null;
  /** Set by an end or a failure of our own: what still comes is thrown away. */
  #isDeaf = false;
  #silentTicks = 0;
  #cut: NodeJS.Timeout | null = null;

  /** `socket` may still be connecting. `limitBytes`: the longest frame to be read. */
  constructor(socket: Socket, limitBytes: number, owner: ConnectionOwner<Frame>) {
    this.#socket = socket;
    this.#owner = owner;
    this.#reader = new FrameReader(limitBytes);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => {
      if (this.#reader.isInside) this.#error ??= new TenureError("peer_unreachable", "the stream ended inside a frame");
    });
    socket.on("drain", () => this.#owner.drained());
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("close", () => {
      if (this.#cut !== null) clearTimeout(this.#cut);
      this.#owner.closed(this.#error);
    });
  }

  setLimit(limitBytes: number): void {
    this.#reader.setLimit(limitBytes);
  }

  /** Bytes that wait to be written. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** False when the connection is closing. */
  write(frame: Buffer): boolean {
    if (this.#isDeaf || !this.#socket.writable) return false;
    this.#socket.write(frame);
    return true;
  }

  /** Writes what is queued, then closes; cuts the connection when that takes longer than PEER_CLOSE_TIMEOUT_MS. */
  end(): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    this.#socket.end();
    this.#cut = setTimeout(() => this.#socket.destroy(), PEER_CLOSE_TIMEOUT_MS);
  }

  /** As `end`, after a last word if there is one; `closed` is told this error. */
  endWith(error: TenureError, lastWord: Buffer | null): void {
    if (this.#isDeaf) return;
    this.#error ??= error;
    if (lastWord !== null) this.write(lastWord);
    this.end();
  }

  /** Closes at once and drops what is queued. `closed` is told the error unless another came first. */
  fail(error: TenureError | null): void {
    this.#isDeaf = true;
    this.#error ??= error;
    this.#socket.destroy();
  }

  /**
   * To be called regularly. The number of calls since a byte was received: calls and not time, so that a process that
   * was paused itself reads what has arrived before it judges.
   */
  tick(): number {
    this.#silentTicks += 1;
    return this.#silentTicks;
  }

  #received(chunk: Buffer): void {
    this.#silentTicks = 0;
    if (this.#isDeaf) return;
    this.#reader.add(chunk);
    while (!this.#isDeaf) {
      const frame = this.#next();
      if (frame === null) return;
      this.#owner.frame(frame);
    }
  }

  #next(): Frame | null {
    try {
      const body = this.#reader.next();
      return body === null ? null : this.#owner.decode(body);
    } catch (error) {
      if (!(error instanceof TenureError)) throw error;
      this.#owner.violation(error);
      return null;
    }
  }
}
