/**
 * The log: JSON lines on standard output, one for each event that the level lets through.
 *
 * Invariant: an observer never blocks. Lines wait in a buffer of at most MAX_LOG_BUFFER_BYTES and are dropped beyond
 * it; they are written in the background, and what is left when the process ends is written then.
 *
 * Deliberately absent: worker threads, files, rotation, pretty printing. The container runtime takes the lines.
 */
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import pino from "pino";
import { MAX_LOG_BUFFER_BYTES, MAX_LOG_TEXT_LENGTH } from "../base/limits.ts";
import type { NodeEvent, Observer } from "../ports/observer.ts";
import { createFaultRepeats } from "./fault-repeats.ts";
import { type Level, lineOf } from "./log-lines.ts";

export interface LogObserverOptions {
  /** The lowest level that is written. */
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Takes whole lines, at once; standard output unless given. */
  readonly destination?: { write(line: string): void };
  /** A monotonic clock in ms. */
  readonly nowMs?: () => number;
}

export interface LogObserver extends Observer {
  /**
   * Writes what waits, in order, and resolves when it is written, or after a second where somebody reads too slowly. To
   * be called last: later lines are lost.
   */
  end(): Promise<void>;
  /** The same at once; a line that the kernel is still taking may then come after those that waited. */
  flush(): void;
}

/** While the process ends, a full pipe is given this many chances of 100 ms to be read. */
const FLUSH_TRIES = 10;
/** An orderly end waits for the kernel this long, in ms. */
const MAX_END_MS = 1_000;
/** A sudden end gives a line that the kernel is taking this long, in ms, so that it comes before those behind it. */
const IN_FLIGHT_MS = 20;

export function createLogObserver(options: LogObserverOptions): LogObserver {
  const { level, nowMs = () => performance.now() } = options;
  const { destination, end, flush } = options.destination === undefined ? standardOutput() : given(options.destination);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // pino's own `fatal` would flush whatever has a `flushSync`, and so overtake the lines that are under way.
    {
      write: (line: string): void => {
        destination.write(line);
      },
    },
  );
  const repeats = createFaultRepeats();
  const last = new Map<NodeEvent["kind"], NodeEvent>();
  let isEnded = false;
  return {
    observe(event) {
      if (isEnded) return;
      const { level: usual, text } = lineOf(event, last.get(event.kind));
      if (event.kind === "formationWaiting" || event.kind === "roleChanged") last.set(event.kind, event);
      const repeated = event.kind === "fault" ? repeats.judge(event.code, event.where, nowMs()) : 0;
      const chosen: Level = repeated === null ? "debug" : usual;
      if (!logger.isLevelEnabled(chosen)) return;
      const { kind, ...fields } = event;
      const told = repeated === null || repeated === 0 ? {} : { repeated };
      logger[chosen]({ event: kind, ...cut(fields), ...told, message: undefined }, cutText(text));
    },
    end() {
      isEnded = true;
      return end();
    },
    flush,
  };
}

interface Destination {
  readonly destination: { write(line: string): void };
  readonly end: () => Promise<void>;
  readonly flush: () => void;
}

function given(destination: { write(line: string): void }): Destination {
  return { destination, end: () => Promise.resolve(), flush: () => {} };
}

function standardOutput(): Destination {
  let tries: number | null = null;
  const destination = pino.destination({
    dest: 1,
    sync: false,
    maxLength: MAX_LOG_BUFFER_BYTES,
    // Retried in the background for ever; for a short time once the process waits for it.
    retryEAGAIN: () => tries === null || (tries += 1) <= FLUSH_TRIES,
  });
  // Nobody reads, or the disk behind it is full: the node lives on without a log.
  destination.on("error", () => {});
  const flush = (): void => {
    tries = 0;
    try {
      destination.flushSync();
    } catch {
      // All is written, or nobody reads any more, and there is nowhere else to say so.
    }
  };
  return {
    destination,
    async end() {
      const isClosed = once(destination, "close").catch(() => {});
      destination.end();
      await Promise.race([isClosed, setTimeout(MAX_END_MS, undefined, { ref: false })]);
      flush();
    },
    flush() {
      letTheKernelFinish();
      flush();
    },
  };
}

/** Nothing tells a thread that waits whether a line of another thread has been taken. */
function letTheKernelFinish(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, IN_FLIGHT_MS);
}

/** Texts from outside, such as addresses and messages of peers, must not make a line grow. */
function cut(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === "string" ? cutText(value) : value]),
  );
}

function cutText(text: string): string {
  return text.length > MAX_LOG_TEXT_LENGTH ? `${text.slice(0, MAX_LOG_TEXT_LENGTH)}…` : text;
}
