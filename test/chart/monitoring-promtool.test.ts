/**
 * Prometheus' own tool on what we ship: rules and their unit tests, the queries of the dashboard, the text of /metrics.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { ERRORS } from "../../src/base/errors.ts";
import { MAX_METRIC_PEERS } from "../../src/base/limits.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { ELECTION_OUTCOMES } from "../../src/ports/observer.ts";
import {
  alertsOf,
  fillIn,
  missingPromtool,
  promtool,
  queriesOf,
  readDashboard,
  readRules,
  ROOT,
  RULES_FILE,
} from "../support/monitoring.ts";
import { nodeSample } from "../support/node-sample.ts";
import { watchOptions } from "../support/watch-options.ts";

const absent = missingPromtool();
const GUIDE = readFileSync(join(ROOT, "docs", "how-to", "observe.md"), "utf8");

function checkRules(document: unknown): { readonly status: number | null; readonly output: string } {
  const directory = mkdtempSync(join(tmpdir(), "tenure-rules-"));
  try {
    const path = join(directory, "rules.yaml");
    writeFileSync(path, typeof document === "string" ? document : stringify(document));
    return promtool(["check", "rules", path]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const asRules = (exprs: readonly string[]): unknown => ({
  groups: [{ name: "queries", rules: exprs.map((expr, index) => ({ record: `query:${index}`, expr })) }],
});

describe("promtool check rules", () => {
  it("accepts every rule", (context) => {
    context.skip(absent !== null, absent ?? undefined);
    const { status, output } = promtool(["check", "rules", "--lint-fatal", RULES_FILE]);
    expect(output).toContain(`${readRules().length} rules found`);
    expect(status, output).toBe(0);
  });

  it("accepts every query of the dashboard", (context) => {
    context.skip(absent !== null, absent ?? undefined);
    const queries = queriesOf(readDashboard()).map(({ expr }) => fillIn(expr));
    expect(queries.length).toBeGreaterThan(20);
    const { status, output } = checkRules(asRules(queries));
    expect(status, output).toBe(0);
  });

  it("sees a query that does not parse", (context) => {
    context.skip(absent !== null, absent ?? undefined);
    expect(checkRules(asRules(["sum(tenure_term"])).status).not.toBe(0);
  });
});

describe("promtool test rules", () => {
  it.for(alertsOf(readRules()))("$alert fires when it should, and only then", ({ alert }, context) => {
    context.skip(absent !== null, absent ?? undefined);
    const { status, output } = promtool(["test", "rules", join("test", "chart", "rules", `${alert}.yaml`)]);
    expect(status, output).toBe(0);
  });
});

describe("promtool check metrics", () => {
  it("finds nothing to say about /metrics", async (context) => {
    context.skip(absent !== null, absent ?? undefined);
    const metrics = createMetrics({
      sample: nodeSample,
      ready: () => true,
      version: "1.2.3",
      watch: watchOptions({ certificateNotAfterMs: () => 1_800_000_000_000 }),
    });
    metrics.observe({ kind: "peerRoundTrip", peer: "app-0", durationMs: 0.3 });
    const { body } = await metrics.render(undefined);
    const { body: open } = await metrics.render("application/openmetrics-text;version=1.0.0");
    metrics.close();
    expect(promtool(["check", "metrics"], body)).toEqual({ status: 0, output: "" });
    // It does speak up: a counter's name in the OpenMetrics text lacks the ending that the Prometheus text needs.
    expect(promtool(["check", "metrics"], open.replace("# EOF\n", "")).status).not.toBe(0);
  });
});

describe("promtool check config", () => {
  it("accepts what the guide shows", (context) => {
    context.skip(absent !== null, absent ?? undefined);
    const [shown = ""] = /(?<=^```yaml\n)scrape_configs:[^]*?(?=^```)/mu.exec(GUIDE) ?? [];
    // Debian's build knows no Kubernetes; the rest is checked as it stands.
    const config = shown.replace(/kubernetes_sd_configs: \[\{ role: pod \}\]/u, "static_configs: [{ targets: [a:1] }]");
    expect(config).not.toBe(shown);
    const directory = mkdtempSync(join(tmpdir(), "tenure-config-"));
    try {
      copyFileSync(RULES_FILE, join(directory, "rules.yaml"));
      writeFileSync(join(directory, "prometheus.yaml"), config);
      const { status, output } = promtool(["check", "config", join(directory, "prometheus.yaml")]);
      expect(output).toContain(`${readRules().length} rules found`);
      expect(status, output).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("the number of series", () => {
  it("is bounded, whatever happens", async () => {
    const everyone = Array.from({ length: 2 * MAX_METRIC_PEERS }, (_, n) => ({ name: `app-${n}`, connected: true }));
    const metrics = createMetrics({
      sample: () => nodeSample({ peers: everyone }),
      ready: () => true,
      version: "1.2.3",
      watch: watchOptions(),
    });
    for (const { name } of everyone) metrics.observe({ kind: "peerRoundTrip", peer: name, durationMs: 1 });
    const { body } = await metrics.render(undefined);
    metrics.close();
    const counts = new Map<string, number>();
    for (const line of body.split("\n").filter((row) => row !== "" && !row.startsWith("#"))) {
      const name = line.split(/[{ ]/u, 1)[0] ?? "";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const bounds: Readonly<Record<string, number>> = {
      tenure_faults_total: Object.keys(ERRORS).length,
      tenure_elections_total: ELECTION_OUTCOMES.length,
      tenure_raft_role: 6,
      tenure_members: 2,
      tenure_peer_connected: everyone.length,
      tenure_peer_round_trip_seconds_bucket: 14 * MAX_METRIC_PEERS,
      tenure_peer_round_trip_seconds_sum: MAX_METRIC_PEERS,
      tenure_peer_round_trip_seconds_count: MAX_METRIC_PEERS,
    };
    // What the guide says: for each pod, and more for each of its peers.
    const perPeer = ["connected", "round_trip_seconds_bucket", "round_trip_seconds_sum", "round_trip_seconds_count"];
    const ofPeers = new Set(perPeer.map((end) => `tenure_peer_${end}`));
    const others = [...counts].filter(([name]) => !ofPeers.has(name)).map(([, count]) => count);
    expect(others.reduce((sum, count) => sum + count, 0)).toBeLessThan(250);
    expect(GUIDE).toContain("fewer than 250 series for each pod, and 17 more for each of its peers");
    for (const [name, count] of counts) {
      const bound = bounds[name] ?? (name.endsWith("_bucket") ? 20 : 1);
      expect(count, name).toBeLessThanOrEqual(bound);
    }
  });
});

describe("the rules as a file", () => {
  it("are no template: what a reader sees is what Prometheus evaluates", () => {
    expect(readFileSync(RULES_FILE, "utf8")).not.toMatch(/\{\{-|\.Values|\$__/u);
  });
});
