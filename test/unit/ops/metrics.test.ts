/** The metrics: what is there, what it counts, and that both text formats are right. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { ERRORS } from "../../../src/base/errors.ts";
import { EVENT_LOOP_WINDOW_MS, MAX_METRIC_PEERS } from "../../../src/base/limits.ts";
import { fencingToken, term } from "../../../src/base/types.ts";
import { createMetrics, type Metrics } from "../../../src/ops/metrics.ts";
import type { NodeEvent, NodeSample } from "../../../src/ports/observer.ts";
import { nodeSample } from "../../support/node-sample.ts";
import { watchOptions } from "../../support/watch-options.ts";

const OPEN_METRICS = "application/openmetrics-text;version=1.0.0";
const T = term(12);
const TOKEN = fencingToken(7);

let open: Metrics[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const metrics of open) metrics.close();
  open = [];
});

function start(): { metrics: Metrics; set(change: Partial<NodeSample>, ready?: boolean): void } {
  let sample = nodeSample();
  let isReady = true;
  const watch = watchOptions();
  const metrics = createMetrics({ sample: () => sample, ready: () => isReady, version: "1.2.3", watch });
  open.push(metrics);
  return {
    metrics,
    set(change, ready = true) {
      sample = nodeSample(change);
      isReady = ready;
    },
  };
}

/** All samples of a text, by name and labels. */
async function scrape(metrics: Metrics, accept?: string): Promise<Map<string, number>> {
  const { body } = await metrics.render(accept);
  const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

describe("sampled metrics", () => {
  it("show the node as it is at the scrape", async () => {
    const { metrics, set } = start();
    const holder = await scrape(metrics);
    expect(Object.fromEntries(holder)).toMatchObject({
      tenure_is_leader: 1,
      tenure_fencing_token: 251_301_442_093_057,
      tenure_lease_remaining_seconds: 1.583,
      tenure_term: 12,
      'tenure_raft_role{role="leader"}': 1,
      'tenure_raft_role{role="follower"}': 0,
      'tenure_raft_role{role="none"}': 0,
      tenure_leaderless_seconds_total: 2.5,
      tenure_commit_index: 41,
      tenure_last_log_index: 42,
      'tenure_members{kind="voter"}': 3,
      'tenure_members{kind="learner"}': 1,
      'tenure_peer_connected{peer="app-0"}': 1,
      'tenure_peer_connected{peer="app-2"}': 0,
      tenure_eligible: 1,
      tenure_draining: 0,
      tenure_ready: 1,
      [`tenure_build_info{version="1.2.3",node="${process.versions.node}"}`]: 1,
    });
    // A token is only shown together with the lock, whatever the sample still knows.
    set({ isLeader: false, role: "learner", leaseRemainingMs: 0, leaderlessMs: 4_000, peers: [] }, false);
    const later = await scrape(metrics);
    expect(Object.fromEntries(later)).toMatchObject({
      tenure_is_leader: 0,
      tenure_fencing_token: 0,
      tenure_lease_remaining_seconds: 0,
      'tenure_raft_role{role="leader"}': 0,
      'tenure_raft_role{role="learner"}': 1,
      tenure_leaderless_seconds_total: 4,
      tenure_ready: 0,
    });
    expect([...later.keys()].filter((key) => key.startsWith("tenure_peer_connected"))).toEqual([]);
  });

  it("rejects a scrape that cannot be sampled", async () => {
    const metrics = createMetrics({
      sample: () => {
        throw new Error("boom");
      },
      ready: () => true,
      version: "1.2.3",
      watch: watchOptions(),
    });
    open.push(metrics);
    await expect(metrics.render(undefined)).rejects.toThrow("boom");
  });

  it("show the process", async () => {
    const { metrics } = start();
    const values = await scrape(metrics);
    expect(values.get("process_resident_memory_bytes")).toBeGreaterThan(20e6);
    expect(values.get("process_cpu_seconds_total")).toBeGreaterThan(0.01);
    expect(values.get("process_open_fds")).toBeGreaterThan(2);
    const ageSeconds = Date.now() / 1_000 - (values.get("process_start_time_seconds") ?? 0);
    expect(Math.abs(ageSeconds - process.uptime())).toBeLessThan(2);
  });

  it("show a stalled event loop for a minute or two, to every scraper, and then no more", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { metrics } = start();
    const longest = async (): Promise<number> =>
      (await scrape(metrics)).get("tenure_event_loop_delay_max_seconds") ?? Number.NaN;
    const turn = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
    await turn(120); // the monitor's first steps
    const untilNs = process.hrtime.bigint() + 300_000_000n;
    while (process.hrtime.bigint() < untilNs);
    await turn(60);
    const stalled = await scrape(metrics);
    expect(stalled.get("tenure_event_loop_delay_max_seconds")).toBeGreaterThan(0.2);
    expect(stalled.get("tenure_event_loop_delay_max_seconds")).toBeLessThan(2);
    expect(stalled.get("tenure_event_loop_delay_seconds")).toBeGreaterThan(0.2);
    expect(await longest()).toBeGreaterThan(0.2);
    vi.advanceTimersByTime(EVENT_LOOP_WINDOW_MS);
    expect(await longest()).toBeGreaterThan(0.2); // this scrape ends the window
    vi.advanceTimersByTime(EVENT_LOOP_WINDOW_MS / 2);
    expect(await longest()).toBeGreaterThan(0.2);
    vi.advanceTimersByTime(EVENT_LOOP_WINDOW_MS / 2);
    expect(await longest()).toBeGreaterThan(0.2); // and this one the next
    expect(await longest()).toBeLessThan(0.2);
  });
});

describe("counted metrics", () => {
  it.each<[string, NodeEvent]>([
    ["tenure_tenures_total", { kind: "holding", term: T, token: TOKEN }],
    ["tenure_lease_renewals_total", { kind: "renewed" }],
    ["tenure_lease_lapses_total", { kind: "lapsed", term: T, token: TOKEN }],
    ["tenure_lease_releases_total", { kind: "released", term: T, token: TOKEN }],
    ["tenure_transfers_total", { kind: "transferStarted", target: "app-2", certified: true, term: T }],
    ["tenure_transfer_failures_total", { kind: "transferFailed", term: T }],
    ['tenure_elections_total{outcome="won"}', { kind: "electionEnded", outcome: "won", term: T }],
    ['tenure_elections_total{outcome="lost"}', { kind: "electionEnded", outcome: "lost", term: T }],
    ['tenure_elections_total{outcome="refused"}', { kind: "electionEnded", outcome: "refused", term: T }],
    ['tenure_faults_total{code="peer_timeout"}', { kind: "fault", code: "peer_timeout", where: "app-2", message: "" }],
    [
      'tenure_faults_total{code="storage_corrupt"}',
      { kind: "fatal", code: "storage_corrupt", message: "x", stack: null },
    ],
  ])("%s rises by its event and no other", async (name, event) => {
    const { metrics } = start();
    const before = await scrape(metrics);
    expect(before.get(name)).toBe(0);
    metrics.observe(event);
    metrics.observe(event);
    const after = await scrape(metrics);
    expect(after.get(name)).toBe(2);
    const changed = [...after].filter(([key, value]) => key.startsWith("tenure_") && before.get(key) !== value);
    expect(changed.map(([key]) => key)).toEqual([name]);
  });

  it("tell failovers from handovers, and count neither at the first sight of a holder", async () => {
    const { metrics } = start();
    const seen = (leaderlessMs: number | null, handover: boolean): void =>
      metrics.observe({ kind: "tenureSeen", holder: "app-2", token: TOKEN, leaderlessMs, handover });
    seen(null, false);
    seen(2_200, false);
    seen(4, true);
    const values = await scrape(metrics);
    expect(values.get("tenure_failover_duration_seconds_count")).toBe(1);
    expect(values.get("tenure_failover_duration_seconds_sum")).toBe(2.2);
    expect(values.get('tenure_failover_duration_seconds_bucket{le="2"}')).toBe(0);
    expect(values.get('tenure_failover_duration_seconds_bucket{le="2.5"}')).toBe(1);
    expect(values.get("tenure_handover_duration_seconds_count")).toBe(1);
    expect(values.get('tenure_handover_duration_seconds_bucket{le="0.0025"}')).toBe(0);
    expect(values.get('tenure_handover_duration_seconds_bucket{le="0.005"}')).toBe(1);
  });

  it("measure syncs and round trips in seconds", async () => {
    const { metrics } = start();
    metrics.observe({ kind: "storageSynced", durationMs: 1.5 });
    metrics.observe({ kind: "peerRoundTrip", peer: "app-0", durationMs: 0.3 });
    const values = await scrape(metrics);
    expect(values.get("tenure_storage_sync_duration_seconds_sum")).toBe(0.0015);
    expect(values.get('tenure_peer_round_trip_seconds_sum{peer="app-0"}')).toBe(0.0003);
  });

  it("have every fault code from the start", async () => {
    const { metrics } = start();
    const values = await scrape(metrics);
    for (const code of Object.keys(ERRORS)) expect(values.get(`tenure_faults_total{code="${code}"}`), code).toBe(0);
  });

  it("forget peers that left, and never tell more than a bounded number apart", async () => {
    const { metrics, set } = start();
    for (let n = 0; n < 10 * MAX_METRIC_PEERS; n += 1) {
      metrics.observe({ kind: "peerRoundTrip", peer: `app-${n}`, durationMs: 1 });
    }
    const peersOf = (values: Map<string, number>): string[] =>
      [...values.keys()].flatMap((key) => /^tenure_peer_round_trip_seconds_count\{peer="(.*)"\}$/.exec(key)?.[1] ?? []);
    const everyone = Array.from({ length: 10 * MAX_METRIC_PEERS }, (_, n) => ({ name: `app-${n}`, connected: true }));
    set({ peers: everyone });
    expect(peersOf(await scrape(metrics))).toHaveLength(MAX_METRIC_PEERS);
    set({ peers: [{ name: "app-3", connected: true }] });
    expect(peersOf(await scrape(metrics))).toEqual(["app-3"]);
    metrics.observe({ kind: "peerRoundTrip", peer: "app-9", durationMs: 1 });
    set({ peers: [{ name: "app-9", connected: true }] });
    expect(peersOf(await scrape(metrics))).toEqual(["app-9"]);
  });
});

describe("text formats", () => {
  it("are Prometheus text, or OpenMetrics for who asks, with the same samples in turns", async () => {
    const { metrics } = start();
    metrics.observe({ kind: "peerRoundTrip", peer: 'a"b\\c\nd', durationMs: 1 });
    const first = await metrics.render("text/plain");
    const open1 = await metrics.render(OPEN_METRICS);
    const again = await metrics.render(undefined);
    const open2 = await metrics.render(OPEN_METRICS);
    expect(first.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(open1.contentType).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    const names = (body: string): string[] =>
      body.split("\n").flatMap((line) => (line === "" || line.startsWith("#") ? [] : line.replace(/[ {].*/, "")));
    expect(names(again.body)).toEqual(names(first.body));
    expect(names(open1.body)).toEqual(names(first.body));
    expect(names(open2.body)).toEqual(names(first.body));
    expect(first.body).toContain("# TYPE tenure_tenures_total counter\ntenure_tenures_total 0\n");
    expect(again.body).toContain("# TYPE tenure_tenures_total counter\ntenure_tenures_total 0\n");
  });

  it("keep to the grammar of OpenMetrics 1.0", async () => {
    const { metrics } = start();
    metrics.observe({ kind: "peerRoundTrip", peer: "app-0", durationMs: 1 });
    const { body } = await metrics.render(OPEN_METRICS);
    expect(body.endsWith("\n# EOF\n")).toBe(true);
    const families = new Map<string, string>();
    let family = "";
    for (const line of body.slice(0, -"# EOF\n".length).trimEnd().split("\n")) {
      const [, name, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
      if (name !== undefined && type !== undefined) {
        expect(families.has(name), `${name} twice`).toBe(false);
        families.set(name, type);
        family = name;
      } else if (!line.startsWith("# HELP ")) {
        const suffix = { counter: "_total", gauge: "", histogram: "_(bucket|sum|count)" }[families.get(family) ?? ""];
        expect(line).toMatch(new RegExp(`^${family}${suffix}(\\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\\})? [-+.e0-9]+$`));
      }
    }
    expect([...families].filter(([name, type]) => type !== "counter" && name.endsWith("_total"))).toEqual([]);
  });
});

describe("names", () => {
  it("include all that the contract promises, with base units", async () => {
    const { metrics } = start();
    const rows = metrics.describe();
    const names = rows.map((row) => row.name);
    for (const name of [
      "is_leader fencing_token lease_remaining_seconds term raft_role tenures_total elections_total",
      "lease_renewals_total lease_lapses_total leaderless_seconds_total failover_duration_seconds",
      "handover_duration_seconds commit_index members peer_connected peer_round_trip_seconds",
      "storage_sync_duration_seconds event_loop_delay_seconds build_info faults_total ready",
    ].flatMap((line) => line.split(" "))) {
      expect(names).toContain(`tenure_${name}`);
    }
    for (const { name, type, help } of rows) {
      expect(name).toMatch(/^(tenure|process)_[a-z_]+$/);
      expect(name).not.toMatch(/_(ms|millis|percent|kb|mb)/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      expect(help, name).toMatch(/^\S.*\.$/);
    }
    expect(new Set(names).size).toBe(names.length);
    expect(rows.find((row) => row.name === "tenure_build_info")?.labels).toEqual(["version", "node"]);
    // Every one is in the text, also before anything has happened; only peers are yet to be met.
    const { body } = await metrics.render(undefined);
    for (const name of names) expect(body).toContain(`# TYPE ${name} `);
  });
});
