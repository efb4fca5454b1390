/**
 * Raft paper (extended version, 2014), section 5.2: leader election. One test per claim, as init, act, check.
 *
 * Where tenure adds something of its own (PreVote before a campaign, a wait after it), the claim is checked on the
 * campaign proper; the additions have their own files.
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";
import { hardStateOf, logOf, nowOf } from "../support/entries.ts";
import { appendRequest, voteReply, voteRequest } from "../support/messages.ts";
import { eventsOf, only, positionOf, sent, Solo } from "../support/solo.ts";
import { D, H, U, WINDOW } from "../support/timing.ts";

describe("5.2 followers", () => {
  it("5.2: servers start as followers, also in the term that they led before", () => {
    expect(new Solo().view.role).toBe("follower");
    expect(new Solo({ hardState: hardStateOf(4, 0) }).view).toMatchObject({ role: "follower", leader: null });
  });

  it("5.2: a server stays a follower as long as it hears from a leader", () => {
    const node = new Solo();
    for (let at = 0; at < 20 * U; at += U - 1) {
      node.at(at).receive(1, appendRequest(1, { round: at + 1 }));
      expect(node.core.wakeAt(nowOf(at))).toBeGreaterThanOrEqual(at + U);
      node.tick();
      expect(node.view).toMatchObject({ role: "follower", term: 1, leader: node.configuration.voters[1]?.id });
    }
  });

  it("5.2: a follower that hears nothing over the election timeout begins an election", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1));
    const effects = node.wake();
    expect(node.nowMs).toBeGreaterThanOrEqual(U);
    expect(node.view.role).toBe("preCandidate");
    expect(sent(effects, "preVoteRequest")).toHaveLength(2);
  });

  it("5.2: a follower answers requests only and sends nothing by itself before its timeout", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1));
    expect(node.at(U - 1).tick().send).toEqual([]);
  });
});

describe("5.2 candidates", () => {
  it("5.2: to begin an election a server increments its term, votes for itself, and asks all others", () => {
    const node = new Solo({ voters: 5, hardState: hardStateOf(3), entries: logOf(1, 1, 3) });
    const effects = node.campaign();
    expect(node.view).toMatchObject({ role: "candidate", term: 4, leader: null });
    expect(effects.persist?.hardState).toMatchObject({ term: 4, votedFor: node.configuration.voters[0]?.id });
    expect(effects.send.map(({ to }) => positionOf(to))).toEqual([1, 2, 3, 4]);
    for (const request of sent(effects, "voteRequest")) {
      expect(request).toMatchObject({ term: 4, lastIndex: 3, lastTerm: 3 });
    }
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [6, 3],
    [7, 3],
  ])("5.2: of %d servers a candidate needs the votes of a majority: its own and %d more", (voters, needed) => {
    const node = new Solo({ voters });
    node.campaign();
    for (let from = 1; from <= needed; from += 1) {
      expect(node.view.role).toBe("candidate");
      node.receive(from, voteReply(node.view.term, true));
    }
    expect(node.view.role).toBe("leader");
  });

  it("5.2: the same vote counts once, however often it arrives", () => {
    const node = new Solo({ voters: 5 });
    node.campaign();
    for (let times = 0; times < 4; times += 1) node.receive(1, voteReply(1, true));
    expect(node.view.role).toBe("candidate");
  });

  it("5.2: each server votes for at most one candidate in a term, first come, first served", () => {
    const node = new Solo();
    expect(only(node.receive(1, voteRequest(1)), "voteReply").granted).toBe(true);
    expect(only(node.receive(2, voteRequest(1)), "voteReply").granted).toBe(false);
    expect(only(node.receive(1, voteRequest(1)), "voteReply").granted).toBe(true);
    expect(only(node.receive(2, voteRequest(2)), "voteReply").granted).toBe(true);
  });

  it("5.2: a vote is durable before it is sent", () => {
    const node = new Solo();
    const effects = node.receive(2, voteRequest(1));
    expect(effects.persist?.hardState).toMatchObject({ term: 1, votedFor: node.configuration.voters[2]?.id });
    expect(only(effects, "voteReply").granted).toBe(true);
  });

  it("5.2: so is a vote in a term that was known already", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    const effects = node.receive(2, voteRequest(4));
    expect(only(effects, "voteReply").granted).toBe(true);
    expect(effects.persist?.hardState).toMatchObject({ term: 4, votedFor: node.configuration.voters[2]?.id });
    expect(node.receive(2, voteRequest(4)).persist).toBeNull();
  });

  it("5.2: a candidate votes for itself and for no other in its term", () => {
    const node = new Solo();
    node.campaign();
    expect(only(node.receive(1, voteRequest(1, 9, 1)), "voteReply").granted).toBe(false);
    expect(node.view.role).toBe("candidate");
  });

  it("5.2: a winner sends heartbeats to all others at once, to establish its authority", () => {
    const node = new Solo({ voters: 5 });
    const effects = node.elect();
    expect(effects.send.map(({ to, message }) => [positionOf(to), message.kind, message.term])).toEqual(
      [1, 2, 3, 4].map((to) => [to, "appendRequest", 1]),
    );
  });

  it("5.2: a leader goes on sending heartbeats, to prevent new elections", () => {
    const node = new Solo();
    node.elect();
    const elected = node.nowMs;
    for (let round = 2; round < 6; round += 1) {
      const effects = node.wake();
      expect(node.nowMs).toBeCloseTo(elected + (round - 1) * H, 6);
      expect(sent(effects, "appendRequest").map((request) => request.round)).toEqual([round, round]);
      node.ackAll();
    }
  });

  it.each([5, 6])("5.2: a candidate of term 5 that hears the leader of term %d returns to follower", (leaderTerm) => {
    const node = new Solo({ hardState: hardStateOf(4) });
    node.campaign();
    node.receive(1, appendRequest(leaderTerm));
    expect(node.view).toMatchObject({ role: "follower", term: leaderTerm, leader: node.configuration.voters[1]?.id });
  });

  it("5.2: a candidate rejects the append of a smaller term and goes on as candidate", () => {
    const node = new Solo({ hardState: hardStateOf(4) });
    node.campaign();
    expect(only(node.receive(1, appendRequest(4)), "appendReply")).toMatchObject({ accepted: false, term: 5 });
    expect(node.view).toMatchObject({ role: "candidate", term: 5 });
  });

  it("5.2: a candidate that neither wins nor loses times out and begins another election, one term higher", () => {
    const node = new Solo({ voters: 4 });
    node.campaign();
    node.receive(1, voteReply(1, true));
    node.receive(2, voteReply(1, false));
    const started = node.nowMs;
    expect(eventsOf(node.wake(), "electionEnded")).toEqual([{ kind: "electionEnded", outcome: "lost", term: 1 }]);
    // Long enough for a campaign on a slow disk, and random, so that the split does not repeat itself.
    expect(node.nowMs - started).toBeGreaterThanOrEqual(D / 2);
    expect(node.nowMs - started).toBeLessThanOrEqual(D / 2 + WINDOW);
    node.campaign();
    expect(node.view).toMatchObject({ role: "candidate", term: 2 });
  });

  it("5.2: votes that a split left over count for their own term only", () => {
    const node = new Solo({ voters: 4 });
    node.campaign();
    node.receive(1, voteReply(1, true));
    node.campaign();
    for (const from of [2, 3]) node.receive(from, voteReply(1, true));
    node.receive(1, voteReply(2, true));
    expect(node.view).toMatchObject({ role: "candidate", term: 2 });
  });
});

describe("5.2 randomized timeouts", () => {
  const draws = Array.from({ length: 400 }, (_, seed) => {
    const node = new Solo({ seed });
    node.receive(1, appendRequest(1));
    return node.core.wakeAt(nowOf(0));
  });

  it("5.2: election timeouts are chosen at random from a fixed interval, U to D after the last append", () => {
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(U);
    expect(Math.max(...draws)).toBeLessThan(U + WINDOW);
  });

  it("5.2: they spread over the whole of it, so that in most cases one server times out alone", () => {
    const eighths = new Set(draws.map((at) => Math.floor(((at - U) / WINDOW) * 8)));
    expect(eighths).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(new Set(draws).size).toBeGreaterThan(390);
  });

  it("5.2: a candidate draws its timeout anew at the start of an election", () => {
    const node = new Solo();
    const waits = Array.from({ length: 30 }, () => {
      const before = node.nowMs;
      node.wake();
      return node.core.wakeAt(nowOf(node.nowMs)) - Math.max(before, node.nowMs);
    });
    expect(new Set(waits).size).toBe(30);
    for (const waitMs of waits) expect(waitMs).toBeGreaterThanOrEqual(H);
  });

  it("5.2: so that split votes are resolved: groups of every size elect within a few tries, from any seed", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const cluster = new Cluster({ size: 2 + (seed % 4), seed });
      cluster.run(2_000);
      expect(cluster.core(cluster.leader()).view(cluster.now).term).toBeLessThanOrEqual(3);
    }
  });
});

describe("5.2 election safety (figure 3)", () => {
  it("figure 3: at most one leader can be elected in a term", () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const cluster = new Cluster({ size: 5, seed });
      for (let turn = 0; turn < 4; turn += 1) {
        cluster.isolate((seed + turn) % 5);
        cluster.run(1_500);
        cluster.heal();
        cluster.run(700);
      }
      const leaders = cluster.events.flatMap(({ member, event }) =>
        event.kind === "roleChanged" && event.role === "leader" ? [{ term: event.term, name: member.name }] : [],
      );
      expect(leaders.length).toBeGreaterThan(0);
      expect(new Set(leaders.map((leader) => leader.term)).size).toBe(leaders.length);
    }
  });

  it("figure 3: a leader that hears an append of its own term is an impossible state, and ends", () => {
    const node = new Solo();
    node.elect();
    expect(() => node.receive(1, appendRequest(1))).toThrow("one leader per term");
  });
});
