/**
 * Defects that other projects shipped, as far as they concern the core: each test names the defect. Those that another
 * test covers already are in the table of docs/explanation/pitfalls.md, which the last test here holds to its word.
 */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Cluster, memberAt } from "../../support/cluster.ts";
import { hardStateOf, logOf, nowOf } from "../../support/entries.ts";
import { appendRequest, preVoteRequest, voteReply, voteRequest } from "../../support/messages.ts";
import { only, Solo } from "../../support/solo.ts";
import { D, H, U } from "../../support/timing.ts";

describe("lease", () => {
  it("expiry found by a timer only, two leaders between ticks (sofa-jraft#34): asked, it is over to the moment", () => {
    const node = new Solo().hold();
    const end = Number(node.view.held?.end);
    expect(node.core.view(nowOf(end - 0.001)).held).not.toBeNull();
    expect(node.core.view(nowOf(end)).held).toBeNull();
    expect(node.core.lockView(nowOf(end)).held).toBeNull();
    // The append that is sent at that moment does not name it as holder either.
    node.at(end).tick();
    expect(node.asked(1).holding).toBeNull();
  });

  it("a cached answer: each look is computed from the clock of that look, in either order", () => {
    const node = new Solo().hold();
    const early = nowOf(node.nowMs);
    const late = nowOf(node.nowMs + U);
    for (const [now, holds] of [
      [early, true],
      [late, false],
      [early, true],
    ] as const) {
      expect(node.core.lockView(now).held !== null).toBe(holds);
    }
  });

  it("lasts 1.5 to 2 timeouts (etcd-io/raft#166): a cut-off leader leads for D and not a tick longer", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.run(1_500);
    const leader = cluster.leader();
    cluster.isolate(leader);
    const end = Number(cluster.core(leader).view(cluster.now).held?.end);
    const usableMs = (cluster.options.leaseDurationMs * 0.9) / 1.1;
    cluster.runUntil(end - usableMs + cluster.options.leaseDurationMs + 0.001);
    expect(cluster.core(leader).view(cluster.now).role).toBe("follower");
  });

  it.each([
    ["that hears nobody but is heard", true],
    ["that is cut off both ways (jgroups-raft#79)", false],
  ])("heartbeats of a leader %s block elections (openraft#2080)", (_, heard) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const cluster = new Cluster({ size: 3, seed });
      cluster.run(1_500);
      const leader = cluster.leader();
      if (heard) for (const other of [0, 1, 2].filter((at) => at !== leader)) cluster.cut(other, leader);
      else cluster.isolate(leader);
      cluster.run(4 * cluster.options.leaseDurationMs);
      expect(cluster.holders()).toHaveLength(1);
      expect(cluster.holders()).not.toContain(leader);
    }
  });

  it("kept across a transfer (tikv#1593): acks that arrive after the revocation give nothing back", () => {
    const node = new Solo({ voters: 5 }).hold();
    node.wake();
    node.resign(1);
    for (const peer of [1, 2, 3, 4]) node.ack(peer);
    expect(node.view).toMatchObject({ held: null, leaseRuns: true, revoked: true });
    expect(node.core.lockView(nowOf(node.nowMs)).current).toBeNull();
  });

  it("step-down does not reset it (yugabyte-db#18121): whoever leads again has to earn it again", () => {
    const node = new Solo().hold();
    node.receive(2, voteRequest(2, 1, 1));
    expect(node.view).toMatchObject({ role: "follower", leaseRuns: false, held: null });
    node.elect();
    node.persisted();
    expect(node.view).toMatchObject({ role: "leader", term: 3, leaseRuns: false, held: null });
  });
});

describe("votes", () => {
  it("a step-down in the same term erases the vote (redpanda#14, #19; CCF#8094)", () => {
    const leader = new Solo().hold();
    leader.resign(1);
    leader.wake();
    expect(leader.view).toMatchObject({ role: "follower", term: 1 });
    expect(only(leader.receive(2, voteRequest(1, 9, 1)), "voteReply").granted).toBe(false);
    const candidate = new Solo();
    candidate.campaign();
    candidate.receive(1, appendRequest(1));
    expect(only(candidate.receive(2, voteRequest(1, 9, 1)), "voteReply").granted).toBe(false);
    const loser = new Solo();
    loser.campaign();
    for (const from of [1, 2]) loser.receive(from, voteReply(1, false));
    expect(only(loser.receive(2, voteRequest(1, 9, 1)), "voteReply").granted).toBe(false);
    for (const node of [leader, candidate, loser]) expect(node.hardState.votedFor).toBe(memberAt(0).id);
  });

  it("PreVote against CheckQuorum (raft-rs#84): a member of a higher term gets back in, and the group goes on", () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const ahead = { hardState: hardStateOf(7, 2, 1), entries: [] };
      const others = { hardState: hardStateOf(1, null, 1), entries: logOf(1) };
      const cluster = new Cluster({ size: 3, seed, stored: [others, others, ahead] });
      cluster.isolate(2);
      cluster.run(2_500);
      expect(cluster.holders()).toHaveLength(1);
      cluster.heal();
      cluster.run(4_000);
      expect(cluster.holders()).toHaveLength(1);
      const leader = memberAt(cluster.leader()).id;
      for (const position of cluster.members.keys()) {
        expect(cluster.core(position).view(cluster.now)).toMatchObject({ term: 8, leader });
      }
    }
  });

  it("an ex-leader's PreVote is always refused (hashicorp/raft#605): only within U of its last append", () => {
    const node = new Solo();
    node.receive(1, appendRequest(4));
    expect(only(node.at(U - 1).receive(1, preVoteRequest(5)), "preVoteReply").granted).toBe(false);
    expect(only(node.at(U).receive(1, preVoteRequest(5)), "preVoteReply").granted).toBe(true);
  });

  it("the election timer is not refreshed on a rejected append (redpanda#30817)", () => {
    const node = new Solo();
    node.receive(1, appendRequest(1));
    for (let round = 1; round < 40; round += 1) {
      node.at(round * H * 5);
      const rejected = node.receive(1, appendRequest(1, { prevIndex: 9, prevTerm: 1 }));
      expect(only(rejected, "appendReply").accepted).toBe(false);
      expect(node.tick().send).toEqual([]);
      expect(node.core.wakeAt(nowOf(node.nowMs))).toBeGreaterThanOrEqual(node.nowMs + U);
    }
    expect(node.view).toMatchObject({ role: "follower", term: 1 });
  });

  it("an old-term heartbeat is accepted: it neither calms the timer nor makes a promise nor a leader", () => {
    const node = new Solo({ hardState: hardStateOf(4, null, 1) });
    const before = node.core.wakeAt(nowOf(0));
    node.at(before - 1).receive(1, appendRequest(3));
    expect(node.core.wakeAt(nowOf(node.nowMs))).toBe(before);
    expect(node.view).toMatchObject({ leader: null, leaderSeenAt: null });
    expect(node.promise().promiseTerm).toBeNull();
  });
});

describe("log", () => {
  it("ack before fsync: entries and the promise are in the persist of the very step that acknowledges them", () => {
    const node = new Solo();
    const effects = node.receive(1, appendRequest(3, { entries: logOf(1, 3) }));
    expect(only(effects, "appendReply")).toMatchObject({ accepted: true, matchIndex: 2 });
    expect(effects.persist).toMatchObject({ hardState: { term: 3, largestPromiseMs: D }, entries: logOf(1, 3) });
  });
});

describe("token", () => {
  it("reused after release, by the same holder, by another one, or after a restart", () => {
    const cluster = new Cluster({ size: 3 });
    const tokens: number[] = [];
    cluster.onStep = (_, __, { events }) => {
      for (const event of events) if (event.kind === "holding") tokens.push(event.tenure.token);
    };
    cluster.run(1_500);
    for (let turn = 0; turn < 12; turn += 1) {
      const [holder = -1] = cluster.holders();
      if (turn % 3 === 0) {
        cluster.crash(holder);
        cluster.start(holder);
      } else cluster.step(holder, { kind: "resign", to: turn % 3 === 1 ? null : `m${holder}`, stopped: true });
      cluster.run(3_500);
    }
    expect(tokens.length).toBeGreaterThanOrEqual(13);
    expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b));
  });
});

/** `test/…/file.test.ts: title` in a code span; the title of a transcript is its file's first line. */
const COVERED_BY = /`(?<file>test\/[\w./-]+\.(?:test\.ts|txt))`(?:: (?<title>[^;|]+))?/gu;

describe("docs/explanation/pitfalls.md", () => {
  const page = readFileSync(new URL("../../../docs/explanation/pitfalls.md", import.meta.url), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| ") && line.includes("`test/"));

  const cases = rows.map((row) => ({ row, defect: row.split("|")[1]?.trim() }));
  it.each(cases)("$defect: the named tests exist", ({ row }) => {
    const named = [...row.matchAll(COVERED_BY)];
    expect(named.length).toBeGreaterThan(0);
    for (const { groups } of named) {
      const file = new URL(`../../../${groups?.["file"] ?? ""}`, import.meta.url);
      expect(existsSync(file)).toBe(true);
      const title = groups?.["title"]?.trim();
      if (title !== undefined) expect(readFileSync(file, "utf8")).toContain(title);
    }
  });

  it("has a row for each group of defects", () => {
    expect(rows.length).toBeGreaterThan(30);
  });
});
