/**
 * The metrics that count what the node reports.
 *
 * Invariant: the number of series is bounded: labels come from closed sets, except `peer`, which is a name of the
 * present group after each scrape and one of at most MAX_METRIC_PEERS in between.
 *
 * Deliberately absent: gauges. What can be sampled is sampled (node-metrics.ts), so that it cannot drift.
 */
import { ERRORS } from "../base/errors.ts";
import { MAX_METRIC_PEERS } from "../base/limits.ts";
import { ELECTION_OUTCOMES, type NodeEvent, type Observer } from "../ports/observer.ts";
import { Counter, Histogram, type Registry } from "./prom-client.ts";

/** A crashed holder is replaced after its lease, 2 s by default; below 10 ms only tests with tiny leases come. */
const FAILOVER_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 10, 30, 60];
/** A few round trips: from half a millisecond in one zone to what no handover should take. */
const HANDOVER_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
/** From one host to another continent. */
const ROUND_TRIP_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
/** From a disk with a protected cache to one that endangers even a lease of a minute. */
const SYNC_BUCKETS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export interface EventMetrics extends Observer {
  /** Forgets the peers that are none of these. */
  keepPeers(names: readonly string[]): void;
}

export function createEventMetrics(registry: Registry): EventMetrics {
  const { counts, outcomes, faults } = createCounters(registry);
  const { failover, handover, roundTrip, sync } = createHistograms(registry);
  const peers = new Set<string>();
  const observeRoundTrip = (peer: string, durationMs: number): void => {
    if (!peers.has(peer) && peers.size >= MAX_METRIC_PEERS) return;
    peers.add(peer);
    roundTrip.observe({ peer }, durationMs / 1_000);
  };
  return {
    observe(event: NodeEvent): void {
      const counter = counts[event.kind];
      if (counter !== undefined) counter.inc();
      if (event.kind === "electionEnded") outcomes.inc({ outcome: event.outcome });
      else if (event.kind === "fault" || event.kind === "fatal") faults.inc({ code: event.code });
      else if (event.kind === "peerRoundTrip") observeRoundTrip(event.peer, event.durationMs);
      else if (event.kind === "storageSynced") sync.observe(event.durationMs / 1_000);
      else if (event.kind === "tenureSeen" && event.leaderlessMs !== null) {
        (event.handover ? handover : failover).observe(event.leaderlessMs / 1_000);
      }
    },
    keepPeers(names) {
      for (const peer of peers) {
        if (names.includes(peer)) continue;
        peers.delete(peer);
        roundTrip.remove({ peer });
      }
    },
  };
}

interface Counters {
  readonly counts: Readonly<Partial<Record<NodeEvent["kind"], Counter>>>;
  readonly outcomes: Counter<"outcome">;
  readonly faults: Counter<"code">;
}

function createCounters(registry: Registry): Counters {
  const registers = [registry];
  const counter = (name: string, help: string): Counter => new Counter({ name: `tenure_${name}`, help, registers });
  const counts = {
    holding: counter("tenures_total", "Tenures of this pod: how often it came to hold the lock."),
    renewed: counter("lease_renewals_total", "Renewals of this pod's lease. Its rate is that of heartbeats."),
    lapsed: counter("lease_lapses_total", "Leases that ran out while this pod held the lock; 0 when all is well."),
    released: counter("lease_releases_total", "Leases that this pod gave up by its own will."),
    transferStarted: counter("transfers_total", "Attempts of this node to hand leadership over."),
    transferFailed: counter("transfer_failures_total", "Attempts to hand leadership over that failed."),
  };
  const outcomes = new Counter({
    name: "tenure_elections_total",
    help: "Elections this node stood in, by outcome; refused: the PreVote found no majority, so no term was spent.",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of ELECTION_OUTCOMES) outcomes.inc({ outcome }, 0);
  const faults = new Counter({
    name: "tenure_faults_total",
    help: "Faults of the outside world and of tenure itself, by the code of the errors reference.",
    labelNames: ["code"],
    registers,
  });
  // From the start, so that the first fault of a kind is a rise and not a new series.
  for (const code of Object.keys(ERRORS)) faults.inc({ code }, 0);
  return { counts, outcomes, faults };
}

interface Histograms {
  readonly failover: Histogram;
  readonly handover: Histogram;
  readonly roundTrip: Histogram<"peer">;
  readonly sync: Histogram;
}

function createHistograms(registry: Registry): Histograms {
  const registers = [registry];
  return {
    failover: new Histogram({
      name: "tenure_failover_duration_seconds",
      help: "Time without a holder, as this node saw it, until a new tenure began that no handover had prepared.",
      buckets: FAILOVER_BUCKETS,
      registers,
    }),
    handover: new Histogram({
      name: "tenure_handover_duration_seconds",
      help: "Time without a holder, as this node saw it, of a handover: from the release to the next tenure.",
      buckets: HANDOVER_BUCKETS,
      registers,
    }),
    roundTrip: new Histogram({
      name: "tenure_peer_round_trip_seconds",
      help: "Round trip times to the peers that are members now.",
      labelNames: ["peer"],
      buckets: ROUND_TRIP_BUCKETS,
      registers,
    }),
    sync: new Histogram({
      name: "tenure_storage_sync_duration_seconds",
      help: "How long writes to the data directory took to become durable. Every vote and append waits for one.",
      buckets: SYNC_BUCKETS,
      registers,
    }),
  };
}
