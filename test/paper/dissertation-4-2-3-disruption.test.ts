/**
 * Ongaro's dissertation, section 4.2.3: disruptive servers, with the PreVote of 9.6 as its remedy. One test per claim.
 *
 * The section lets servers drop vote requests while they hear a leader. tenure refuses PreVotes only: a vote request
 * that comes anyway (a transfer) is answered, and safety does not rest on refusing it (DESIGN, section 2).
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";
import { appendRequest, preVoteRequest, voteRequest } from "../support/messages.ts";
import { only, Solo } from "../support/solo.ts";
import { D, U } from "../support/timing.ts";

describe("4.2.3 a server that hears a leader", () => {
  it("4.2.3: does not help to depose it within the minimum election timeout", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    node.at(U - 0.001);
    expect(only(node.receive(2, preVoteRequest(5, 9, 9)), "preVoteReply")).toMatchObject({ granted: false, term: 4 });
    node.at(U);
    expect(only(node.receive(2, preVoteRequest(5, 9, 9)), "preVoteReply")).toMatchObject({ granted: true, term: 5 });
  });

  it("4.2.3: by the timing of the leader it hears, not by its own", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4, { leaseDurationMs: 5 * D }));
    node.at(5 * U - 0.001).tick();
    expect(only(node.receive(2, preVoteRequest(5, 9, 9)), "preVoteReply").granted).toBe(false);
    expect(node.view.role).toBe("follower");
  });

  it("4.2.3: a leader does not help either while its lease runs, and does when it does not", () => {
    const node = new Solo().hold();
    node.at(node.nowMs + U - 0.001);
    expect(only(node.receive(2, preVoteRequest(5, 99, 4)), "preVoteReply").granted).toBe(false);
    node.after(0.001);
    expect(only(node.receive(2, preVoteRequest(5, 99, 4)), "preVoteReply").granted).toBe(true);
  });

  it("3.10 in 4.2.3: still answers a vote request, because a transfer is a wanted disruption", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    expect(only(node.receive(2, voteRequest(5)), "voteReply").granted).toBe(true);
  });
});

describe("4.2.3 a group with a disruptive server", () => {
  it("4.2.3: a server that hears nothing but can send does not cost the leader its term", () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const cluster = new Cluster({ size: 3, seed });
      cluster.run(2_000);
      const [leader = -1] = cluster.holders();
      const deaf = (leader + 1) % 3;
      for (const from of [0, 1, 2]) if (from !== deaf) cluster.cut(from, deaf);
      const before = cluster.core(leader).view(cluster.now).term;
      for (let check = 0; check < 50; check += 1) {
        cluster.run(100);
        expect(cluster.holders()).toEqual([leader]);
      }
      expect(cluster.core(leader).view(cluster.now).term).toBe(before);
      expect(cluster.core(deaf).view(cluster.now).term).toBe(before);
    }
  });

  it("4.2.3: a server that was cut off comes back without a higher term", () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const cluster = new Cluster({ size: 5, seed });
      cluster.run(2_000);
      const [leader = -1] = cluster.holders();
      cluster.isolate((leader + 1) % 5);
      cluster.run(10_000);
      cluster.heal();
      cluster.run(5_000);
      expect(cluster.holders()).toEqual([leader]);
      expect(cluster.core(leader).view(cluster.now)).toMatchObject({ term: 1, history: { length: 1 } });
    }
  });
});
