/**
 * What the chart makes of the rules, the monitors and the dashboard for one release.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import {
  alertsOf,
  DASHBOARD_FILE,
  missingPromtool,
  promtool,
  readRules,
  type Rule,
  rulesOf,
} from "../support/monitoring.ts";
import { at, type KubeObject, needs, refusal, render, ROOT } from "./support/helm.ts";

const ENDPOINT = ["spec", "podMetricsEndpoints", 0] as const;
const ALL_OFF = { podMonitor: {}, serviceMonitor: {}, prometheusRule: {}, dashboard: {} };

type Monitoring = Readonly<Partial<Record<keyof typeof ALL_OFF, unknown>>>;

const withMonitoring = (monitoring: Monitoring, others: object = {}, args: readonly string[] = []) =>
  render({ values: { monitoring, ...others }, args });

function prometheusRule(settings: object = {}): KubeObject {
  const monitoring = { prometheusRule: { enabled: true, ...settings } };
  return withMonitoring(monitoring, {}, ["-n", "shop"]).get("PrometheusRule");
}

const rulesIn = (object: KubeObject): readonly Rule[] => rulesOf(stringify(at(object, "spec")));
const alertIn = (object: KubeObject, name: string) => alertsOf(rulesIn(object)).find(({ alert }) => alert === name);

describe("monitoring in the chart", () => {
  needs("helm");

  it("is off by default", () => {
    const kinds = render().objects.map(({ kind }) => kind);
    expect(kinds).toContain("StatefulSet");
    for (const kind of ["PodMonitor", "ServiceMonitor", "PrometheusRule"]) expect(kinds).not.toContain(kind);
    expect(render().text).not.toContain("grafana_dashboard");
  });

  it("scrapes the pods of the group, by the port that the sidecar has, and names the group", () => {
    const settings = { enabled: true, labels: { release: "watch" }, annotations: { a: "b" }, scrapeTimeout: "5s" };
    const rendering = withMonitoring({ podMonitor: settings });
    const monitor = rendering.get("PodMonitor");
    const pods = rendering.get("StatefulSet");
    expect(monitor.metadata.labels).toMatchObject({ release: "watch", "app.kubernetes.io/name": "tenure" });
    expect(monitor.metadata.annotations).toEqual({ a: "b" });
    const podLabels = at(pods, "spec", "template", "metadata", "labels");
    expect(podLabels).toMatchObject(at(monitor, "spec", "selector", "matchLabels") as object);
    expect(at(monitor, ...ENDPOINT)).toMatchObject({
      port: "ops",
      path: "/metrics",
      interval: "15s",
      scrapeTimeout: "5s",
    });
    // Prometheus makes the name of this meta label from that of the pods' label.
    const [[label] = []] = Object.entries(at(monitor, "spec", "selector", "matchLabels") as object);
    expect(at(monitor, ...ENDPOINT, "relabelings", 0)).toEqual({
      sourceLabels: [`__meta_kubernetes_pod_label_${String(label).replaceAll(/\W/gu, "_")}`],
      targetLabel: "group",
    });
    expect(JSON.stringify(at(pods, "spec", "template", "spec"))).toContain('"name":"ops","containerPort":9464');
  });

  it("lets the object live elsewhere, and still looks for pods where they are", () => {
    const monitoring = {
      podMonitor: { enabled: true, namespace: "watch", interval: "", relabelings: [{ action: "drop" }] },
    };
    const monitor = withMonitoring(monitoring, {}, ["-n", "shop"]).get("PodMonitor");
    expect(monitor.metadata.namespace).toBe("watch");
    expect(at(monitor, "spec", "namespaceSelector")).toEqual({ matchNames: ["shop"] });
    expect(at(monitor, ...ENDPOINT, "interval")).toBeUndefined();
    expect(at(monitor, ...ENDPOINT, "relabelings")).toHaveLength(2);
  });

  it("can go by the headless Service, by its labels and its port", () => {
    const rendering = withMonitoring({ serviceMonitor: { enabled: true } });
    const monitor = rendering.get("ServiceMonitor");
    const services = rendering.all("Service");
    const wanted = Object.entries(at(monitor, "spec", "selector", "matchLabels") as Readonly<Record<string, string>>);
    const chosen = services.filter(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value));
    expect(wanted).toHaveLength(2);
    expect(chosen).toHaveLength(1);
    expect(at(chosen[0], "spec", "ports")).toContainEqual(expect.objectContaining({ name: "ops" }));
    expect(at(monitor, "spec", "endpoints", 0)).toMatchObject({ port: "ops", path: "/metrics" });
  });

  it.each([
    [
      "both monitors",
      { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } },
      {},
      "allowed is one of them",
    ],
    [
      "a ServiceMonitor without a Service",
      { serviceMonitor: { enabled: true } },
      { service: { create: false, name: "x" } },
      "allowed is monitoring.podMonitor",
    ],
    [
      "an alert that is not there",
      { prometheusRule: { enabled: true, alerts: { TenureNoHolders: { for: "5m" } } } },
      {},
      'names "TenureNoHolders": allowed are TenureNoHolder, TenureTwoHolders',
    ],
    ["a threshold that is not there", { prometheusRule: { thresholds: { tenures: 1 } } }, {}, "tenures"],
    ["a threshold of nothing", { prometheusRule: { thresholds: { certificateDays: 0 } } }, {}, "certificateDays"],
    ["a span without a unit", { prometheusRule: { alerts: { TenureNoHolder: { for: "5" } } } }, {}, "TenureNoHolder"],
    ["an interval without a unit", { podMonitor: { interval: "15" } }, {}, "interval"],
  ])("refuses %s, and says what is allowed", (_, monitoring, others, message) => {
    expect(refusal({ values: { monitoring, ...others } })).toContain(message);
  });

  it("makes of the rules what they are, for this release alone", () => {
    const own = rulesIn(prometheusRule());
    const shipped = readRules();
    expect(own.map(({ alert, record }) => alert ?? record)).toEqual(
      shipped.map(({ alert, record }) => alert ?? record),
    );
    for (const [index, { expr, labels, annotations }] of own.entries()) {
      const bare = (shipped[index]?.expr ?? "").replaceAll(/ # .*$/gmu, "");
      expect(expr).toBe(bare.replaceAll('group!=""', 'namespace="shop",group="app-tenure"'));
      expect(labels).toEqual(shipped[index]?.labels);
      expect(annotations).toEqual(shipped[index]?.annotations);
    }
  });

  it("takes every threshold, and changes nothing else", () => {
    const thresholds = {
      tenuresIn15m: 11,
      syncLeaseRatio: 0.5,
      eventLoopLeaseRatio: 0.75,
      clockBoundRatio: 0.125,
      suspendedSeconds: 7.5,
      certificateDays: 21,
    };
    const before = rulesIn(prometheusRule());
    const after = rulesIn(prometheusRule({ thresholds }));
    const changed = after.filter(({ expr }, index) => expr !== before[index]?.expr);
    const ends = changed.map(({ expr }) => Number(/[<>] (?<value>[\d.]+)$/u.exec(expr)?.groups?.["value"]));
    expect(ends.toSorted((a, b) => a - b)).toEqual(Object.values(thresholds).toSorted((a, b) => a - b));
  });

  it("takes an alert out, gives it another severity or span, and adds labels, rules and the runbooks' address", () => {
    const object = prometheusRule({
      labels: { release: "watch" },
      alertLabels: { team: "shop" },
      runbookBaseUrl: "https://runbooks.example.org/tenure/",
      alerts: { TenureFlapping: { enabled: false }, TenureNoHolder: { for: "30s", severity: "page" } },
      additionalRules: [
        { alert: "Mine", expr: "vector(1)", labels: { severity: "info" }, annotations: { summary: "x" } },
      ],
    });
    expect(object.metadata.labels).toMatchObject({ release: "watch" });
    expect(alertIn(object, "TenureFlapping")).toBeUndefined();
    const changed = alertIn(object, "TenureNoHolder");
    expect(changed).toMatchObject({ for: "30s", labels: { severity: "page", team: "shop" } });
    expect(changed?.annotations).toMatchObject({
      runbook_url: "https://runbooks.example.org/tenure/TenureNoHolder.md",
    });
    expect(changed?.annotations).not.toHaveProperty("runbook");
    expect(alertIn(object, "TenureTwoHolders")?.labels).toEqual({ severity: "critical", team: "shop" });
    expect(alertIn(object, "Mine")).toMatchObject({ expr: "vector(1)" });
    expect(alertIn(object, "TenureTwoHolders")?.annotations["description"]).toContain("{{ with $labels.pod }}");
  });

  it("makes rules that Prometheus takes", (context) => {
    const absent = missingPromtool();
    context.skip(absent !== null, absent ?? undefined);
    const directory = mkdtempSync(join(tmpdir(), "tenure-rules-"));
    try {
      const path = join(directory, "rules.yaml");
      writeFileSync(path, stringify(at(prometheusRule({ runbookBaseUrl: "https://runbooks.example.org" }), "spec")));
      const { status, output } = promtool(["check", "rules", "--lint-fatal", path]);
      expect(output).toContain(`${readRules().length} rules found`);
      expect(status, output).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("takes the values that the guide shows", () => {
    const guide = readFileSync(join(ROOT, "docs", "how-to", "observe.md"), "utf8");
    const shown = [...guide.matchAll(/(?<=^```yaml\n)monitoring:[^]*?(?=^```)/gmu)].map(
      ([block]) => parse(block) as object,
    );
    const [first, second] = shown.map((values) => render({ values }).objects.map(({ kind }) => kind));
    expect(first).toEqual(expect.arrayContaining(["PodMonitor", "PrometheusRule", "ConfigMap"]));
    expect(second).toContain("StatefulSet");
    expect(shown).toHaveLength(2);
  });

  it("hands the dashboard on, byte by byte, where Grafana looks for it", () => {
    const monitoring = { dashboard: { enabled: true, namespace: "watch", annotations: { folder: "locks" } } };
    const found = withMonitoring(monitoring).get("ConfigMap", "app-tenure-dashboard");
    expect(found.metadata).toMatchObject({ namespace: "watch", annotations: { folder: "locks" } });
    expect(found.metadata.labels).toMatchObject({ grafana_dashboard: "1" });
    expect(found.data?.["tenure.json"]?.trim()).toBe(readFileSync(DASHBOARD_FILE, "utf8").trim());
  });
});
