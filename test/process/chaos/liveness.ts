/**
 * The verdict on liveness: after every fault and every heal that leaves a whole majority, a holder is there within the
 * bound.
 *
 * The campaign is cut at each disturbance (a fault begins or ends). In the quiet time after it, a majority is whole
 * when fewer than half of the pods are impaired. The bound is longer while that majority has only just been restored,
 * because connections must first be found again.
 *
 * Invariant: pure. A quiet time that ends before its bound, without a holder, is not judged but counted as cut short.
 *
 * Deliberately absent: who the holder should be.
 */
import type { Claim, FaultRecord, Span } from "./record.ts";

export interface Bounds {
  /** When the majority was whole before. */
  readonly faultMs: number;
  /** When it has become whole a moment ago. */
  readonly healMs: number;
  /** For so long it counts as a moment ago. */
  readonly settleMs: number;
}

export interface Recovery {
  readonly atMs: number;
  /** Until the first instant of a claim; 0: it was there all the time. */
  readonly tookMs: number;
  readonly boundMs: number;
  readonly causes: readonly string[];
}

export interface Liveness {
  readonly recoveries: readonly Recovery[];
  readonly late: readonly Recovery[];
  /** Quiet times that ended too soon to be judged. */
  readonly cutShort: number;
}

interface Disturbance {
  readonly atMs: number;
  readonly text: string;
}

/** @param stalledMs how much the machine itself stood still in a span: added to the bound */
export function livenessOf(
  names: readonly string[],
  faults: readonly FaultRecord[],
  claims: readonly Claim[],
  whole: Span,
  bounds: Bounds,
  stalledMs: (span: Span) => number,
): Liveness {
  const disturbances = disturbancesOf(faults, whole);
  const ordered = claims.toSorted((a, b) => a.fromMs - b.fromMs);
  const recoveries: Recovery[] = [];
  const late: Recovery[] = [];
  let cutShort = 0;
  let brokenMs = whole.fromMs;
  for (const [position, { atMs, text }] of disturbances.entries()) {
    const endMs = disturbances[position + 1]?.atMs ?? whole.toMs;
    const active = faults.filter(({ injected, healed }) => overlapsAt({ injected, healed }, atMs, endMs));
    const impaired = new Set(active.flatMap((fault) => fault.impaired));
    const isWhole = (names.length - impaired.size) * 2 > names.length;
    if (!isWhole || active.some(({ blind }) => blind)) {
      brokenMs = endMs;
      continue;
    }
    const held = ordered.find(({ untilMs, fromMs }) => untilMs > atMs && fromMs < endMs);
    const tookMs = held === undefined ? endMs - atMs : Math.max(0, held.fromMs - atMs);
    const isFresh = atMs - brokenMs < bounds.settleMs || recentlyHealed(faults, atMs, bounds.settleMs);
    const boundMs =
      (isFresh ? bounds.healMs : bounds.faultMs) + stalledMs({ fromMs: atMs, toMs: Math.min(endMs, atMs + tookMs) });
    const recovery = { atMs, tookMs, boundMs, causes: [text, ...active.map(({ kind }) => kind)] };
    if (tookMs > boundMs) late.push(recovery);
    else if (held === undefined) cutShort += 1;
    else recoveries.push(recovery);
  }
  return { recoveries, late, cutShort };
}

/** The beginning of the run is one as well: the group forms. */
function disturbancesOf(faults: readonly FaultRecord[], { fromMs, toMs }: Span): readonly Disturbance[] {
  const found: Disturbance[] = [{ atMs: fromMs, text: "start" }];
  for (const { kind, injected, healed } of faults) {
    found.push({ atMs: injected.fromMs, text: `${kind} begins` }, { atMs: injected.toMs, text: `${kind} began` });
    if (healed === null) continue;
    found.push({ atMs: healed.fromMs, text: `${kind} ends` }, { atMs: healed.toMs, text: `${kind} ended` });
  }
  return found.filter(({ atMs }) => atMs < toMs).toSorted((a, b) => a.atMs - b.atMs);
}

/** Whether the fault was there, or on its way in or out, at any time between. */
function overlapsAt({ injected, healed }: Pick<FaultRecord, "injected" | "healed">, fromMs: number, toMs: number) {
  return injected.fromMs < toMs && (healed?.toMs ?? Number.POSITIVE_INFINITY) > fromMs;
}

function recentlyHealed(faults: readonly FaultRecord[], atMs: number, settleMs: number): boolean {
  return faults.some(({ healed }) => healed !== null && healed.toMs <= atMs && atMs - healed.toMs < settleMs);
}
