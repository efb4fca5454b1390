/**
 * Raft paper (extended version, 2014), section 5.3: log replication, the leader's side. One test per claim, as init,
 * act, check. tenure's core appends by itself: a noop when elected, a claim when it may, a release when it resigns.
 */
import { describe, expect, it } from "vitest";
import { MAX_APPEND_ENTRIES } from "../../src/base/limits.ts";
import { claim, command, hardStateOf, logOf, noop, termsOf } from "../support/entries.ts";
import { appendReply } from "../support/messages.ts";
import { only, positionOf, sent, sentTo, Solo } from "../support/solo.ts";
import { H } from "../support/timing.ts";

/** The leader of the next term over a log of these terms, its noop not yet durable. */
function leaderOver(terms: readonly number[], voters = 3): Solo {
  const node = new Solo({ voters, hardState: hardStateOf(terms.at(-1) ?? 0), entries: logOf(...terms) });
  node.elect();
  return node;
}

describe("5.3 the leader appends and replicates", () => {
  it("5.3: a leader appends an entry to its log, then sends it to each other server in parallel", () => {
    const node = new Solo({ voters: 5 });
    const effects = node.elect();
    expect(effects.persist?.entries).toEqual([noop(1, 1)]);
    expect(effects.send.map(({ to }) => positionOf(to))).toEqual([1, 2, 3, 4]);
    for (const request of sent(effects, "appendRequest")) expect(request.entries).toEqual([noop(1, 1)]);
  });

  it("5.3: each entry has the term in which the leader received it, and its index in the log", () => {
    const node = leaderOver([1, 1, 3]);
    expect(node.entries.map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 1],
      [3, 3],
      [4, 4],
    ]);
  });

  it("5.3: an append names the index and term of the entry before the new ones", () => {
    const node = leaderOver([1, 1, 3]);
    expect(node.asked(1)).toMatchObject({ prevIndex: 3, prevTerm: 3, entries: [noop(4, 4)] });
  });

  it("5.3: nextIndex begins right after the last entry of the leader's log at its election", () => {
    const node = leaderOver([1, 1, 3]);
    for (const peer of [1, 2]) expect(node.asked(peer).prevIndex).toBe(3);
  });

  it("5.3: the leader retries without end, even after it has committed, until all followers store all entries", () => {
    const node = leaderOver([1]);
    node.persisted();
    node.ack(1);
    expect(node.view.commitIndex).toBe(2);
    for (let round = 0; round < 5; round += 1) {
      node.wake();
      node.ack(1);
      expect(node.asked(2).entries[0]).toEqual(noop(2, 2));
    }
    node.ack(2);
    node.wake();
    expect(node.asked(2).entries).toEqual([]);
  });

  it("5.3: a follower far behind is caught up in steps of a bounded size", () => {
    const node = leaderOver(Array<number>(3 * MAX_APPEND_ENTRIES).fill(1));
    node.receive(1, appendReply(2, { round: 1, accepted: false, matchIndex: 0 }));
    const sizes: number[] = [];
    for (let step = 0; step < 4; step += 1) {
      sizes.push(node.asked(1).entries.length);
      node.ack(1);
    }
    expect(sizes).toEqual([MAX_APPEND_ENTRIES, MAX_APPEND_ENTRIES, MAX_APPEND_ENTRIES, 1]);
    expect(node.asked(1).entries).toHaveLength(1);
    expect(node.view.peers.find(({ member }) => positionOf(member) === 1)?.matchIndex).toBe(node.view.lastIndex);
  });
});

describe("5.3 commitment", () => {
  it.each([
    [3, 1],
    [4, 2],
    [5, 2],
  ])("5.3: of %d servers, an entry is committed once %d more than the leader have stored it", (voters, needed) => {
    const node = leaderOver([], voters);
    node.persisted();
    for (let peer = 1; peer <= needed; peer += 1) {
      expect(node.view.commitIndex).toBe(0);
      node.ack(peer);
    }
    expect(node.view.commitIndex).toBe(1);
  });

  it("5.3: a commit also commits all preceding entries, those of earlier leaders too, applied in log order", () => {
    const node = leaderOver([1, 1, 3]);
    node.persisted();
    const { apply } = node.ack(1);
    expect(apply.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
    expect(termsOf(apply)).toEqual([1, 1, 3, 4]);
  });

  it("5.3: each entry is applied once, whatever is acknowledged again", () => {
    const node = leaderOver([1]);
    node.persisted();
    const first = node.ack(1).apply;
    const again = [1, 1, 2].map((peer) => node.receive(peer, appendReply(2, { matchIndex: 2 })));
    expect(first.map(({ index }) => index)).toEqual([1, 2]);
    expect(again.flatMap(({ apply }) => apply)).toEqual([]);
  });

  it("5.3: the leader includes the highest committed index in later appends, heartbeats too", () => {
    const node = leaderOver([]);
    node.persisted();
    const claimed = node.ack(1);
    expect(sent(claimed, "appendRequest").map(({ commitIndex }) => commitIndex)).toEqual([1, 1]);
    node.after(H).tick();
    expect(node.asked(2).commitIndex).toBe(1);
  });

  it("5.3: a majority of what each stored decides, not of who answered last", () => {
    const node = leaderOver(Array<number>(6).fill(1), 5);
    node.persisted();
    for (const [peer, matchIndex] of [
      [1, 7],
      [2, 4],
      [3, 5],
      [4, 6],
    ] as const) {
      node.receive(peer, appendReply(2, { round: 1, matchIndex }));
    }
    expect(node.view.commitIndex).toBe(0);
    node.receive(2, appendReply(2, { round: 1, matchIndex: 7 }));
    expect(node.view.commitIndex).toBe(7);
  });
});

describe("5.3 consistency", () => {
  it("5.3: after a refusal the leader decrements nextIndex and retries at once", () => {
    const node = leaderOver([1, 1, 1, 2, 3]);
    const effects = node.ack(1, { accepted: false, matchIndex: 4 });
    expect(only(effects, "appendRequest")).toMatchObject({ prevIndex: 4, prevTerm: 2 });
    expect(termsOf(only(effects, "appendRequest").entries)).toEqual([3, 4]);
  });

  it("5.3: a follower that has less says where its log ends, and the leader goes there in one step", () => {
    const node = leaderOver([1, 1, 1, 2, 3]);
    node.ack(1, { accepted: false, matchIndex: 1 });
    expect(node.asked(1)).toMatchObject({ prevIndex: 1, prevTerm: 1 });
    expect(termsOf(node.asked(1).entries)).toEqual([1, 1, 2, 3, 4]);
  });

  it("5.3: a refusal that was overtaken does not undo what is known to match", () => {
    const node = leaderOver([1, 1, 3]);
    node.persisted();
    const overtaken = appendReply(4, { round: 1, accepted: false, matchIndex: 0 });
    node.ack(1);
    expect(node.receive(1, overtaken).send, "the same again would be refused again").toEqual([]);
    node.wake();
    expect(node.asked(1).prevIndex).toBe(4);
    expect(node.view.commitIndex).toBe(4);
  });

  it("5.3: an ack that was overtaken by a later one does not move the match back", () => {
    const node = leaderOver([1, 1, 3], 5);
    node.persisted();
    node.ack(1);
    node.receive(1, appendReply(4, { round: 1, matchIndex: 2 }));
    node.ack(2);
    expect(node.view.commitIndex).toBe(4);
  });

  it("5.3: an acceptance and then a refusal of older appends leave each peer its own position", () => {
    const node = leaderOver([1, 1, 3]);
    node.ack(1, { accepted: false, matchIndex: 0 });
    expect(node.asked(1).prevIndex).toBe(0);
    expect(node.asked(2).prevIndex).toBe(3);
  });

  it("figure 3, leader append-only: a leader never overwrites or deletes its own entries, it only appends", () => {
    const node = leaderOver([1, 1, 3]);
    const refused = node.ack(1, { accepted: false, matchIndex: 0 });
    const steps = [refused, node.persisted(), node.ack(1), node.wake(), node.resign(7)];
    for (const { persist } of steps) expect(persist?.truncateAfter).toBeUndefined();
    expect(termsOf(node.entries)).toEqual([1, 1, 3, 4, 4, 4]);
    expect(node.entries[4]).toEqual(claim(5, 4, 0));
  });
});

describe("10.2.1 the leader's disk (dissertation)", () => {
  it("10.2.1: the leader sends its entries while it writes them, and counts itself only once they are durable", () => {
    const node = leaderOver([1], 5);
    expect(sentTo(node.after(H).tick(), 1)).toHaveLength(1);
    node.ack(1);
    node.ack(2);
    expect(node.view.commitIndex).toBe(0);
    node.persisted();
    expect(node.view.commitIndex).toBe(2);
  });

  it("10.2.1: it may commit before its own write is done, if a majority of followers has the entry", () => {
    const node = leaderOver([1], 5);
    for (const peer of [1, 2, 3]) node.ack(peer);
    expect(node.view.commitIndex).toBe(2);
  });

  it("10.2.1: a report of an earlier term's write, or of less than before, changes nothing", () => {
    const node = leaderOver([1]);
    node.ack(1);
    const stale = { kind: "persisted", index: node.view.lastIndex, term: command(1, 1).term } as const;
    expect(node.step(stale)).toMatchObject({ persist: null, send: [], apply: [] });
    expect(node.view.commitIndex).toBe(0);
    node.persisted();
    const less = { kind: "persisted", index: command(1, 1).index, term: command(1, 2).term } as const;
    expect(node.step(less)).toMatchObject({ persist: null, send: [], apply: [] });
    expect(node.view.commitIndex).toBe(2);
  });
});
