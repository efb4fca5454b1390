/**
 * Nothing grows without a bound: messages, timers, the history.
 *
 * Invariant: the bounds are those of src/base/limits.ts.
 *
 * Deliberately absent: bytes.
 */
import { COMPACT_AFTER_ENTRIES, MAX_APPEND_ENTRIES, MAX_HISTORY, MAX_VOTERS } from "../../src/base/limits.ts";
import type { Observed } from "./checks.ts";
import type { Life } from "./life.ts";
import { check } from "./violation.ts";

/** The core's next instant, formation's interval, a drain, a handover: one of each, and one being replaced. */
const MAX_TIMERS = 6;

/** Entries that may wait for a majority before they count. */
const UNCOMMITTED = 64;

export class BoundChecks {
  stepped({ machine, clock, mirror }: Life, { effects, view }: Observed): void {
    for (const { message } of effects.send) {
      if (message.kind !== "appendRequest") continue;
      const { length } = message.entries;
      check(length <= MAX_APPEND_ENTRIES, "bounds", () => `n${machine.position} sends ${length} entries at once`);
    }
    const voters = view.configuration.voters.length;
    check(voters <= MAX_VOTERS, "bounds", () => `n${machine.position} counts ${voters} voters`);
    const { length } = view.history;
    check(length <= MAX_HISTORY, "bounds", () => `n${machine.position} remembers ${length} tenures`);
    const entries = mirror?.length ?? 0;
    check(
      view.lastIndex - view.commitIndex > UNCOMMITTED || entries < COMPACT_AFTER_ENTRIES + UNCOMMITTED,
      "bounds",
      () => `n${machine.position} has a log of ${entries} entries, of which all but a few are committed`,
    );
    check(clock.timers <= MAX_TIMERS, "bounds", () => `n${machine.position} has ${clock.timers} timers`);
  }
}
