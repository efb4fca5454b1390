/**
 * Medians and percentiles, and the table in which figures are printed.
 *
 * Invariant: a percentile is a value that was measured, not one between two.
 *
 * Deliberately absent: verdicts in code. Goals are printed beside the figures; people judge.
 */

/** The smallest value that at least `part` (0 to 1) of the values do not exceed; NaN of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export interface Row {
  readonly what: string;
  readonly runs: number;
  readonly p50: string;
  readonly p99: string;
  readonly max: string;
  readonly goal: string;
}

export function rowOf(what: string, values: readonly number[], unit: string, goal: string): Row {
  const show = (value: number): string => `${value.toFixed(1)} ${unit}`;
  return {
    what,
    runs: values.length,
    p50: show(percentile(values, 0.5)),
    p99: show(percentile(values, 0.99)),
    max: show(percentile(values, 1)),
    goal,
  };
}

export function renderTable(rows: readonly Row[]): string {
  const head: Record<keyof Row, string> = { what: "", runs: "runs", p50: "p50", p99: "p99", max: "max", goal: "goal" };
  const keys = ["what", "runs", "p50", "p99", "max", "goal"] as const;
  const cells = [head, ...rows].map((row) => keys.map((key) => String(row[key])));
  const widths = keys.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}
