/** Whom a leader adds, promotes and removes: situations and the step that follows (DESIGN, Membership). */
import { describe, expect, it } from "vitest";
import { logIndex, type Member, memberId, type MonotonicMs, monotonicMs, term } from "../../../src/base/types.ts";
import { nextChange, SILENT_LEARNER_MS, type Situation } from "../../../src/node/membership.ts";
import type { CoreView, PeerView } from "../../../src/raft/view.ts";
import { nowOf } from "../../support/entries.ts";
import { D, H, TIMING } from "../../support/timing.ts";

const NOW = 1_000_000;
const COMMIT = 40;

/** The incarnation of `app-<ordinal>`; another letter is another life. */
function pod(ordinal: number, life = "a"): Member {
  return { id: memberId(life + String(ordinal).padStart(31, "0")), name: `app-${ordinal}` };
}

interface Peer {
  /** Since when the leader has heard nothing of it. */
  readonly silentMs?: number;
  readonly behind?: number;
  readonly leaving?: boolean;
}

interface Row {
  readonly voters: readonly Member[];
  readonly learners?: readonly Member[];
  readonly joiners?: readonly Member[];
  /** What differs from "heard just now, with everything". */
  readonly peers?: ReadonlyMap<Member, Peer>;
  readonly leads?: number;
}

/** app-0 leads since long ago, or for `leads` ms. */
function situation({ voters, learners = [], joiners = [], peers = new Map(), leads = 100_000 }: Row): Situation {
  const self = pod(0);
  const heardAt = (ms: number): MonotonicMs => monotonicMs(NOW - ms);
  const views = [...voters, ...learners].flatMap((member): readonly PeerView[] => {
    if (member.id === self.id) return [];
    const { silentMs = 0, behind = 0, leaving = false } = peers.get(member) ?? {};
    const matchIndex = logIndex(COMMIT - behind);
    return [{ member, matchIndex, heardAt: heardAt(silentMs), eligible: true, leaving }];
  });
  const view: CoreView = {
    role: "leader",
    term: term(3),
    leader: self.id,
    held: null,
    current: null,
    currentUntil: null,
    leaseRuns: true,
    revoked: false,
    leaderSeenAt: heardAt(leads),
    leaderLeaseMs: D,
    eligible: true,
    commitIndex: logIndex(COMMIT),
    lastIndex: logIndex(COMMIT),
    configuration: { voters, learners },
    peers: views,
    history: [],
  };
  return { view, self, timing: TIMING, joiners, now: nowOf(NOW) };
}

function step(row: Row): string {
  const change = nextChange(situation(row));
  if (change === null) return "nothing";
  return change.kind === "addLearner"
    ? `add ${describeId(change.member.id)}`
    : `${change.kind} ${describeId(change.id)}`;
}

/** `2b` is the second life of app-2. */
function describeId(id: string): string {
  return `${Number(id.slice(1))}${id.slice(0, 1)}`;
}

const [a0, a1, a2, a3, a4, a5] = [pod(0), pod(1), pod(2), pod(3), pod(4), pod(5)];
const [b2, b5] = [pod(2, "b"), pod(5, "b")];
const three = [a0, a1, a2];
const five = [a0, a1, a2, a3, a4];
const silent = (member: Member, silentMs: number): [Member, Peer] => [member, { silentMs }];
const leaving = (member: Member): [Member, Peer] => [member, { leaving: true }];

describe("the next step of a leader", () => {
  const rows: readonly [string, Row, string][] = [
    ["all is well", { voters: three }, "nothing"],
    ["an empty pod asks", { voters: three, joiners: [a3] }, "add 3a"],
    ["an empty pod asks a full group of voters: it will stand by", { voters: five, joiners: [a5] }, "add 5a"],
    ["a namesake of the leader asks", { voters: three, joiners: [pod(0, "b")] }, "nothing"],
    ["a namesake of a voter asks that was just heard", { voters: three, joiners: [b2] }, "nothing"],
    [
      "a namesake of a voter asks that was heard two heartbeats ago",
      { voters: three, joiners: [b2], peers: new Map([silent(a2, 2 * H)]) },
      "nothing",
    ],
    [
      "a namesake of a voter asks that was silent for longer",
      { voters: three, joiners: [b2], peers: new Map([silent(a2, 2 * H + 1)]) },
      "add 2b",
    ],
    ["the second of two that ask has no living namesake", { voters: three, joiners: [b2, a3] }, "add 3a"],
    ["a learner has everything", { voters: three, learners: [a3] }, "promote 3a"],
    ["a learner lacks one entry", { voters: three, learners: [a3], peers: new Map([[a3, { behind: 1 }]]) }, "nothing"],
    [
      "a learner has everything and is not heard",
      { voters: three, learners: [a3], peers: new Map([silent(a3, 3 * H + 1)]) },
      "nothing",
    ],
    [
      "a learner has everything and was heard three heartbeats ago",
      { voters: three, learners: [a3], peers: new Map([silent(a3, 3 * H)]) },
      "promote 3a",
    ],
    ["two learners have everything: the lower ordinal goes first", { voters: [a0], learners: [a2, a1] }, "promote 1a"],
    ["there are five voters", { voters: five, learners: [a5] }, "nothing"],
    [
      "one more voter would leave no majority of heard ones",
      { voters: three, learners: [a3], peers: new Map([silent(a1, D), silent(a2, D)]) },
      "nothing",
    ],
    [
      "one of three is dead: with the learner three of four are heard",
      { voters: three, learners: [a3], peers: new Map([silent(a2, 10 * D)]) },
      "promote 3a",
    ],
    ["a learner wants to leave", { voters: three, learners: [a3], peers: new Map([leaving(a3)]) }, "remove 3a"],
    ["a voter wants to leave", { voters: three, peers: new Map([leaving(a2)]) }, "remove 2a"],
    ["the last but one wants to leave", { voters: [a0, a1], peers: new Map([leaving(a1)]) }, "remove 1a"],
    [
      "a voter wants to leave, and those who would stay cannot commit it",
      { voters: three, peers: new Map([leaving(a2), silent(a1, D)]) },
      "nothing",
    ],
    [
      "two want to leave: one step at a time, the first that may",
      { voters: three, peers: new Map([leaving(a1), leaving(a2)]) },
      "remove 1a",
    ],
    [
      "somebody leaves and somebody asks: room is made first",
      { voters: three, joiners: [a3], peers: new Map([leaving(a1)]) },
      "remove 1a",
    ],
    [
      "a dead voter has a namesake that has caught up",
      { voters: three, learners: [b2], peers: new Map([silent(a2, D + 1)]) },
      "remove 2a",
    ],
    [
      "a dead voter has a namesake that lacks entries",
      { voters: three, learners: [b2], peers: new Map([silent(a2, D + 1), [b2, { behind: 3 }]]) },
      "nothing",
    ],
    [
      "a voter with a namesake was silent for no longer than D",
      { voters: three, learners: [b2], peers: new Map([silent(a2, D)]) },
      "nothing",
    ],
    ["a voter with a namesake is alive", { voters: three, learners: [b2] }, "nothing"],
    [
      "a dead voter has a namesake, and those who would stay cannot commit it",
      { voters: three, learners: [b2], peers: new Map([silent(a2, D + 1), silent(a1, D + 1)]) },
      "nothing",
    ],
    ["the dead voter is out: its namesake votes", { voters: [a0, a1], learners: [b2] }, "promote 2b"],
    ["a voter is silent for a year", { voters: three, peers: new Map([silent(a2, 3e10)]) }, "nothing"],
    [
      "a learner is silent for a minute",
      { voters: five, learners: [a5], peers: new Map([silent(a5, SILENT_LEARNER_MS)]) },
      "nothing",
    ],
    [
      "a learner is silent for longer",
      { voters: five, learners: [a5], peers: new Map([silent(a5, SILENT_LEARNER_MS + 1)]) },
      "remove 5a",
    ],
    [
      "a dead learner has a newer namesake",
      { voters: five, learners: [a5, b5], peers: new Map([silent(a5, D + 1)]) },
      "remove 5a",
    ],
    [
      "a learner with an older namesake is silent: the older one is not its successor",
      { voters: five, learners: [a5, b5], peers: new Map([silent(b5, D + 1)]) },
      "nothing",
    ],
  ];

  it.each(rows)("%s", (_, row, expected) => {
    expect(step(row)).toBe(expected);
  });

  it("counts the silence of one that this leader never heard from its election on", () => {
    const { view, ...rest } = situation({ voters: three, learners: [b2], leads: D });
    const unheard = view.peers.map((peer) => (peer.member === a2 ? { ...peer, heardAt: null } : peer));
    expect(nextChange({ ...rest, view: { ...view, peers: unheard } })).toBeNull();
    const longer = { ...view, peers: unheard, leaderSeenAt: monotonicMs(NOW - D - 1) };
    expect(nextChange({ ...rest, view: longer })).toEqual({ kind: "remove", id: a2.id });
  });

  it("never names this leader, whoever asks, leaves or is silent", () => {
    expect(step({ voters: [a0], learners: [pod(0, "b")] })).toBe("nothing");
    expect(step({ voters: [a0] })).toBe("nothing");
  });
});
