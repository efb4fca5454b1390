/**
 * What the witnesses of all pods have believed, one claim for each token in each pod.
 *
 * Invariant: a claim only grows, until its application says that it has stopped. An application that was killed acts no
 * more, and still its claim stays, because its sidecar has promised to keep the lock for it; only the application that
 * comes after it in the same pod may say for it that it has stopped, as its sidecar will believe.
 *
 * Deliberately absent: judgement; see oracle.ts.
 */
import type { Claim } from "./record.ts";
import type { Report } from "./witness-talk.ts";

interface Held extends Claim {
  readonly stoppedMs: number;
}

export class Claims {
  readonly #held = new Map<string, Held>();

  take(name: string, report: Report): void {
    if (report.report === "claim") this.#grow(name, report.token, report.fromMs, report.untilMs);
    if (report.report !== "stop") return;
    const { token, atMs } = report;
    for (const [key, held] of this.#held) {
      if (held.name !== name) continue;
      if (token === null) this.#held.set(key, { ...held, untilMs: Math.min(held.untilMs, atMs) });
      else if (held.token === token) this.#held.set(key, { ...held, stoppedMs: Math.min(held.stoppedMs, atMs) });
    }
  }

  get all(): readonly Claim[] {
    return [...this.#held.values()].map(({ name, token, fromMs, untilMs, stoppedMs }) => ({
      name,
      token,
      fromMs,
      untilMs: Math.min(untilMs, stoppedMs),
    }));
  }

  #grow(name: string, token: number, fromMs: number, untilMs: number): void {
    const key = `${token} ${name}`;
    const known = this.#held.get(key);
    this.#held.set(key, {
      name,
      token,
      fromMs: Math.min(known?.fromMs ?? fromMs, fromMs),
      untilMs: Math.max(known?.untilMs ?? untilMs, untilMs),
      stoppedMs: known?.stoppedMs ?? Number.POSITIVE_INFINITY,
    });
  }
}
