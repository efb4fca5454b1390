/**
 * What V8 spends memory on: little while the sidecar idles, everything once it has real work.
 *
 * An idle sidecar handles a few dozen messages a second. That is enough for V8 to compile its loops with the
 * optimizing compilers, which maps 5 MiB of their own code and as much of their results, in every pod, for moments
 * that nobody waits for. So they are off until the process was busy for a while, such as under a load of polls, and
 * stay on from then.
 *
 * Invariant: what the program does is the same with each of these flags; only its memory and speed differ.
 *
 * Deliberately absent: a way back. A process that was busy once will be again.
 */

/** Flags of an idle process. The first also holds under load: live data is a few MiB, and floods made it grow. */
const FRUGAL = [
  "--semi-space-growth-factor=1",
  "--no-turbofan",
  "--no-maglev",
  "--optimize-for-size",
  "--memory-reducer-for-small-heaps",
] as const;
const FAST = ["--turbofan", "--maglev", "--no-optimize-for-size"] as const;

/** How often the process looks at itself, in ms, and which part of a core makes it busy: idle is a hundredth. */
const LOOK_INTERVAL_MS = 1_000;
const BUSY_PART = 0.2;

export interface Engine {
  readonly setFlag: (flag: string) => void;
  /** CPU time of this process so far, in microseconds. */
  readonly cpuMicros: () => number;
  /** Calls back again and again until it is cancelled; keeps no process alive. */
  readonly every: (intervalMs: number, look: () => void) => () => void;
}

/** To be called before there is anything to compile. */
export function tuneEngine({ setFlag, cpuMicros, every }: Engine): void {
  for (const flag of FRUGAL) setFlag(flag);
  let before = cpuMicros();
  const cancel = every(LOOK_INTERVAL_MS, () => {
    const now = cpuMicros();
    const isBusy = now - before > BUSY_PART * LOOK_INTERVAL_MS * 1_000;
    before = now;
    if (!isBusy) return;
    for (const flag of FAST) setFlag(flag);
    cancel();
  });
}
