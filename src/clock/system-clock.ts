/**
 * The clocks of this machine.
 *
 * Invariant: `now` never goes backwards, on either clock; if CLOCK_MONOTONIC did, no rule would hold any more, and
 * `clock_backwards` ends the process.
 *
 * Deliberately absent: the wall clock as a measure of anything but the age of a token base.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { TenureError } from "../base/errors.ts";
import { type MonotonicMs, monotonicMs, type Now } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";
import { HolderClock } from "./holder-clock.ts";

const NS_PER_MS = 1_000_000;
const EPOCH_2025_MS = Date.UTC(2025, 0, 1);
/** setTimeout takes at most this much; a longer wait is simply woken early. */
const MAX_TIMER_MS = 2_147_483_647;
/** Two decimal numbers; 64 bytes are room for centuries. */
const UPTIME_BYTES = 64;
const NEWLINE_OR_SPACE = 0x20;
const POINT = 0x2e;
const ZERO = 0x30;

export class SystemClock implements Clock {
  readonly #holder = new HolderClock();
  readonly #uptimeFile: number | null;
  readonly #buffer = Buffer.alloc(UPTIME_BYTES);
  #last = monotonicMs(0);

  /** @param uptimePath the boot-time clock; a machine without it (no Linux) is measured by CLOCK_MONOTONIC alone */
  constructor(uptimePath = "/proc/uptime") {
    this.#uptimeFile = openOrNull(uptimePath);
  }

  now(): Now {
    const uptimeMs = this.#uptimeMs();
    const monotonic = this.monotonic();
    return { monotonicMs: monotonic, holderMs: this.#holder.read(monotonic, uptimeMs) };
  }

  monotonic(): MonotonicMs {
    const now = monotonicMs(Number(process.hrtime.bigint()) / NS_PER_MS);
    if (now < this.#last) {
      throw new TenureError("clock_backwards", `CLOCK_MONOTONIC went from ${this.#last} ms back to ${now} ms`);
    }
    this.#last = now;
    return now;
  }

  toMonotonicNs(instant: MonotonicMs): bigint {
    return BigInt(Math.floor(instant * NS_PER_MS));
  }

  wallSeconds(): number {
    return Math.max(0, (Date.now() - EPOCH_2025_MS) / 1_000);
  }

  wakeAt(at: MonotonicMs, callback: () => void): () => void {
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(at - this.monotonic())));
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  }

  close(): void {
    if (this.#uptimeFile !== null) closeSync(this.#uptimeFile);
  }

  /** The first number of the file, which has exactly two decimals; parsed by hand because every poll reads it. */
  #uptimeMs(): number | null {
    if (this.#uptimeFile === null) return null;
    const bytes = readSync(this.#uptimeFile, this.#buffer, 0, UPTIME_BYTES, 0);
    let hundredths = 0;
    for (let position = 0; position < bytes; position += 1) {
      const byte = this.#buffer[position] ?? NEWLINE_OR_SPACE;
      if (byte === NEWLINE_OR_SPACE) return hundredths * 10;
      if (byte !== POINT) hundredths = hundredths * 10 + (byte - ZERO);
    }
    return null;
  }
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}
