/**
 * The parts of prom-client that are used.
 *
 * Invariant: nothing else of it is loaded. Its main file brings node:cluster, a push client and collectors along, 5 MiB
 * of memory for things that this sidecar never does; these four cost nothing that can be measured.
 *
 * Deliberately absent: its default collectors (see process-metrics.ts) and its global registry, which stays empty.
 */
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";

export { Counter, Gauge, Histogram, Registry };
