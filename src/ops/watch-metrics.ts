/**
 * The metrics that alerts hold the others against: what was set, how many voters are in reach, what the clocks do, and
 * when the certificate runs out.
 *
 * Invariant: an alert needs no number of the deployment. A sync is slow, and a pause long, compared with
 * `tenure_lease_duration_seconds` of the same pod, so one rule fits every group.
 *
 * Deliberately absent: a verdict. How much is too much is the rules' business (charts/tenure/files/rules.yaml).
 */
import type { Now } from "../base/types.ts";
import type { ClusterMember } from "../ports/application.ts";
import type { NodeEvent, NodeSample, Observer } from "../ports/observer.ts";
import { Counter, Gauge, type Registry } from "./prom-client.ts";

export interface WatchOptions {
  /** D, in ms. */
  readonly leaseDurationMs: number;
  /** The largest rate error of a clock that the lease allows for, as a fraction. */
  readonly clockDrift: number;
  /** The size that the group is meant to have. */
  readonly replicas: number;
  /** Both clocks; read at creation and at each scrape. */
  readonly now: () => Now;
  /** Of this node's configuration; empty before there is a group. Asked once for each scrape. */
  readonly members: () => readonly Pick<ClusterMember, "voter" | "connected">[];
  /** Whether a majority of the voters came back without their data. Asked once for each scrape. */
  readonly rescueNeeded: () => boolean;
  /** In ms of the wall clock since 1970; null without TLS. Asked once for each scrape. */
  readonly certificateNotAfterMs: () => number | null;
}

export interface WatchMetrics extends Observer {
  set(sample: Pick<NodeSample, "isLeader" | "token">): void;
}

export function createWatchMetrics(registry: Registry, options: WatchOptions): WatchMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `tenure_${name}`, help, registers });
  const { leaseDurationMs, clockDrift, replicas } = options;
  gauge("lease_duration_seconds", "The lease duration of TENURE_LEASE_DURATION.").set(leaseDurationMs / 1_000);
  gauge("clock_drift_bound_ratio", "The rate error of a clock that the lease allows for: TENURE_CLOCK_DRIFT.").set(
    clockDrift,
  );
  gauge("replicas", "The size that this pod was told its group is meant to have: TENURE_REPLICAS.").set(replicas);
  const voters = gauge("voters_connected", "Voters of the group in reach of this node, itself included.");
  const rescue = gauge(
    "rescue_needed",
    "1 while a majority of the voters' names is taken by pods without their data, so that only a person can help.",
  );
  const since = gauge(
    "holding_since_timestamp_seconds",
    "When this pod's tenure began, in seconds since the Unix epoch, by the wall clock; 0 while it does not hold.",
  );
  const setCertificate = certificateExpiry(registry);
  const setClocks = clockMetrics(registry, options.now());
  let began = { token: 0, atSeconds: 0 };
  return {
    observe(event: NodeEvent) {
      if (event.kind === "holding") began = { token: event.token, atSeconds: Date.now() / 1_000 };
    },
    set({ isLeader, token }) {
      // By token: an event that is still on its way must not lend its date to another tenure.
      since.set(isLeader && token === began.token ? began.atSeconds : 0);
      voters.set(options.members().filter(({ voter, connected }) => voter && connected).length);
      rescue.set(Number(options.rescueNeeded()));
      setCertificate(options.certificateNotAfterMs());
      setClocks(options.now());
    },
  };
}

/** A series with TLS only: a date of 0 would be a certificate that expired in 1970. */
function certificateExpiry(registry: Registry): (notAfterMs: number | null) => void {
  const expiry = new Gauge({
    name: "tenure_certificate_expiry_timestamp_seconds",
    help: "When the certificate in use runs out, in seconds since the Unix epoch; no sample without TLS.",
    registers: [registry],
  });
  expiry.remove();
  return (notAfterMs) => {
    if (notAfterMs === null) expiry.remove();
    else expiry.set(notAfterMs / 1_000);
  };
}

/**
 * The clocks, for whoever has another one to compare them with. Prometheus has: its scrapes carry its own time, so the
 * slope of the first counter over a few minutes is this clock's rate.
 */
function clockMetrics(registry: Registry, start: Now): (now: Now) => void {
  const registers = [registry];
  const monotonic = new Counter({
    name: "tenure_clock_monotonic_seconds_total",
    help: "Time since the start of the process by CLOCK_MONOTONIC, which leases rest on. Its rate should be 1.",
    registers,
  });
  const suspended = new Counter({
    name: "tenure_clock_suspended_seconds_total",
    help: "Time since the start of the process in which CLOCK_MONOTONIC stood still: the machine was suspended.",
    registers,
  });
  const leadMs = (now: Now): number => now.holderMs - now.monotonicMs;
  const setTo = (counter: Counter, ms: number): void => {
    counter.reset();
    counter.inc(Math.max(0, ms) / 1_000);
  };
  return (now) => {
    setTo(monotonic, now.monotonicMs - start.monotonicMs);
    setTo(suspended, leadMs(now) - leadMs(start));
  };
}
