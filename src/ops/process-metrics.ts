/**
 * The metrics of the process itself, under the names that every Prometheus client uses for them.
 *
 * Invariant: nothing runs between scrapes but the event loop's monitor, which lives in libuv and takes a tenth of a
 * percent of CPU.
 *
 * Deliberately absent: garbage collector and heap metrics. Their observers cost more than the sidecar does when idle.
 */
import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { EVENT_LOOP_STEP_MS, EVENT_LOOP_WINDOW_MS } from "../base/limits.ts";
import { Counter, Gauge, type Registry } from "./prom-client.ts";

export interface ProcessMetrics {
  sample(): void;
  close(): void;
}

export function createProcessMetrics(registry: Registry, version: string): ProcessMetrics {
  const registers = [registry];
  const resident = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    registers,
  });
  const cpu = new Counter({ name: "process_cpu_seconds_total", help: "User and system CPU time spent.", registers });
  const openFds = new Gauge({ name: "process_open_fds", help: "Open file descriptors.", registers });
  const startTime = new Gauge({
    name: "process_start_time_seconds",
    help: "Start of the process, in seconds since the Unix epoch, by the wall clock.",
    registers,
  });
  const delay = new Gauge({
    name: "tenure_event_loop_delay_seconds",
    help: "How late the event loop ran: the 99th percentile of the last minute or two.",
    registers,
  });
  const longest = new Gauge({
    name: "tenure_event_loop_delay_max_seconds",
    help: "How late the event loop ran at worst in the last minute or two. Near the lease duration it costs the lease.",
    registers,
  });
  const build = new Gauge({
    name: "tenure_build_info",
    help: "Always 1; the versions are in the labels.",
    labelNames: ["version", "node"],
    registers,
  });
  build.set({ version, node: process.versions.node }, 1);
  startTime.set(performance.timeOrigin / 1_000);
  const delays = watchEventLoop();
  return {
    sample() {
      resident.set(process.memoryUsage.rss());
      const used = process.cpuUsage();
      cpu.reset();
      cpu.inc((used.user + used.system) / 1_000_000);
      openFds.set(countOpenFds());
      const seen = delays.read();
      delay.set(seen.p99);
      longest.set(seen.max);
    },
    close() {
      delays.close();
    },
  };
}

interface Delays {
  readonly p99: number;
  readonly max: number;
}

/**
 * The worst of the present window and of the one before it. A scrape ends a window that is old enough, so that nothing
 * runs in between. In seconds.
 */
function watchEventLoop(): { read(): Delays; close(): void } {
  const monitor = monitorEventLoopDelay({ resolution: EVENT_LOOP_STEP_MS });
  monitor.enable();
  let before: Delays = { p99: 0, max: 0 };
  let begunMs = performance.now();
  /** The monitor records the time between two of its steps; what is above one step is lateness. */
  const lateness = (betweenNs: number): number =>
    monitor.count === 0 ? 0 : Math.max(0, betweenNs / 1e9 - EVENT_LOOP_STEP_MS / 1_000);
  return {
    read() {
      const present: Delays = { p99: lateness(monitor.percentile(99)), max: lateness(monitor.max) };
      const worst = { p99: Math.max(before.p99, present.p99), max: Math.max(before.max, present.max) };
      const nowMs = performance.now();
      if (nowMs - begunMs >= EVENT_LOOP_WINDOW_MS) {
        before = present;
        begunMs = nowMs;
        monitor.reset();
      }
      return worst;
    },
    close: () => monitor.disable(),
  };
}

/** Without the one that reading the list takes; NaN where there is no /proc. */
function countOpenFds(): number {
  try {
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return Number.NaN;
  }
}
