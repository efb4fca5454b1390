/** A sample of a node, as a scrape would read it: a holder of three, unless a test says otherwise. */
import type { NodeSample } from "../../src/ports/observer.ts";

export function nodeSample(change: Partial<NodeSample> = {}): NodeSample {
  return {
    isLeader: true,
    token: 251_301_442_093_057,
    leaseRemainingMs: 1_583,
    term: 12,
    role: "leader",
    commitIndex: 41,
    lastIndex: 42,
    members: { voter: 3, learner: 1 },
    peers: [
      { name: "app-0", connected: true },
      { name: "app-2", connected: false },
    ],
    leaderlessMs: 2_500,
    eligible: true,
    draining: false,
    ...change,
  };
}
