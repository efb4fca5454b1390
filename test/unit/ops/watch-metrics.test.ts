/** What alerts compare with: settings, voters in reach, clocks, the certificate's date, the begin of a tenure. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { fencingToken, holderMs, monotonicMs, term } from "../../../src/base/types.ts";
import { createMetrics, type Metrics } from "../../../src/ops/metrics.ts";
import type { WatchOptions } from "../../../src/ops/watch-metrics.ts";
import type { NodeSample } from "../../../src/ports/observer.ts";
import { nodeSample } from "../../support/node-sample.ts";
import { watchOptions } from "../../support/watch-options.ts";

let open: Metrics[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const metrics of open) metrics.close();
  open = [];
});

function start(change: Partial<WatchOptions>, sample: () => NodeSample = nodeSample): Metrics {
  const metrics = createMetrics({ sample, ready: () => true, version: "1.2.3", watch: watchOptions(change) });
  open.push(metrics);
  return metrics;
}

/** The value of a metric without labels; null when it has no sample. */
async function read(metrics: Metrics, name: string): Promise<number | null> {
  const { body } = await metrics.render(undefined);
  const line = body.split("\n").find((row) => row.startsWith(`${name} `));
  return line === undefined ? null : Number(line.slice(name.length + 1));
}

describe("what was set", () => {
  it("is told in base units", async () => {
    const metrics = start({ leaseDurationMs: 2_500, clockDrift: 0.2, replicas: 5 });
    expect(await read(metrics, "tenure_lease_duration_seconds")).toBe(2.5);
    expect(await read(metrics, "tenure_clock_drift_bound_ratio")).toBe(0.2);
    expect(await read(metrics, "tenure_replicas")).toBe(5);
  });
});

describe("voters in reach", () => {
  it("are voters, and connected, at the moment of the scrape", async () => {
    let connected = true;
    const members = (): ReturnType<WatchOptions["members"]> => [
      { voter: true, connected: true },
      { voter: true, connected },
      { voter: true, connected: false },
      { voter: false, connected: true },
    ];
    const metrics = start({ members });
    expect(await read(metrics, "tenure_voters_connected")).toBe(2);
    connected = false;
    expect(await read(metrics, "tenure_voters_connected")).toBe(1);
  });
});

describe("a rescue", () => {
  it("is needed as long as the node says so", async () => {
    let needed = false;
    const metrics = start({ rescueNeeded: () => needed });
    expect(await read(metrics, "tenure_rescue_needed")).toBe(0);
    needed = true;
    expect(await read(metrics, "tenure_rescue_needed")).toBe(1);
    needed = false;
    expect(await read(metrics, "tenure_rescue_needed")).toBe(0);
  });
});

describe("the certificate", () => {
  it("has a date in seconds, that of the one in use, and none without TLS", async () => {
    let notAfterMs: number | null = null;
    const metrics = start({ certificateNotAfterMs: () => notAfterMs });
    const name = "tenure_certificate_expiry_timestamp_seconds";
    expect(await read(metrics, name)).toBeNull();
    notAfterMs = 1_800_000_000_500;
    expect(await read(metrics, name)).toBe(1_800_000_000.5);
    notAfterMs = null;
    expect(await read(metrics, name)).toBeNull();
  });
});

describe("the clocks", () => {
  it("are counted from the start of the process, and a suspended machine apart", async () => {
    let now = { monotonicMs: monotonicMs(7_000), holderMs: holderMs(60_000) };
    const metrics = start({ now: () => now });
    const both = async (): Promise<readonly (number | null)[]> => [
      await read(metrics, "tenure_clock_monotonic_seconds_total"),
      await read(metrics, "tenure_clock_suspended_seconds_total"),
    ];
    expect(await both()).toEqual([0, 0]);
    now = { monotonicMs: monotonicMs(9_500), holderMs: holderMs(62_500) };
    expect(await both()).toEqual([2.5, 0]);
    now = { monotonicMs: monotonicMs(10_500), holderMs: holderMs(93_500) };
    expect(await both()).toEqual([3.5, 30]);
  });
});

describe("the begin of a tenure", () => {
  it("is a date of the wall clock, while this very tenure holds", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_790_000_000_250 });
    let sample = nodeSample({ isLeader: false });
    const metrics = start({}, () => sample);
    const name = "tenure_holding_since_timestamp_seconds";
    expect(await read(metrics, name)).toBe(0);
    metrics.observe({ kind: "holding", term: term(3), token: fencingToken(41) });
    sample = nodeSample({ isLeader: true, token: 41 });
    vi.setSystemTime(1_790_000_060_000);
    expect(await read(metrics, name)).toBe(1_790_000_000.25);
    // The lease is over, then a tenure of which nothing was reported yet.
    sample = nodeSample({ isLeader: false, token: 41 });
    expect(await read(metrics, name)).toBe(0);
    sample = nodeSample({ isLeader: true, token: 42 });
    expect(await read(metrics, name)).toBe(0);
  });
});
