/** Whom a node connects to, whom it remembers, and who refuses it: neighbours, contacts, rivals (src/node). */
import { describe, expect, it } from "vitest";
import { MAX_MEMBERS } from "../../../src/base/limits.ts";
import { type Member, memberId, monotonicMs } from "../../../src/base/types.ts";
import { Contacts } from "../../../src/node/contacts.ts";
import { Neighbours } from "../../../src/node/neighbours.ts";
import { Rivals } from "../../../src/node/rivals.ts";
import type { Configuration } from "../../../src/raft/entry.ts";

/** Guests and rivals are kept for so long after they were last heard of, in ms. */
const KEPT_MS = 10_000;
const at = (ms: number) => monotonicMs(ms);
const app = (ordinal: number, life = "a"): Member => {
  return { id: memberId(life + String(ordinal).padStart(31, "0")), name: `app-${ordinal}` };
};
const group = (voters: readonly number[], learners: readonly number[] = []): Configuration => {
  return { voters: voters.map((one) => app(one)), learners: learners.map((one) => app(one)) };
};
const names = (...ordinals: readonly number[]): readonly string[] => ordinals.map((ordinal) => `app-${ordinal}`);

describe("neighbours of a group", () => {
  it.each([
    { is: "a voter", self: 0, latest: group([0, 1, 2], [3]), committed: group([0, 1, 2], [3]), to: names(1, 2, 3) },
    { is: "a learner", self: 3, latest: group([0, 1], [3, 4]), committed: group([0, 1], [3, 4]), to: names(0, 1) },
    { is: "a new voter", self: 3, latest: group([0, 3], [4]), committed: group([0], [3, 4]), to: names(0, 4) },
    { is: "a voter on its way out", self: 1, latest: group([0], [4]), committed: group([0, 1], [4]), to: names(0, 4) },
    { is: "nobody's member", self: 9, latest: group([0, 1], [3]), committed: group([0, 1], [3]), to: names(0, 1) },
    { is: "one beside who leaves", self: 0, latest: group([0, 1]), committed: group([0, 1, 2]), to: names(1, 2) },
    { is: "one beside a learner that leaves", self: 0, latest: group([0]), committed: group([0], [5]), to: names(5) },
    { is: "one beside who comes", self: 0, latest: group([0], [5]), committed: group([0]), to: names(5) },
  ])("of $is: $to", ({ self, latest, committed, to }) => {
    const neighbours = new Neighbours(`app-${self}`);
    expect(neighbours.ofGroup(app(self), latest, committed).toSorted()).toEqual(to);
  });

  it("are by name: two incarnations of one pod are one, and this pod's own old one is none", () => {
    const latest = { voters: [app(0), app(1), app(1, "b"), app(0, "b")], learners: [] };
    expect(new Neighbours("app-0").ofGroup(app(0), latest, latest)).toEqual(names(1));
  });

  it("are the whole set while there is no group, and the guests with it", () => {
    const neighbours = new Neighbours("app-0");
    neighbours.welcome("app-7", at(0));
    expect(neighbours.ofSet(names(0, 1, 2))).toEqual(names(1, 2, 7));
  });
});

describe("a guest", () => {
  it.each([
    { name: "app-5", isNew: true },
    { name: "app-0", isNew: false },
    { name: "other-5", isNew: false },
    { name: "app", isNew: false },
    { name: "10.0.0.5", isNew: false },
  ])("$name is one: $isNew", ({ name, isNew }) => {
    const neighbours = new Neighbours("app-0");
    expect(neighbours.welcome(name, at(0))).toBe(isNew);
    expect(neighbours.ofSet([])).toEqual(isNew ? [name] : []);
    expect(neighbours.welcome(name, at(1)), "and no news the second time").toBe(false);
  });

  it("goes when it has not spoken for a while, and each word prolongs that", () => {
    const neighbours = new Neighbours("app-0");
    neighbours.welcome("app-5", at(0));
    neighbours.welcome("app-6", at(0));
    neighbours.welcome("app-6", at(4_000));
    expect(neighbours.forget(at(KEPT_MS))).toBe(false);
    expect(neighbours.forget(at(KEPT_MS + 1))).toBe(true);
    expect(neighbours.ofGroup(app(0), group([0]), group([0]))).toEqual(names(6));
    expect(neighbours.forget(at(KEPT_MS + 4_001))).toBe(true);
    expect(neighbours.ofSet([])).toEqual([]);
  });

  it("is one of MAX_MEMBERS at most; a known one is heard beside a flood", () => {
    const neighbours = new Neighbours("app-0");
    for (let ordinal = 1; ordinal <= MAX_MEMBERS; ordinal += 1) neighbours.welcome(`app-${ordinal}`, at(0));
    expect(neighbours.welcome("app-1000", at(1))).toBe(false);
    neighbours.welcome("app-1", at(5_000));
    neighbours.forget(at(KEPT_MS + 1));
    expect(neighbours.ofSet([])).toEqual(names(1));
  });
});

describe("a contact", () => {
  function contacts(...kept: readonly string[]): Contacts {
    const made = new Contacts();
    made.keep(kept);
    return made;
  }

  it("is remembered with when it was heard and what it runs, in either order", () => {
    const first = contacts("app-1");
    first.heard(app(1), at(5));
    first.connected(app(1), true, "1.2");
    const second = contacts("app-1");
    second.connected(app(1), true, "1.2");
    second.heard(app(1), at(5));
    for (const known of [first, second]) {
      expect([known.heardAt(app(1)), known.version(app(1)), known.members]).toEqual([5, "1.2", [app(1)]]);
    }
  });

  it("is that incarnation: nothing of it is said of the next one of its name, nor the other way", () => {
    const known = contacts("app-1");
    known.connected(app(1), true, "1.2");
    known.heard(app(1), at(5));
    known.heard(app(1, "b"), at(9));
    expect([known.heardAt(app(1)), known.version(app(1))]).toEqual([null, null]);
    expect([known.heardAt(app(1, "b")), known.version(app(1, "b")), known.members]).toEqual([9, null, []]);
    known.connected(app(1), false, "1.3");
    expect([known.heardAt(app(1)), known.version(app(1))], "heard long ago, by another life").toEqual([null, "1.3"]);
  });

  it("is a member as long as its last connection was one of this group", () => {
    const known = contacts("app-1", "app-2");
    known.connected(app(1), true, "1");
    known.connected(app(2), false, "1");
    expect(known.members).toEqual([app(1)]);
    known.connected(app(2), true, "1");
    known.connected(app(1), false, "1");
    known.heard(app(1), at(3));
    expect(known.members).toEqual([app(2)]);
  });

  it("is forgotten with its name, and nobody else is heard", () => {
    const known = contacts("app-1", "app-2");
    for (const ordinal of [1, 2, 3]) known.heard(app(ordinal), at(1));
    known.keep(["app-2", "app-3"]);
    expect([1, 2, 3].map((ordinal) => known.heardAt(app(ordinal)))).toEqual([null, 1, null]);
    known.heard(app(3), at(2));
    expect(known.heardAt(app(3))).toBe(2);
  });
});

describe("a rival", () => {
  it("counts for as long as it goes on being refused", () => {
    const rivals = new Rivals("app-0");
    rivals.refused("app-1", at(0));
    rivals.refused("app-2", at(0));
    rivals.refused("app-2", at(4_000));
    expect(rivals.names(at(KEPT_MS))).toEqual(names(1, 2));
    expect(rivals.names(at(KEPT_MS + 1))).toEqual(names(2));
    expect(rivals.names(at(KEPT_MS + 4_001))).toEqual([]);
  });

  it.each(["app-0", "other-1", "app", "10.0.0.7"])("is no %s", (name) => {
    const rivals = new Rivals("app-0");
    rivals.refused(name, at(0));
    expect(rivals.names(at(0))).toEqual([]);
  });

  it("is none any more once a connection with it was taken, and a known one is renewed beside a flood", () => {
    const rivals = new Rivals("app-0");
    for (let ordinal = 1; ordinal <= MAX_MEMBERS + 1; ordinal += 1) rivals.refused(`app-${ordinal}`, at(0));
    expect(rivals.names(at(0))).toHaveLength(MAX_MEMBERS);
    rivals.refused("app-1", at(5_000));
    rivals.accepted("app-2");
    expect(rivals.names(at(1))).not.toContain("app-2");
    expect(rivals.names(at(KEPT_MS + 1))).toEqual(names(1));
  });
});
