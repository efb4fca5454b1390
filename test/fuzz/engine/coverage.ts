/**
 * Which code ran, as V8 counts it: block by block, without any change of the code.
 *
 * V8 tells ranges of source and merges those that ran equally often, so ranges are painted on a map with one byte for
 * each character of a file; what is painted once stays.
 *
 * Invariant: only code that is loaded after `start` counts, because V8 puts its counters in as it compiles.
 *
 * Deliberately absent: counts. A loop that ran ten times instead of nine is no reason to keep an input.
 */
import { Session } from "node:inspector/promises";
import type { Profiler } from "node:inspector";
import { fileURLToPath } from "node:url";

interface Sheet {
  readonly reached: Uint8Array;
  /** Of a function, reached or not. */
  readonly known: Uint8Array;
}

export class Coverage {
  readonly #session = new Session();
  readonly #isCounted: (path: string) => boolean;
  readonly #sheets = new Map<string, Sheet>();

  /** @param isCounted by the absolute path of a file */
  constructor(isCounted: (path: string) => boolean) {
    this.#isCounted = isCounted;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  stop(): void {
    this.#session.disconnect();
  }

  /** Forgets what ran since the last look. */
  async forget(): Promise<void> {
    await this.#session.post("Profiler.takePreciseCoverage");
  }

  /** Whether code ran since the last look that never ran before; `keep`: from now on it is old. */
  async look(keep: boolean): Promise<boolean> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    let found = false;
    for (const script of result) {
      if (!script.url.startsWith("file:")) continue;
      const path = fileURLToPath(script.url);
      if (this.#isCounted(path) && this.#paint(path, script, keep)) found = true;
    }
    return found;
  }

  /** The part of the counted functions that was reached, 0 to 1: by characters, as no block is like another. */
  get share(): number {
    let known = 0;
    let reached = 0;
    for (const sheet of this.#sheets.values()) {
      known += sheet.known.reduce((sum, each) => sum + each, 0);
      reached += sheet.reached.reduce((sum, each, at) => sum + (each & (sheet.known[at] ?? 0)), 0);
    }
    return known === 0 ? 0 : reached / known;
  }

  #paint(path: string, { functions }: Profiler.ScriptCoverage, keep: boolean): boolean {
    const length = functions.reduce((most, { ranges }) => Math.max(most, ranges[0]?.endOffset ?? 0), 0);
    const sheet = this.#sheetOf(path, length);
    const now = new Uint8Array(sheet.reached.length);
    // Outer functions and outer ranges come first, so what is painted last is the innermost.
    for (const [at, { ranges }] of functions.entries()) {
      for (const { startOffset, endOffset, count } of ranges) {
        now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
        // The first is the module itself, which runs once and before any input.
        if (at > 0) sheet.known.fill(1, startOffset, endOffset);
      }
    }
    let isNew = false;
    for (let at = 0; at < now.length; at += 1) {
      if (now[at] === 0 || sheet.reached[at] === 1 || sheet.known[at] === 0) continue;
      isNew = true;
      if (!keep) break;
      sheet.reached[at] = 1;
    }
    return isNew;
  }

  #sheetOf(path: string, length: number): Sheet {
    const old = this.#sheets.get(path);
    if (old !== undefined && old.reached.length >= length) return old;
    const sheet = { reached: new Uint8Array(length), known: new Uint8Array(length) };
    if (old !== undefined) {
      sheet.reached.set(old.reached);
      sheet.known.set(old.known);
    }
    this.#sheets.set(path, sheet);
    return sheet;
  }
}
