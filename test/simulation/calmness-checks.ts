/**
 * Nobody is disturbed for nothing: who hears a leader neither campaigns nor lets others campaign (DESIGN, Elections;
 * dissertation, 9.6 and 4.2.3).
 *
 * Invariant: a model of what each node has heard in its present life, made from its inputs and outputs alone.
 *
 * Deliberately absent: safety. Nothing here endangers a lease; it would only be lost more often than it must.
 */
import { usableLeaseMs } from "../../src/lease/timing.ts";
import type { Observed } from "./checks.ts";
import type { Replica } from "./replica.ts";
import { check } from "./violation.ts";

const ROUNDING_MS = 1e-6;

export class CalmnessChecks {
  /** Until when each node hears a leader, on its own CLOCK_MONOTONIC; -Infinity when it does not. */
  readonly #hearsUntil: number[] = [];

  /** Who has promised before may have heard a leader just before it went down. */
  starts(replica: Replica): void {
    const { leaseDurationMs, clockDrift } = replica.settings.timing;
    const promised = replica.disk.hardState.largestPromiseMs > 0;
    const until = replica.now().monotonicMs + usableLeaseMs(leaseDurationMs, clockDrift);
    this.#hearsUntil[replica.position] = promised ? until : -Infinity;
  }

  stepped(replica: Replica, { effects, input, before, view, now }: Observed): void {
    const { position, settings } = replica;
    const hearsUntil = this.#hearsUntil[position] ?? -Infinity;
    const leads = before?.role === "leader" && before.term === view.term && before.leaseRuns && view.leaseRuns;
    for (const { message } of effects.send) {
      const lets = message.kind === "preVoteReply" && message.granted;
      if (!lets && message.kind !== "preVoteRequest") continue;
      const hears = now.monotonicMs < hearsUntil - ROUNDING_MS;
      check(!hears, "calmness", () => `n${position} sends a ${message.kind} while it hears a leader`);
      check(!leads || view.revoked, "calmness", () => `n${position} lets another campaign beside its own lease`);
    }
    // A leader hears itself alone; a candidate on a TimeoutNow knows that its leader stands back.
    if (view.role === "leader" || view.role === "candidate") this.#hearsUntil[position] = -Infinity;
    if (input.kind !== "message" || input.message.kind !== "appendRequest") return;
    const { leaseDurationMs, term } = input.message;
    if (term < view.term) return;
    this.#hearsUntil[position] = now.monotonicMs + usableLeaseMs(leaseDurationMs, settings.timing.clockDrift);
  }
}
