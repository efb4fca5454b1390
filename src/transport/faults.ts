/**
 * Tells each fault of a peer once per cause.
 *
 * Invariant: a cause that was told is not told again before the same source has worked; memory is bounded by
 * MAX_FAULT_SOURCES and MAX_FAULT_CAUSES, beyond which the oldest is forgotten (and may be told anew).
 *
 * Deliberately absent: time. How often a person should be reminded is the log's business.
 */
import type { ErrorCode } from "../base/errors.ts";
import { MAX_FAULT_CAUSES, MAX_FAULT_SOURCES } from "../base/limits.ts";

/** A fault without its place: the same text every time, so that repetitions are recognised. */
export interface Cause {
  readonly code: ErrorCode;
  readonly message: string;
}

export class FaultGate {
  readonly #told = new Map<string, Set<string>>();
  readonly #report: (code: ErrorCode, peer: string, message: string) => void;

  constructor(report: (code: ErrorCode, peer: string, message: string) => void) {
    this.#report = report;
  }

  /**
   * `source` is what must work before a cause is told again, `peer` the name or address for people, `where` what to add
   * to the message without making it another cause.
   */
  report(source: string, peer: string, { code, message }: Cause, where: string | null): void {
    const causes = this.#causesOf(source);
    const cause = `${code} ${message}`;
    if (causes.has(cause)) return;
    causes.add(cause);
    dropOldest(causes, MAX_FAULT_CAUSES);
    this.#report(code, peer, where === null ? message : `${where}: ${message}`);
  }

  /** The source works: whatever happens to it next is news. */
  clear(source: string): void {
    this.#told.delete(source);
  }

  #causesOf(source: string): Set<string> {
    const causes = this.#told.get(source) ?? new Set();
    this.#told.delete(source);
    this.#told.set(source, causes);
    dropOldest(this.#told, MAX_FAULT_SOURCES);
    return causes;
  }
}

/** Maps and sets keep the order of insertion. */
function dropOldest(entries: Map<string, unknown> | Set<string>, most: number): void {
  if (entries.size <= most) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    return;
  }
}
