/**
 * The history of what applications saw, checked after the fact as one lock register.
 *
 * Each tenure that any application was told of is one operation on the register, from the moment at which it first
 * might act to the last at which it might. The history is linearizable as that of a lock exactly if these spans do not
 * overlap and the tokens rise with them.
 *
 * Invariant: made from answers alone. It shares no state with lease-checks.ts, which asks the same while things happen.
 *
 * Deliberately absent: acts after the deadline. An application that does that needs fencing, not a lock.
 */
import type { FencingToken } from "../../src/base/types.ts";
import type { Scene } from "./checks.ts";
import type { Machine } from "./machine.ts";
import { check } from "./violation.ts";

interface Span {
  readonly token: FencingToken;
  readonly machine: Machine;
  readonly fromMs: number;
  /** The last moment at which it was seen to act, in true time. */
  untilMs: number;
}

export class LockHistory {
  readonly #scene: Scene;
  readonly #spans: Span[] = [];
  /** The spans that may still grow. */
  #open: Span[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get length(): number {
    return this.#spans.length;
  }

  /** Before the application acts on it. */
  told(machine: Machine, token: FencingToken): void {
    const { nowMs } = this.#scene.agenda;
    this.observe();
    const known = this.#open.find((span) => span.machine === machine && span.token === token);
    if (known !== undefined) {
      known.untilMs = nowMs;
      return;
    }
    const span = { token, machine, fromMs: nowMs, untilMs: nowMs };
    this.#spans.push(span);
    this.#open.push(span);
  }

  /** Looks who acts now. A span whose application acts no longer is closed. */
  observe(): void {
    const { nowMs } = this.#scene.agenda;
    let closes = false;
    for (const span of this.#open) {
      const { application } = span.machine;
      const acts = application.token === span.token && application.actsAt(span.machine.holderNow());
      if (acts) span.untilMs = nowMs;
      else closes = true;
    }
    if (closes) {
      this.#open = this.#open.filter(({ token, machine: { application } }) => application.token === token);
      if (this.#open.length > 8) this.#open = this.#open.slice(-8);
    }
  }

  /** At the end: one order of all tenures that agrees with time and with tokens. */
  verify(): void {
    const inOrder = this.#spans.toSorted((a, b) => a.fromMs - b.fromMs || a.token - b.token);
    let last: Span | null = null;
    for (const span of inOrder) {
      const before = last;
      last = span;
      if (before === null) continue;
      const follows = before.token < span.token || (before.token === span.token && before.machine === span.machine);
      check(
        follows && before.untilMs <= span.fromMs,
        "linearizable",
        () =>
          `${span.token} of n${span.machine.position} from ${span.fromMs} on, ` +
          `${before.token} of n${before.machine.position} until ${before.untilMs}`,
      );
    }
  }
}
