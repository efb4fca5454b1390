/**
 * What the chart watches with, as values: the rules, the dashboard, and the queries of both.
 *
 * Invariant: read from the files that the chart ships, so a test of these is a test of those.
 *
 * Deliberately absent: PromQL. Names are found by their form; whether a query parses, promtool says.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const ROOT = join(import.meta.dirname, "..", "..");
export const RULES_FILE = join(ROOT, "charts", "tenure", "files", "rules.yaml");
export const DASHBOARD_FILE = join(ROOT, "charts", "tenure", "files", "dashboard.json");

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Alert extends Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

export interface Panel {
  readonly id: number;
  readonly type: "row" | "stat" | "timeseries" | "state-timeline";
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly decimals?: number;
      readonly min?: number;
      readonly max?: number;
      readonly custom?: {
        readonly drawStyle?: string;
        readonly scaleDistribution?: { readonly type: "log"; readonly log: number };
      };
      readonly mappings?: readonly {
        readonly options: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
      }[];
    };
  };
  readonly options?: { readonly textMode?: string };
}

export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

export function rulesOf(text: string): readonly Rule[] {
  const { groups } = parse(text) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export function readRules(): readonly Rule[] {
  return rulesOf(readFileSync(RULES_FILE, "utf8"));
}

/** A rule of this project that has an alert also has labels and annotations; checked here. */
export function alertsOf(rules: readonly Rule[]): readonly Alert[] {
  return rules.flatMap((rule) => {
    const { alert, labels, annotations } = rule;
    if (alert === undefined) return [];
    if (labels === undefined || annotations === undefined) throw new Error(`${alert} has no labels or annotations`);
    return [{ ...rule, alert, labels, annotations }];
  });
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(DASHBOARD_FILE, "utf8")) as Dashboard;
}

export function queriesOf({
  panels,
  annotations,
}: Dashboard): readonly { readonly where: string; readonly expr: string }[] {
  return [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr }))),
    ...annotations.list.map(({ expr }) => ({ where: "annotations", expr })),
  ];
}

/** As Grafana does it. `rangeSeconds`: what is shown; `rateSeconds`: what a rate is taken over. */
export function fillIn(expr: string, { rangeSeconds = 3_600, rateSeconds = 60 } = {}): string {
  return expr
    .replaceAll("$__rate_interval", `${rateSeconds}s`)
    .replaceAll("$__range", `${rangeSeconds}s`)
    .replaceAll("$namespace", "default")
    .replaceAll("$group", "app");
}

/** Names of series in a query: of metrics, and of what rules record. Comments and quoted texts hold none. */
export function seriesIn(expr: string): readonly string[] {
  const code = expr.replaceAll(/"[^"]*"|#.*$/gmu, "");
  const found = code.match(/\b(?:\w+:\w+:\w+|(?:tenure|process)_\w+|ALERTS)\b/gu) ?? [];
  return [...new Set(found)];
}

export interface ToolRun {
  readonly status: number | null;
  readonly output: string;
}

/** What a test says when it cannot run; null when promtool is there. */
export function missingPromtool(): string | null {
  return spawnSync("promtool", ["--version"]).status === 0 ? null : "needs promtool: Debian's package prometheus";
}

export function promtool(args: readonly string[], input = ""): ToolRun {
  const { status, stdout, stderr, error } = spawnSync("promtool", args, { input, encoding: "utf8", cwd: ROOT });
  return { status, output: error === undefined ? `${stdout}${stderr}` : error.message };
}
