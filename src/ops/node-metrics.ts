/**
 * The metrics that a scrape samples from the node.
 *
 * Invariant: all of them come from one sample, so a scrape never shows a holder without a token. Nothing is computed
 * while nobody scrapes.
 *
 * Deliberately absent: labels for group and pod. The scraper adds the pod, and one process serves one group.
 */
import { type NodeSample, ROLES } from "../ports/observer.ts";
import { Counter, Gauge, type Registry } from "./prom-client.ts";

const SAMPLE_ROLES: readonly NodeSample["role"][] = [...ROLES, "learner", "none"];

/** Registers them, and returns what sets them all from a sample. */
export function createNodeMetrics(registry: Registry): (sample: NodeSample, ready: boolean) => void {
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `tenure_${name}`, help, registers });
  const isLeader = gauge("is_leader", "1 while this pod holds the lock, else 0.");
  const token = gauge("fencing_token", "The fencing token of this pod's tenure; 0 while it does not hold the lock.");
  const remaining = gauge("lease_remaining_seconds", "What is left of this pod's lease; 0 while it holds none.");
  const term = gauge("term", "The Raft term of this node. Frequent steps mean elections, see tenure_elections_total.");
  const role = new Gauge({
    name: "tenure_raft_role",
    help: "1 for the present Raft role of this node, 0 for the others.",
    labelNames: ["role"],
    registers,
  });
  const leaderless = new Counter({
    name: "tenure_leaderless_seconds_total",
    help: "Time in which this node knew no holder of the lock.",
    registers,
  });
  const commitIndex = gauge("commit_index", "The index of the last log entry that this node knows to be committed.");
  const lastIndex = gauge("last_log_index", "The index of the last entry of this node's log.");
  const members = new Gauge({
    name: "tenure_members",
    help: "Members of the group's configuration by kind: voters count for majorities, learners stand by.",
    labelNames: ["kind"],
    registers,
  });
  const connected = new Gauge({
    name: "tenure_peer_connected",
    help: "1 while this node's connection to that peer is usable, else 0.",
    labelNames: ["peer"],
    registers,
  });
  const eligible = gauge("eligible", "1 while this pod may become the holder, 0 while the application took it out.");
  const draining = gauge("draining", "1 while the lease is kept only until the application has stopped, else 0.");
  const readiness = gauge("ready", "1 once this node has been a member of a committed configuration, as on /readyz.");

  return (sample, ready) => {
    isLeader.set(Number(sample.isLeader));
    token.set(sample.isLeader ? sample.token : 0);
    remaining.set(sample.leaseRemainingMs / 1_000);
    term.set(sample.term);
    for (const each of SAMPLE_ROLES) role.set({ role: each }, Number(sample.role === each));
    leaderless.reset();
    leaderless.inc(sample.leaderlessMs / 1_000);
    commitIndex.set(sample.commitIndex);
    lastIndex.set(sample.lastIndex);
    members.set({ kind: "voter" }, sample.members.voter);
    members.set({ kind: "learner" }, sample.members.learner);
    connected.reset();
    for (const peer of sample.peers) connected.set({ peer: peer.name }, Number(peer.connected));
    eligible.set(Number(sample.eligible));
    draining.set(Number(sample.draining));
    readiness.set(Number(ready));
  };
}
