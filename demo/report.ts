/**
 * The end of a run in words: who held the lock and when, how long changes took, what was refused, and the verdict.
 *
 * Invariant: pure.
 *
 * Deliberately absent: colours.
 */
import type { Tenure } from "./evidence.ts";
import type { Measurement } from "./script.ts";

export interface Outcome {
  /** In the order of their beginning. */
  readonly tenures: readonly Tenure[];
  readonly endings: ReadonlyMap<number, string>;
  readonly measurements: readonly Measurement[];
  readonly refusals: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
  /** Of the machine's clock, when the demo began. */
  readonly startedMs: number;
}

export function reportLines(outcome: Outcome): readonly string[] {
  const { tenures, measurements, faults } = outcome;
  const writes = tenures.reduce((sum, tenure) => sum + tenure.writes, 0);
  return [
    "",
    ...tenureTable(outcome),
    "",
    ...durations(measurements),
    `writes     ${writes} accepted; refused: ${refusalText(outcome.refusals)}`,
    "",
    ...verdict(tenures.length, faults),
  ];
}

function tenureTable({ tenures, endings, startedMs }: Outcome): readonly string[] {
  const seconds = (instantMs: number): string => ((instantMs - startedMs) / 1_000).toFixed(2);
  const rows = tenures.map((tenure, position) => [
    String(position + 1),
    tenure.worker,
    String(tenure.token),
    seconds(tenure.fromMs),
    seconds(tenure.untilMs),
    String(tenure.writes),
    String(tenure.refused),
    endings.get(tenure.token) ?? (position === tenures.length - 1 ? "demo ended" : "-"),
  ]);
  return table(["#", "holder", "token", "from s", "until s", "writes", "refused", "ended by"], rows, [0, 3, 4, 5, 6]);
}

type Row = readonly string[];

/** @param right columns of numbers */
function table(head: Row, rows: readonly Row[], right: readonly number[]): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string => {
    const width = widths[column] ?? 0;
    return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
  };
  const line = (cells: Row): string => cells.map(pad).join("  ").trimEnd();
  return [line(head), ...rows.map(line)];
}

function durations(measurements: readonly Measurement[]): readonly string[] {
  const lines = (["handover", "failover"] as const).flatMap((kind) => {
    const found = measurements.filter((measurement) => measurement.kind === kind);
    const [first] = found;
    if (first === undefined) return [];
    const list = found.map(({ durationMs }) => Math.round(durationMs)).join(", ");
    return [`${kind}s  ${list} ms; limit ${first.limitMs} ms`];
  });
  return lines.length === 0 ? [] : ["from the deed to the next holder's first write:", ...lines];
}

function refusalText(refusals: ReadonlyMap<string, number>): string {
  if (refusals.size === 0) return "none";
  return [...refusals].map(([reason, count]) => `${count} (${reason})`).join(", ");
}

function verdict(tenures: number, faults: readonly string[]): readonly string[] {
  if (faults.length === 0) {
    return [`PASSED: ${tenures} tenures, never two valid at once, each with a token above the last.`];
  }
  return ["FAILED:", ...faults.map((fault) => `  - ${fault}`)];
}
