/**
 * How long the group was without a holder: after faults that struck the holder, and over all.
 *
 * Invariant: pure. A failover is the time from the first step of a fault at the holder to the first instant at which
 * another token was believed by an application. Faults that take effect some seconds later have none. A gap is the
 * time in which no application believed anything.
 *
 * Deliberately absent: verdicts; see liveness.ts.
 */
import { type FaultKind, SLOW_KINDS } from "./kinds.ts";
import type { Claim, FaultRecord, Span } from "./record.ts";

export interface Failover {
  /** "several": other faults were on as well before the next holder was there. */
  readonly kind: FaultKind | "several";
  readonly atMs: number;
  readonly tookMs: number;
}

/** @param settleMs a change of the holder later than this after the heal is not the fault's doing */
export function failoversOf(
  claims: readonly Claim[],
  faults: readonly FaultRecord[],
  settleMs: number,
): readonly Failover[] {
  const ordered = claims.toSorted((a, b) => a.fromMs - b.fromMs);
  const seen = new Set<number>();
  return faults
    .filter(({ kind, proof }) => proof !== null && kind !== "clock-rate" && !SLOW_KINDS.includes(kind))
    .toSorted((a, b) => a.injected.fromMs - b.injected.fromMs)
    .flatMap((fault) => {
      const { kind, targets, injected, healed } = fault;
      const atMs = injected.fromMs;
      const held = ordered.findLast(({ fromMs }) => fromMs <= atMs);
      if (held === undefined || held.untilMs <= atMs || !targets.includes(held.name)) return [];
      const next = ordered.find(({ fromMs }) => fromMs > atMs);
      if (next === undefined || next.fromMs > (healed?.toMs ?? atMs) + settleMs || seen.has(next.token)) return [];
      seen.add(next.token);
      const span = { fromMs: atMs, toMs: next.fromMs };
      const isAlone = !faults.some((other) => other !== fault && other.kind !== "clock-rate" && isOn(other, span));
      return [{ kind: isAlone ? kind : ("several" as const), atMs, tookMs: next.fromMs - atMs }];
    });
}

function isOn({ injected, healed }: FaultRecord, { fromMs, toMs }: Span): boolean {
  return injected.fromMs < toMs && (healed?.toMs ?? Number.POSITIVE_INFINITY) > fromMs;
}

/** The times in which nobody believed to be the holder. */
export function gapsOf(claims: readonly Claim[], whole: Span): readonly Span[] {
  const gaps: Span[] = [];
  let coveredMs = whole.fromMs;
  for (const { fromMs, untilMs } of claims.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (fromMs > coveredMs) gaps.push({ fromMs: coveredMs, toMs: Math.min(fromMs, whole.toMs) });
    coveredMs = Math.max(coveredMs, untilMs);
  }
  if (coveredMs < whole.toMs) gaps.push({ fromMs: coveredMs, toMs: whole.toMs });
  return gaps.filter(({ fromMs, toMs }) => toMs > fromMs);
}
