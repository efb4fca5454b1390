/**
 * Which faults a person has just been told of.
 *
 * Invariant: the first fault of a kind (code and place) is news; those after it are not, until
 * REPEATED_FAULT_QUIET_MS have passed since the last that was. At most MAX_REPEATED_FAULTS kinds are remembered.
 *
 * Deliberately absent: a timer. A fault that does not come back is not mentioned again.
 */
import { MAX_REPEATED_FAULTS, REPEATED_FAULT_QUIET_MS } from "../base/limits.ts";

export interface FaultRepeats {
  /** The number of those kept quiet since the last news of this kind, or null: this one is to be kept quiet too. */
  judge(code: string, where: string, nowMs: number): number | null;
}

export function createFaultRepeats(): FaultRepeats {
  // In order of their last news: a Map keeps the order of insertion.
  const told = new Map<string, { readonly sinceMs: number; quiet: number }>();
  return {
    judge(code, where, nowMs) {
      const kind = `${code} ${where}`;
      const last = told.get(kind);
      if (last !== undefined && nowMs - last.sinceMs < REPEATED_FAULT_QUIET_MS) {
        last.quiet += 1;
        return null;
      }
      told.delete(kind);
      told.set(kind, { sinceMs: nowMs, quiet: 0 });
      if (told.size > MAX_REPEATED_FAULTS) {
        for (const oldest of told.keys()) {
          told.delete(oldest);
          break;
        }
      }
      return last?.quiet ?? 0;
    },
  };
}
