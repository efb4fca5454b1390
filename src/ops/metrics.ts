/**
 * The metrics: an observer that counts, and a text for scrapers.
 *
 * Invariant: one registry of its own, filled at creation; docs/reference/metrics.md lists it (scripts/docs-metrics.ts).
 *
 * Deliberately absent: HTTP, see server.ts.
 */
import type { NodeSample, Observer } from "../ports/observer.ts";
import { wantsOpenMetrics } from "./accept.ts";
import { createEventMetrics } from "./event-metrics.ts";
import { createNodeMetrics } from "./node-metrics.ts";
import { createProcessMetrics } from "./process-metrics.ts";
import { Registry } from "./prom-client.ts";
import { createWatchMetrics, type WatchOptions } from "./watch-metrics.ts";

export interface MetricsOptions {
  /** Asked once for each scrape. */
  readonly sample: () => NodeSample;
  readonly ready: () => boolean;
  readonly version: string;
  readonly watch: WatchOptions;
}

/** A row of the reference. */
export interface MetricRow {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export interface Metrics extends Observer {
  /** The state of this moment, in the format that an Accept header asks for. Rejects with what `sample` throws. */
  render(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }>;
  describe(): readonly MetricRow[];
  /** Ends the event loop's monitor. */
  close(): void;
}

export function createMetrics({ sample, ready, version, watch }: MetricsOptions): Metrics {
  const registry = new Registry();
  const setNode = createNodeMetrics(registry);
  const events = createEventMetrics(registry);
  const ofWatch = createWatchMetrics(registry, watch);
  const ofProcess = createProcessMetrics(registry, version);
  const openMetrics = openMetricsView(registry);
  return {
    observe(event) {
      events.observe(event);
      ofWatch.observe(event);
    },
    async render(accept) {
      const now = sample();
      setNode(now, ready());
      ofWatch.set(now);
      events.keepPeers(now.peers.map((peer) => peer.name));
      ofProcess.sample();
      const chosen = wantsOpenMetrics(accept) ? openMetrics : registry;
      return { contentType: chosen.contentType, body: await chosen.metrics() };
    },
    describe: () => describe(registry),
    close: () => ofProcess.close(),
  };
}

type OpenMetricsRegistry = Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>;

/**
 * The same metrics in a registry of the other format. prom-client takes `_total` off the *name* of a counter when it
 * writes OpenMetrics, for good, so that the next Prometheus scrape would find a metric of another name; here it
 * changes the name of a shadow.
 */
function openMetricsView(registry: Registry): OpenMetricsRegistry {
  const view: OpenMetricsRegistry = new Registry();
  view.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of registry.getMetricsAsArray()) {
    const original = registry.getSingleMetric(metric.name);
    if (original !== undefined) view.registerMetric(shadow(original));
  }
  return view;
}

function shadow<T extends object>(original: T): T {
  const own = new Map<PropertyKey, unknown>();
  return new Proxy(original, {
    set(_target, key, value) {
      own.set(key, value);
      return true;
    },
    get(target, key): unknown {
      return own.has(key) ? own.get(key) : Reflect.get(target, key);
    },
  });
}

function describe(registry: Registry): readonly MetricRow[] {
  return registry.getMetricsAsArray().map((metric) => ({
    name: metric.name,
    type: String(metric.type),
    labels: "labelNames" in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [],
    help: metric.help,
  }));
}
