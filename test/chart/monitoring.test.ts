/**
 * Alerts, runbooks, tests, metrics, values and the dashboard are bound to each other: none is there without the others.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createMetrics } from "../../src/ops/metrics.ts";
import { type Alert, alertsOf, queriesOf, readDashboard, readRules, ROOT, seriesIn } from "../support/monitoring.ts";
import { nodeSample } from "../support/node-sample.ts";
import { watchOptions } from "../support/watch-options.ts";

const RUNBOOKS = join(ROOT, "docs", "runbooks");
const RULE_TESTS = join(ROOT, "test", "chart", "rules");
const SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"];
/** What the scraper adds; `token` comes from count_values. */
const SCRAPERS_LABELS = ["namespace", "pod", "group", "token"];

const rules = readRules();
const alerts = alertsOf(rules);
const names = alerts.map(({ alert }) => alert);
const dashboard = readDashboard();
const text = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), "utf8");

function knownMetrics(): { readonly series: ReadonlySet<string>; readonly labels: ReadonlySet<string> } {
  const metrics = createMetrics({ sample: nodeSample, ready: () => true, version: "1", watch: watchOptions() });
  const rows = metrics.describe();
  metrics.close();
  const series = rows.flatMap(({ name, type }) =>
    type === "histogram" ? ["bucket", "sum", "count"].map((end) => `${name}_${end}`) : [name],
  );
  return { series: new Set(series), labels: new Set([...rows.flatMap(({ labels }) => labels), "le"]) };
}

const { series: metricSeries, labels: metricLabels } = knownMetrics();
const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])));
const known = (name: string): boolean => metricSeries.has(name) || recorded.has(name) || name === "ALERTS";

/** Labels in selectors and in `by (…)`, `on (…)` and the like. */
function labelsIn(expr: string): readonly string[] {
  const lists = [...expr.matchAll(/\b(?:by|without|on|ignoring) \((?<list>[^)]*)\)/gu)].flatMap(({ groups }) =>
    (groups?.["list"] ?? "").split(",").map((label) => label.trim()),
  );
  const selectors = [...expr.matchAll(/(?<label>\w+)\s*(?:!=|=~|!~|=)\s*"/gu)].map(
    ({ groups }) => groups?.["label"] ?? "",
  );
  return [...lists, ...selectors].filter((label) => label !== "");
}

describe("alerts and runbooks", () => {
  it("are named alike, page by page", () => {
    const pages = readdirSync(RUNBOOKS).filter((file) => file !== "README.md");
    expect(pages.toSorted()).toEqual(names.map((name) => `${name}.md`).toSorted());
  });

  it.each(names)("%s has a page with its name and the four sections, each with something to read", (name) => {
    const page = text("docs", "runbooks", `${name}.md`);
    expect(page.startsWith(`# ${name}\n`)).toBe(true);
    const sections = page.split(/^## /mu).slice(1);
    expect(sections.map((section) => section.split("\n", 1)[0])).toEqual(SECTIONS);
    for (const section of sections) expect(section.split(/\s+/u).length).toBeGreaterThan(15);
  });

  it.each(alerts.map((alert) => [alert.alert, alert] as const))("%s says where its page is", (name, alert) => {
    expect(alert.annotations["runbook"]).toBe(`docs/runbooks/${name}.md`);
    expect(alert.annotations["summary"]).toMatch(/^[A-Z].*\.$/u);
    expect(alert.annotations["description"]?.length).toBeGreaterThan(40);
    expect(["warning", "critical"]).toContain(alert.labels["severity"]);
    expect(alert.for).toMatch(/^\d+m$/u);
  });

  it("are listed in the guide and on the first page of the runbooks, with their severity", () => {
    for (const page of ["docs/how-to/observe.md", "docs/runbooks/README.md"]) {
      const listed = [...text(page).matchAll(/^\| \[(?<name>Tenure\w+)\]\([^)]*\) \| (?<severity>\w+) \|/gmu)].map(
        ({ groups }) => `${groups?.["name"]} ${groups?.["severity"]}`,
      );
      const expected = alerts.map(({ alert, labels }) => `${alert} ${labels["severity"]}`);
      expect(listed.toSorted(), page).toEqual(expected.toSorted());
    }
  });
});

describe("alerts and their tests", () => {
  interface RuleTest {
    readonly tests: readonly {
      readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
    }[];
  }

  it.each(names)("%s is seen to fire, and seen not to", (name) => {
    const path = join(RULE_TESTS, `${name}.yaml`);
    expect(existsSync(path)).toBe(true);
    const looks = (parse(readFileSync(path, "utf8")) as RuleTest).tests.flatMap((test) => test.alert_rule_test);
    expect(new Set(looks.map(({ alertname }) => alertname))).toEqual(new Set([name]));
    expect(looks.some(({ exp_alerts: expected }) => expected.length > 0)).toBe(true);
    expect(looks.some(({ exp_alerts: expected }) => expected.length === 0)).toBe(true);
  });

  it("are the only tests there", () => {
    expect(readdirSync(RULE_TESTS).toSorted()).toEqual(names.map((name) => `${name}.yaml`).toSorted());
  });
});

describe("queries", () => {
  const all = [
    ...rules.map(({ alert, record, expr }) => ({ where: alert ?? record ?? "", expr })),
    ...queriesOf(dashboard),
  ];

  it.each(all)("of $where name metrics and labels that there are", ({ expr }) => {
    const series = seriesIn(expr);
    expect(series.length).toBeGreaterThan(0);
    expect(series.filter((name) => !known(name))).toEqual([]);
    const labels = labelsIn(expr).filter((label) => label !== "alertstate");
    expect(labels.filter((label) => !metricLabels.has(label) && !SCRAPERS_LABELS.includes(label))).toEqual([]);
  });

  it.each(rules)("of $record$alert select one release only, series by series", ({ expr }) => {
    const selectors = expr.match(/(?:\w+:\w+:\w+|tenure_\w+)(?:\{[^}]*\})?/gu) ?? [];
    expect(selectors.filter((selector) => !selector.includes('{group!=""'))).toEqual([]);
  });

  it("use whatever is recorded", () => {
    const used = new Set(alerts.flatMap(({ expr }) => seriesIn(expr)));
    expect([...recorded].filter((name) => !used.has(name))).toEqual([]);
  });

  it("are seen when they name what is not there", () => {
    expect(seriesIn('sum(tenure_holders{group="tenure_term"}) # tenure_x').filter((name) => !known(name))).toEqual([
      "tenure_holders",
    ]);
    expect(labelsIn('sum by (pod, shard) (a{zone=~"b"})')).toEqual(["pod", "shard", "zone"]);
  });
});

describe("texts of alerts", () => {
  it.each(alerts)("of $alert use labels that its query keeps", ({ expr, annotations }: Alert) => {
    const used = new Set(
      [
        ...Object.values(annotations)
          .join(" ")
          .matchAll(/\$labels\.(\w+)/gu),
      ].map(([, name]) => name),
    );
    const dropsPod = /^\s*(?:\(\s*)?(?:group:|max by \(namespace, group\)|absent)/u.test(expr);
    if (dropsPod) expect(used.has("pod")).toBe(false);
    for (const label of used) expect([...SCRAPERS_LABELS, "peer"]).toContain(label);
  });
});

describe("thresholds", () => {
  it("in the rules are the values of the chart, with the same defaults", () => {
    const values = parse(text("charts", "tenure", "values.yaml")) as {
      readonly monitoring: { readonly prometheusRule: { readonly thresholds: Readonly<Record<string, number>> } };
    };
    const marks = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/(?<value>[\d.]+) # monitoring\.prometheusRule\.thresholds\.(?<name>\w+)$/gmu)].map(
        ({ groups }): [string, number] => [groups?.["name"] ?? "", Number(groups?.["value"])],
      ),
    );
    expect(Object.fromEntries(marks)).toEqual(values.monitoring.prometheusRule.thresholds);
    expect(rules.filter(({ expr }) => expr.includes("#")).length).toBe(marks.length);
  });
});

describe("the dashboard", () => {
  it("has panels with numbers of their own that do not cover each other", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)}/${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { x, w } of panels.map(({ gridPos }) => gridPos)) expect(x + w).toBeLessThanOrEqual(24);
  });

  it("explains every panel, and asks for one namespace and group in every query", () => {
    for (const { type, title, description, targets = [] } of dashboard.panels) {
      if (type === "row") continue;
      expect(description, title).toMatch(/\S{3,}.*\.$/u);
      for (const { expr, legendFormat } of targets) {
        expect(legendFormat, title).not.toBe("");
        const selectors = expr.match(/(?:tenure|process)_\w+(?:\{[^}]*\})?/gu) ?? [];
        for (const selector of selectors) expect(selector).toContain('{namespace="$namespace",group="$group"');
      }
    }
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["datasource", "namespace", "group"]);
  });

  it("shows what the contract asks for", () => {
    const shown = new Set(queriesOf(dashboard).flatMap(({ expr }) => seriesIn(expr)));
    for (const name of [
      "tenure_is_leader tenure_holding_since_timestamp_seconds tenure_fencing_token tenure_lease_remaining_seconds",
      "tenure_failover_duration_seconds_sum tenure_handover_duration_seconds_sum tenure_elections_total",
      "tenure_peer_round_trip_seconds_bucket tenure_storage_sync_duration_seconds_bucket",
    ].flatMap((line) => line.split(" "))) {
      expect(shown).toContain(name);
    }
  });
});

describe("the pictures", () => {
  const IMAGES = join(ROOT, "docs", "images");
  const guide = text("docs", "how-to", "observe.md");
  const files = readdirSync(IMAGES).filter((file) => file.startsWith("observe-"));

  it("show every panel of the dashboard, under its name", () => {
    const shown = files.map((file) => readFileSync(join(IMAGES, file), "utf8")).join("");
    const missing = dashboard.panels.map(({ title }) => title).filter((title) => !shown.includes(`>${title}</text>`));
    expect(missing, "draw them anew: scripts/pictures/main.ts").toEqual([]);
  });

  it("are small, and on the page", () => {
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(statSync(join(IMAGES, file)).size).toBeLessThan(150_000);
      expect(guide).toContain(`](../images/${file})`);
    }
  });
});
