/**
 * The report of a campaign: a table for people, a file of everything for machines, the timeline.
 *
 * Invariant: what is printed is what is kept; nothing is rounded away that a violation rests on.
 *
 * Deliberately absent: the verdict itself.
 */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { percentile } from "../../../bench/statistics.ts";
import type { Watch } from "./bounds.ts";
import { FAULT_KINDS, type FaultKind } from "./kinds.ts";
import type { Runner } from "./runner.ts";
import type { Testbed } from "./testbed.ts";
import { renderTimeline } from "./timeline.ts";
import type { Verdict } from "./verdict.ts";

export interface ReportInput {
  readonly testbed: Testbed;
  readonly runner: Runner;
  readonly watch: Watch;
  readonly verdict: Verdict;
  readonly rounds: number;
  /** The command that plays the same schedule again. */
  readonly replay: string;
  readonly notes: readonly string[];
}

export function renderReport(input: ReportInput): string {
  const { testbed, verdict, watch, rounds } = input;
  const { whole, faults, claims, liveness, gaps } = verdict;
  const seconds = (whole.toMs - whole.fromMs) / 1_000;
  const proven = faults.filter(({ proof }) => proof !== null).length;
  const gapMs = gaps.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
  const stalledMs = watch.stalls.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const { ledger } = testbed;
  return [
    "",
    kindTable(input),
    "",
    `${proven} faults with a proven effect of ${faults.length} made, in ${rounds} rounds and ${seconds.toFixed(0)} s`,
    `tenures ${claims.length}, holder there ${(100 - gapMs / 10 / seconds).toFixed(1)} % of the time`,
    `recoveries judged ${liveness.recoveries.length + liveness.late.length}, late ${liveness.late.length}, ` +
      `cut short by the next fault ${liveness.cutShort}`,
    `ledger: ${ledger.accepted} writes accepted, ${ledger.refused} stale ones refused`,
    `machine stood still for ${Math.round(stalledMs)} ms in ${watch.stalls.length} pieces`,
    ...watch.peaks.map(
      ({ name, residentMib, descriptors, sockets, logBytes, longestLifeS }) =>
        `${name}: at most ${residentMib.toFixed(0)} MiB, ${descriptors} descriptors, ${sockets} sockets, ` +
        `${(logBytes / 1_024).toFixed(0)} KiB of log, longest life ${longestLifeS.toFixed(0)} s`,
    ),
    `violations of safety: ${verdict.safety.length}, others: ${verdict.other.length}`,
    ...[...verdict.safety, ...verdict.other].map((text) => `  VIOLATION ${text}`),
  ].join("\n");
}

const COLUMNS = ["fault", "made", "proven", "missed", "skipped", "failovers", "p50 ms", "p99 ms", "max ms"] as const;

function kindTable({ runner, verdict }: ReportInput): string {
  const rows = FAULT_KINDS.flatMap((kind) => {
    const made = verdict.faults.filter((fault) => fault.kind === kind);
    const missed = runner.missed.get(kind)?.length ?? 0;
    const skipped = runner.skipped.get(kind)?.length ?? 0;
    if (made.length + missed + skipped === 0) return [];
    const took = verdict.failovers.filter((failover) => failover.kind === kind).map(({ tookMs }) => tookMs);
    const proven = made.filter(({ proof }) => proof !== null).length;
    return [[kind, made.length, proven, missed, skipped, ...figures(took)]];
  });
  const sum = (column: number): number => rows.reduce((total, row) => total + Number(row[column]), 0);
  const several = verdict.failovers.filter(({ kind }) => kind === "several").map(({ tookMs }) => tookMs);
  const mixed = ["several at once", "", "", "", "", ...figures(several)];
  const all = verdict.failovers.map(({ tookMs }) => tookMs);
  const total = ["all", sum(1), sum(2), sum(3), sum(4), ...figures(all)];
  const cells = [COLUMNS, ...rows, mixed, total].map((row) => row.map(String));
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => {
    const shown = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `| ${shown.join(" | ")} |`;
  });
  const dashes = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const rule = `| ${dashes.join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

function figures(took: readonly number[]): readonly (string | number)[] {
  if (took.length === 0) return [0, "", "", ""];
  return [took.length, ...[0.5, 0.99, 1].map((part) => percentile(took, part).toFixed(0))];
}

/** Why kinds were skipped, each reason once. */
export function skippedKinds(runner: Runner): readonly { readonly kind: FaultKind; readonly reason: string }[] {
  return [...runner.skipped].flatMap(([kind, reasons]) => [...new Set(reasons)].map((reason) => ({ kind, reason })));
}

/** Writes report, records, timeline and the sidecars' logs. */
export function keep(directory: string, input: ReportInput): void {
  const { testbed, runner, verdict, replay, notes, watch, rounds } = input;
  mkdirSync(directory, { recursive: true });
  const { seed, nodes, leaseMs } = testbed.options;
  const count = `${rounds} rounds, ${verdict.faults.length} faults`;
  const title = `tenure, seed ${seed}, ${nodes} pods, D = ${leaseMs} ms, ${count}`;
  writeFileSync(join(directory, "report.txt"), `${replay}\n${renderReport(input)}\n`);
  writeFileSync(join(directory, "rounds.txt"), `${notes.join("\n")}\n`);
  const summary = {
    replay,
    seed,
    nodes,
    leaseMs,
    rounds,
    violations: { safety: verdict.safety, other: verdict.other },
    kinds: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, countsOf(input, kind)])),
    skipped: skippedKinds(runner),
    missed: Object.fromEntries(runner.missed),
    clocks: testbed.pods.map(({ name, options, measuredRate }) => ({ name, clock: options.clock, measuredRate })),
    ledger: { accepted: testbed.ledger.accepted, refused: testbed.ledger.refused },
    peaks: watch.peaks,
    recoveries: verdict.liveness,
    failovers: verdict.failovers,
    faults: verdict.faults,
    claims: verdict.claims,
  };
  writeFileSync(join(directory, "records.json"), `${JSON.stringify(summary, null, 1)}\n`);
  const { names } = testbed;
  const { claims, faults, whole } = verdict;
  writeFileSync(join(directory, "timeline.svg"), renderTimeline({ title, names, claims, faults, whole, marks: [] }));
  cpSync(testbed.logDirectory, join(directory, "logs"), { recursive: true });
}

function countsOf({ runner, verdict }: ReportInput, kind: FaultKind): Record<string, number> {
  const made = verdict.faults.filter((fault) => fault.kind === kind);
  return {
    made: made.length,
    proven: made.filter(({ proof }) => proof !== null).length,
    missed: runner.missed.get(kind)?.length ?? 0,
    skipped: runner.skipped.get(kind)?.length ?? 0,
  };
}
