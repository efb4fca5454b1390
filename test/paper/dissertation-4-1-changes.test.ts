/**
 * Ongaro's dissertation, chapter 4: cluster membership changes, the leader's side. One test per claim.
 *
 * What a server does with the configurations in its log is in section-6-membership.test.ts, disruptive servers (4.2.3)
 * are in dissertation-4-2-3-disruption.test.ts. tenure differs in one point: a leader never removes itself (4.2.2).
 */
import { describe, expect, it } from "vitest";
import type { MemberChange } from "../../src/raft/effect.ts";
import type { Configuration } from "../../src/raft/entry.ts";
import { majoritySize } from "../../src/lease/majority.ts";
import { Cluster, memberAt } from "../support/cluster.ts";
import { baseOf, config, configurationOf, logOf, nowOf, votersOf } from "../support/entries.ts";
import { appendReply } from "../support/messages.ts";
import { eventsOf, positionOf, sentTo, Solo } from "../support/solo.ts";

const add = (position: number): MemberChange => ({ kind: "addLearner", member: memberAt(position) });
const promote = (position: number): MemberChange => ({ kind: "promote", id: memberAt(position).id });
const remove = (position: number): MemberChange => ({ kind: "remove", id: memberAt(position).id });

/** m0, leader of these members, who have all kept up; everything in its log is committed. */
function leaderOf(voters: readonly number[], learners: readonly number[] = []): Solo {
  const node = new Solo({ base: baseOf(configurationOf(voters, learners)) }).hold();
  for (const learner of learners) node.ack(learner);
  return node;
}

/** The change is made and every voter that there is then acknowledges it. */
function commit(node: Solo, change: MemberChange): void {
  node.change(change);
  node.persisted();
  for (const voter of node.view.configuration.voters.map(positionOf)) if (voter !== node.self) node.ack(voter);
}

/** All sets of voters that are a majority, each as positions. */
function majoritiesOf({ voters }: Configuration): readonly (readonly number[])[] {
  const positions = voters.map(positionOf);
  const subsets = Array.from({ length: 2 ** positions.length }, (_, bits) =>
    positions.filter((__, at) => Math.floor(bits / 2 ** at) % 2 === 1),
  );
  return subsets.filter((set) => set.length >= majoritySize(positions.length));
}

function alwaysMeet(one: Configuration, other: Configuration): boolean {
  return majoritiesOf(one).every((a) => majoritiesOf(other).every((b) => a.some((position) => b.includes(position))));
}

describe("4.1 single-server changes", () => {
  it("4.1: each change that a leader can make leaves any majority before and any after it a server in common", () => {
    const sizes = [1, 2, 3, 4, 5].map((size) => [...Array(size).keys()]);
    for (const voters of sizes) {
      for (const change of [add(9), promote(8), remove(voters.length - 1)]) {
        const node = leaderOf(voters, [8]);
        const before = node.view.configuration;
        node.change(change);
        expect(alwaysMeet(before, node.view.configuration)).toBe(true);
      }
    }
    expect(alwaysMeet(votersOf(3), configurationOf([0, 2, 3])), "two servers apart they would not").toBe(false);
  });

  it("4.1: the leader appends the new configuration as an entry and sends it to the servers of the new one", () => {
    const effects = leaderOf([0, 1, 2]).change(add(3));
    const entry = config(3, 1, configurationOf([0, 1, 2], [3]));
    expect(effects.persist?.entries).toEqual([entry]);
    expect(effects.send.map(({ to }) => positionOf(to))).toEqual([1, 2, 3]);
    expect(sentTo(effects, 1)).toMatchObject([{ kind: "appendRequest", entries: [entry] }]);
    const without = leaderOf([0, 1, 2]).change(remove(2));
    expect(without.send.map(({ to }) => positionOf(to))).toEqual([1]);
  });

  it("4.1: it takes effect when it is appended, not when it is committed, for the leader as well", () => {
    const node = leaderOf([0, 1, 2], [3]);
    node.change(promote(3));
    expect(node.view.configuration).toEqual(configurationOf([0, 1, 2, 3]));
    expect(node.core.committedConfiguration).toEqual(configurationOf([0, 1, 2], [3]));
  });

  it("4.1: a majority of the new configuration commits it", () => {
    const grown = leaderOf([0, 1, 2], [3]);
    grown.change(promote(3));
    grown.persisted();
    grown.ack(1);
    expect(grown.view.commitIndex, "two of three, and of four").toBe(2);
    grown.ack(3);
    expect(grown.view.commitIndex).toBe(3);
    const shrunk = leaderOf([0, 1, 2, 3]);
    shrunk.change(remove(3));
    shrunk.persisted();
    shrunk.ack(1);
    expect(shrunk.view.commitIndex, "two of three, though not of four").toBe(3);
  });

  it("4.1: the next change may begin once this one is committed, and not before", () => {
    const node = leaderOf([0, 1, 2], [3, 4]);
    node.change(promote(3));
    expect(node.core.mayChange(nowOf(node.nowMs))).toBe(false);
    expect(node.change(promote(4)).persist).toBeNull();
    node.persisted();
    node.ack(1);
    expect(node.change(promote(4)).persist).toBeNull();
    node.ack(2);
    expect(node.core.mayChange(nowOf(node.nowMs))).toBe(true);
    expect(node.change(promote(4)).persist?.entries).toEqual([config(4, 1, votersOf(5))]);
  });

  it("4.1: a removed server may be shut down once the change is committed: that is when it hears of it", () => {
    const node = leaderOf([0, 1, 2]);
    const appended = node.change(remove(2));
    expect(sentTo(appended, 2)).toEqual([]);
    node.persisted();
    const [farewell] = sentTo(node.ack(1), 2);
    expect(farewell).toMatchObject({ kind: "appendRequest", commitIndex: 3 });
  });

  it("4.1, erratum of 2015: no change before an entry of the leader's own term is committed (copycat#23)", () => {
    const node = new Solo();
    node.elect();
    expect(node.change(add(3)).persist).toBeNull();
    node.persisted();
    node.ackAll();
    expect(node.change(add(3)).persist).not.toBeNull();
  });

  it("4.1 and 3.10: a leader that hands over accepts no change: its successor would not know of it", () => {
    const node = leaderOf([0, 1, 2]);
    node.resign(1);
    expect(node.core.mayChange(nowOf(node.nowMs))).toBe(false);
    expect(node.change(add(3))).toMatchObject({ persist: null, send: [] });
  });

  it("4.1: a change that is not committed can be lost with its leader; the group goes on as it was before", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.run(2_000);
    const old = cluster.leader();
    cluster.isolate(old);
    cluster.step(old, { kind: "change", change: remove((old + 1) % 3) });
    expect(cluster.core(old).configuration.voters).toHaveLength(2);
    cluster.run(5_000);
    cluster.heal();
    cluster.run(2_000);
    for (const position of [0, 1, 2]) expect(cluster.core(position).configuration).toEqual(votersOf(3));
    expect(cluster.holders()).toHaveLength(1);
  });
});

describe("4.2.1 catching up new servers", () => {
  it("4.2.1: a new server that is far behind, or never answers, keeps no entry from being committed", () => {
    const node = leaderOf([0, 1, 2]);
    commit(node, add(3));
    expect(node.view).toMatchObject({ commitIndex: 3, configuration: configurationOf([0, 1, 2], [3]) });
    commit(node, add(4));
    expect(node.view.commitIndex).toBe(4);
    expect(node.view.held).not.toBeNull();
  });

  it("4.2.1: the leader replicates to it from the first entry on, and knows how far it has come", () => {
    const node = leaderOf([0, 1, 2]);
    node.change(add(3));
    node.receive(3, appendReply(1, { accepted: false, matchIndex: 0 }));
    expect(node.asked(3)).toMatchObject({ prevIndex: 0 });
    expect(node.asked(3).entries).toEqual(node.entries);
    node.ack(3);
    expect(node.view.peers.find(({ member }) => member.id === memberAt(3).id)).toMatchObject({ matchIndex: 3 });
  });

  it("4.2.1: made a voter once it has caught up, it counts at once with all that it has", () => {
    const node = leaderOf([0, 1], [2]);
    node.change(promote(2));
    node.persisted();
    expect(node.view.commitIndex).toBe(2);
    node.ack(2);
    expect(node.view.commitIndex).toBe(3);
  });
});

describe("4.2.2 removing the current leader", () => {
  it("4.2.2: where tenure differs: a leader appends no configuration without itself", () => {
    const node = leaderOf([0, 1, 2]);
    expect(node.change(remove(0))).toMatchObject({ persist: null, send: [], events: [] });
    expect(node.view).toMatchObject({ role: "leader", configuration: votersOf(3) });
  });

  it("4.2.2 and 3.10: it transfers its leadership instead, and the next leader removes it", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.run(2_000);
    const old = cluster.leader();
    cluster.step(old, { kind: "resign", to: null, stopped: true });
    cluster.run(200);
    const next = cluster.leader();
    expect(next).not.toBe(old);
    cluster.step(next, { kind: "change", change: remove(old) });
    cluster.run(200);
    expect(cluster.core(next).committedConfiguration.voters).toHaveLength(2);
    expect(cluster.core(old)).toMatchObject({ isMember: false, removed: [memberAt(old).id] });
    cluster.crash(old);
    cluster.run(5_000);
    expect(cluster.holders()).toEqual([next]);
  });
});

describe("4.3 arbitrary changes", () => {
  it("4.3: joint consensus is not used: any set of servers is reached by single steps, each of them committed", () => {
    const node = leaderOf([0, 1, 2]);
    const steps = [add(3), add(4), promote(3), remove(1), promote(4), remove(2)];
    for (const [at, change] of steps.entries()) {
      commit(node, change);
      expect(node.view.commitIndex).toBe(3 + at);
      expect(node.core.committedConfiguration).toEqual(node.view.configuration);
      expect(node.view.held, "and the lock is held over all of them").not.toBeNull();
    }
    expect(node.view.configuration).toEqual(configurationOf([0, 3, 4]));
    expect(node.entries.filter(({ kind }) => kind === "config")).toHaveLength(steps.length);
    expect(node.core.removed).toEqual([memberAt(2).id, memberAt(1).id]);
    expect(eventsOf(node.tick(), "removed")).toEqual([]);
  });

  it("4.3: no entry swaps two servers: from where the first step is in flight, the second goes nowhere", () => {
    const node = new Solo({ base: baseOf(configurationOf([0, 1, 2], [3]), 2, 1), entries: logOf() }).hold();
    node.change(remove(1));
    node.persisted();
    node.ack(3);
    expect(node.change(promote(3)).persist).toBeNull();
    expect(node.view.configuration).toEqual(configurationOf([0, 2], [3]));
  });
});
