/**
 * Everything that a campaign comes to: violations of safety, of liveness, of bounds, and the figures.
 *
 * Invariant: a campaign in which a kind was carried out and never showed an effect has shown nothing, and fails; so
 * does one in which nobody wrote.
 *
 * Deliberately absent: output.
 */
import { machineMs } from "../../../demo/machine-clock.ts";
import type { Watch } from "./bounds.ts";
import { type Failover, failoversOf, gapsOf } from "./failovers.ts";
import type { FaultKind } from "./kinds.ts";
import { type Bounds, type Liveness, livenessOf } from "./liveness.ts";
import { violationsOf, violationsOfCuts, violationsOfLedger } from "./oracle.ts";
import type { Claim, FaultRecord, Span } from "./record.ts";
import type { Runner } from "./runner.ts";
import type { Testbed } from "./testbed.ts";

export interface Verdict {
  /** Exclusion, tokens, fences, deadlines, sidecars that broke: none is ever to be excused. */
  readonly safety: readonly string[];
  /** A holder that came too late, a bound that was passed, a fault without effect. */
  readonly other: readonly string[];
  readonly claims: readonly Claim[];
  readonly faults: readonly FaultRecord[];
  readonly failovers: readonly Failover[];
  readonly liveness: Liveness;
  readonly gaps: readonly Span[];
  readonly whole: Span;
}

const CLOCK_DRIFT = 0.1;
/** Connections are found again: a silent one is noticed, dialled anew, and waits for the longest backoff. */
const RECONNECT_MS = 3_500;
const RATE_TOLERANCE = 0.01;

/**
 * A crashed holder is replaced when its promises have run out, on the slowest clock, plus an election. Votes that split
 * take a second election, and so do those that a fault of before has left behind; the rest is for the machine.
 */
export function boundsOf(leaseMs: number): Bounds {
  return { faultMs: 3 * leaseMs + 1_000, healMs: 3 * leaseMs + RECONNECT_MS, settleMs: RECONNECT_MS };
}

/** The part that is looked at after each round, so that a campaign stops at the violation and not hours later. */
export function safetyOf(testbed: Testbed, runner: Runner): readonly string[] {
  const usableMs = (testbed.options.leaseMs * (1 - CLOCK_DRIFT)) / (1 + CLOCK_DRIFT);
  const rates = new Map(testbed.pods.map(({ name, rate }) => [name, rate]));
  const { claims } = testbed;
  return [
    ...testbed.broken,
    ...violationsOf(claims),
    ...violationsOfLedger(testbed.ledger),
    ...violationsOfCuts(claims, runner.records, (name) => usableMs / (rates.get(name) ?? 1)),
  ];
}

export function verdictOf(testbed: Testbed, runner: Runner, watch: Watch, fromMs: number): Verdict {
  const whole = { fromMs, toMs: machineMs() };
  const { claims, names, options } = testbed;
  const faults = [...runner.records, ...clockRates(testbed, whole)];
  const bounds = boundsOf(options.leaseMs);
  const liveness = livenessOf(names, faults, claims, whole, bounds, (span) => watch.stalledMs(span));
  const late = liveness.late.map(
    ({ atMs, tookMs, boundMs, causes }) =>
      `no holder for ${Math.round(tookMs)} ms, bound ${Math.round(boundMs)} ms, ` +
      `at ${Math.round(atMs - testbed.startedMs)} ms: ${causes.join(", ")}`,
  );
  const idle = testbed.ledger.accepted === 0 ? ["nobody ever wrote: nothing was shown"] : [];
  return {
    safety: safetyOf(testbed, runner),
    other: [...late, ...watch.violations(faults.length), ...withoutEffect(faults), ...idle],
    claims,
    faults,
    failovers: failoversOf(claims, faults, RECONNECT_MS),
    liveness,
    gaps: gapsOf(claims, whole),
    whole,
  };
}

/** One fault for each pod whose clock runs wrong, with what its own log says of it. */
function clockRates(testbed: Testbed, whole: Span): readonly FaultRecord[] {
  const edge = { fromMs: whole.fromMs, toMs: whole.fromMs };
  return testbed.pods
    .filter(({ rate }) => rate !== 1)
    .map(({ name, rate, measuredRate }) => {
      const isSeen = measuredRate !== null && Math.abs(measuredRate.rate - rate) < RATE_TOLERANCE;
      const seen = `its log runs at ${measuredRate?.rate.toFixed(4)} of the true time`;
      const proof = isSeen ? seen : null;
      return {
        round: 0,
        kind: "clock-rate",
        targets: [name],
        impaired: [],
        blind: false,
        injected: edge,
        healed: null,
        proof,
      };
    });
}

function withoutEffect(faults: readonly FaultRecord[]): readonly string[] {
  const kinds = new Set(faults.map(({ kind }) => kind));
  const proven = new Set<FaultKind>(faults.filter(({ proof }) => proof !== null).map(({ kind }) => kind));
  return [...kinds].filter((kind) => !proven.has(kind)).map((kind) => `${kind} was made and never had an effect`);
}
