/**
 * Nobody is disturbed for nothing: who hears a leader neither campaigns nor lets others campaign (DESIGN, Elections;
 * dissertation, 9.6 and 4.2.3).
 *
 * Invariant: a model of what each node has heard in its present life, made from its inputs and outputs alone.
 *
 * Deliberately absent: safety. Nothing here endangers a lease; it would only be lost more often than it must.
 */
import { usableLeaseMs } from "../../src/lease/timing.ts";
import { isAppend } from "./appends.ts";
import type { Observed } from "./checks.ts";
import type { Life } from "./life.ts";
import { check, ROUNDING_MS } from "./violation.ts";

export class CalmnessChecks {
  /** Until when each life hears a leader, on its own CLOCK_MONOTONIC; -Infinity when it does not. */
  readonly #hearsUntil = new WeakMap<Life, number>();

  /** Who has promised before may have heard a leader just before it went down. */
  starts(life: Life): void {
    const { settings, disk } = life.machine;
    const { leaseDurationMs, clockDrift } = settings.timing;
    const promised = disk.hardState.largestPromiseMs > 0;
    const until = life.clock.monotonic() + usableLeaseMs(leaseDurationMs, clockDrift);
    this.#hearsUntil.set(life, promised ? until : -Infinity);
  }

  stepped(life: Life, { effects, input, before, view, now }: Observed): void {
    const { position, settings } = life.machine;
    const hearsUntil = this.#hearsUntil.get(life) ?? -Infinity;
    const leads = before?.role === "leader" && before.term === view.term && before.leaseRuns && view.leaseRuns;
    for (const { message } of effects.send) {
      const lets = message.kind === "preVoteReply" && message.granted;
      if (!lets && message.kind !== "preVoteRequest") continue;
      const hears = now.monotonicMs < hearsUntil - ROUNDING_MS;
      check(!hears, "calmness", () => `n${position} sends a ${message.kind} while it hears a leader`);
      check(!leads || view.revoked, "calmness", () => `n${position} lets another campaign beside its own lease`);
    }
    // A leader hears itself alone; a candidate on a TimeoutNow knows that its leader stands back.
    if (view.role === "leader" || view.role === "candidate") this.#hearsUntil.set(life, -Infinity);
    if (input.kind !== "message" || !isAppend(input.message)) return;
    const { leaseDurationMs, term } = input.message;
    if (term < view.term) return;
    this.#hearsUntil.set(life, now.monotonicMs + usableLeaseMs(leaseDurationMs, settings.timing.clockDrift));
  }
}
