/**
 * Raft paper (extended version, 2014), section 8: client interaction. tenure's only read is "am I the holder", so the
 * section's two precautions for reads are rules of the lock. One test per claim, as init, act, check.
 */
import { describe, expect, it } from "vitest";
import { Cluster } from "../support/cluster.ts";
import { claim, hardStateOf, logOf, noop } from "../support/entries.ts";
import { sent, Solo } from "../support/solo.ts";
import { U } from "../support/timing.ts";

describe("8 read-only requests", () => {
  it("8: each leader commits a blank no-op entry at the start of its term", () => {
    const node = new Solo({ hardState: hardStateOf(3), entries: logOf(1, 3) });
    expect(node.elect().persist?.entries).toEqual([noop(3, 4)]);
    expect(sent(node.persisted(), "appendRequest")).toEqual([]);
    expect(node.ack(1).apply.at(-1)).toEqual(noop(3, 4));
  });

  it("8: until then it does not know what is committed: no claim before the no-op's commit", () => {
    const node = new Solo({ hardState: hardStateOf(3), entries: logOf(1, 3) });
    node.elect();
    node.ack(1, { matchIndex: 2 });
    node.ack(2, { matchIndex: 2 });
    expect(node.view.leaseRuns).toBe(true);
    expect(node.entries).toHaveLength(3);
    node.persisted();
    node.ack(1);
    expect(node.entries.at(-1)).toEqual(claim(4, 4, 0));
  });

  it("8: a leader checks that it has not been deposed, by an exchange with a majority, before it answers", () => {
    const node = new Solo().hold();
    expect(node.view.held).not.toBeNull();
    node.after(U);
    expect(node.view.held).toBeNull();
  });

  it("8: a deposed leader that does not know of it yet answers no longer than its lease", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.run(1_500);
    const [old = -1] = cluster.holders();
    const end = Number(cluster.core(old).view(cluster.now).held?.end);
    cluster.isolate(old);
    cluster.runUntil(end - 0.001);
    expect(cluster.holders()).toEqual([old]);
    cluster.runUntil(end);
    expect(cluster.holders()).toEqual([]);
    cluster.run(1_500);
    expect(cluster.holders()).not.toContain(old);
    expect(cluster.holders()).toHaveLength(1);
  });

  it("8: followers know the leader from its appends, so that clients can be told where to go", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.run(1_500);
    const leader = cluster.leader();
    for (const position of cluster.members.keys()) {
      expect(cluster.core(position).view(cluster.now).leader).toBe(cluster.members[leader]?.id);
      expect(cluster.core(position).view(cluster.now).current?.holder).toEqual(cluster.members[leader]);
    }
  });
});
