/**
 * Watches what sidecars use while the campaign runs: memory, descriptors, sockets, log volume; and how often the
 * machine itself stood still.
 *
 * Invariant: a reading is one of a living process; highest values are kept for each pod, over all of its lives.
 *
 * Deliberately absent: growth of a process from one hour to the next, for which no process here lives long enough
 * unless faults that kill are left out (`--fault`).
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { machineMs } from "../../../demo/machine-clock.ts";
import type { Pod } from "./pod.ts";
import type { Span } from "./record.ts";

export interface Peak {
  readonly name: string;
  readonly residentMib: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly logBytes: number;
  readonly longestLifeS: number;
}

/** Above what was ever seen, below what a leak needs an hour for. */
export const MAX_RESIDENT_MIB = 192;
export const MAX_DESCRIPTORS = 160;
export const MAX_SOCKETS = 120;
/** Of all sidecars together for each fault: a line is some 200 bytes. */
export const MAX_LOG_BYTES_PER_FAULT = 40_000;

const SAMPLE_MS = 2_000;
const TICK_MS = 20;
/** What a timer may be late without the machine having stood still. */
const SLACK_MS = 25;

export class Watch {
  readonly #pods: readonly Pod[];
  readonly #peaks = new Map<string, Peak>();
  readonly #births = new Map<number, number>();
  readonly #stalls: Span[] = [];
  #sampler: NodeJS.Timeout | null = null;
  #ticker: NodeJS.Timeout | null = null;

  constructor(pods: readonly Pod[]) {
    this.#pods = pods;
  }

  start(): void {
    this.#sampler = setInterval(() => this.#sample(), SAMPLE_MS);
    let dueMs = machineMs() + TICK_MS;
    this.#ticker = setInterval(() => {
      const nowMs = machineMs();
      if (nowMs - dueMs > SLACK_MS) this.#stalls.push({ fromMs: dueMs, toMs: nowMs });
      dueMs = nowMs + TICK_MS;
    }, TICK_MS);
  }

  stop(): void {
    if (this.#sampler !== null) clearInterval(this.#sampler);
    if (this.#ticker !== null) clearInterval(this.#ticker);
  }

  get peaks(): readonly Peak[] {
    return this.#pods.flatMap((pod) => {
      const peak = this.#peaks.get(pod.name);
      return peak === undefined ? [] : [{ ...peak, logBytes: pod.logBytes }];
    });
  }

  get stalls(): readonly Span[] {
    return this.#stalls;
  }

  /** For how long of this span the machine stood still, as the test-bed itself felt it. */
  stalledMs({ fromMs, toMs }: Span): number {
    return this.#stalls.reduce(
      (sum, stall) => sum + Math.max(0, Math.min(toMs, stall.toMs) - Math.max(fromMs, stall.fromMs)),
      0,
    );
  }

  /** Every bound that was passed, in words. */
  violations(faults: number): readonly string[] {
    const found = this.peaks.flatMap(({ name, residentMib, descriptors, sockets }) => [
      ...(residentMib > MAX_RESIDENT_MIB ? [`${name} took ${residentMib.toFixed(0)} MiB of memory`] : []),
      ...(descriptors > MAX_DESCRIPTORS ? [`${name} had ${descriptors} descriptors open`] : []),
      ...(sockets > MAX_SOCKETS ? [`${name} had ${sockets} sockets open`] : []),
    ]);
    const logBytes = this.peaks.reduce((sum, peak) => sum + peak.logBytes, 0);
    const perFault = logBytes / Math.max(1, faults);
    return perFault <= MAX_LOG_BYTES_PER_FAULT
      ? found
      : [...found, `${perFault.toFixed(0)} bytes of log for each fault`];
  }

  #sample(): void {
    for (const pod of this.#pods) {
      const pid = pod.sidecar?.child.pid;
      if (pid === undefined) continue;
      try {
        this.#note(pod.name, pid);
      } catch {
        // It has just ended.
      }
    }
  }

  #note(name: string, pid: number): void {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const residentMib = Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1] ?? 0) / 1_024;
    const open = readdirSync(`/proc/${pid}/fd`);
    const sockets = open.filter((fd) => linkOf(pid, fd).startsWith("socket:")).length;
    const bornMs = this.#births.get(pid) ?? machineMs();
    this.#births.set(pid, bornMs);
    const before = this.#peaks.get(name);
    this.#peaks.set(name, {
      name,
      residentMib: Math.max(before?.residentMib ?? 0, residentMib),
      descriptors: Math.max(before?.descriptors ?? 0, open.length),
      sockets: Math.max(before?.sockets ?? 0, sockets),
      logBytes: 0,
      longestLifeS: Math.max(before?.longestLifeS ?? 0, (machineMs() - bornMs) / 1_000),
    });
  }
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return "";
  }
}
