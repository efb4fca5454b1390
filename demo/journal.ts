/**
 * What happened, with times: the one place that all parts of the demo report to.
 *
 * Invariant: at most MAX_LINES are kept; listeners hear each line once, in order.
 *
 * Deliberately absent: output. The script prints lines, the screen draws the last ones.
 */
import { machineMs } from "./machine-clock.ts";

/** `deed` is what the demo itself did; `refusal` is the fence at work. */
export type Tone = "deed" | "event" | "refusal" | "trouble";

export interface Line {
  /** Since the demo began, in ms. */
  readonly atMs: number;
  readonly tone: Tone;
  readonly text: string;
}

const MAX_LINES = 500;

export class Journal {
  readonly startedMs = machineMs();
  readonly lines: Line[] = [];
  readonly #listeners: ((line: Line) => void)[] = [];

  say(text: string, tone: Tone = "event"): void {
    const line = { atMs: machineMs() - this.startedMs, tone, text };
    this.lines.push(line);
    if (this.lines.length > MAX_LINES) this.lines.shift();
    for (const listen of this.#listeners) listen(line);
  }

  onLine(listener: (line: Line) => void): void {
    this.#listeners.push(listener);
  }
}

/** "  12.34": seconds since the beginning. */
export function clockText(atMs: number): string {
  return (atMs / 1_000).toFixed(2).padStart(7);
}
