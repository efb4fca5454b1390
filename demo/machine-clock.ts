/**
 * One clock for all processes of the demo: the machine's CLOCK_MONOTONIC, which `process.hrtime` reads everywhere.
 *
 * Invariant: instants of different processes may be compared. Only the demo does that, as its referee; no rule of the
 * lease does.
 *
 * Deliberately absent: `performance.now`, which begins at zero in each process.
 */

/** In ms, in steps of a microsecond. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** `deadlineMonotonicNs` of the lock API, on the same clock; null stays null. */
export function machineMsOf(monotonicNs: string | null): number | null {
  return monotonicNs === null ? null : Number(BigInt(monotonicNs) / 1_000n) / 1_000;
}
