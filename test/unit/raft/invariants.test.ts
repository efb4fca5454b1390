/**
 * Each assertion of src/raft/invariants.ts, seen to fire: a state is made wrong in one way, and that check alone must
 * notice.
 */
import { describe, expect, it } from "vitest";
import { HolderLease } from "../../../src/lease/holder-lease.ts";
import { VoterPromise } from "../../../src/lease/promise.ts";
import { Tenancy } from "../../../src/lease/tenancy.ts";
import { logIndex, monotonicMs, term } from "../../../src/base/types.ts";
import { checkState, checkTransition, remember } from "../../../src/raft/invariants.ts";
import { Outbox } from "../../../src/raft/outbox.ts";
import { CoreState, type Leadership } from "../../../src/raft/state.ts";
import { memberAt, TOKEN_BASE } from "../../support/cluster.ts";
import { baseOf, hardStateOf, logOf, nowOf, votersOf } from "../../support/entries.ts";
import { D, TIMING, U } from "../../support/timing.ts";

const NOW = nowOf(10_000);
const SELF = memberAt(0);

/** A follower in term 5 that voted for m0 and whose log is committed up to 3 of 4. */
function follower(): CoreState {
  const state = new CoreState({
    self: SELF,
    timing: TIMING,
    priority: 0,
    seed: 1,
    base: baseOf(votersOf(3), 2, 1),
    tokenBase: TOKEN_BASE,
    lock: [],
    removed: [],
    hardState: hardStateOf(5, 0, D),
    entries: logOf(1, 1, 2, 5).slice(2),
    bootedAt: nowOf(0),
  });
  state.commitIndex = logIndex(3);
  return state;
}

function leader(): CoreState {
  const state = follower();
  state.role = "leader";
  state.leader = SELF.id;
  state.leadership = leadershipOf(new Tenancy());
  return state;
}

function leadershipOf(tenancy: Tenancy): Leadership {
  return {
    electedAt: NOW,
    waitUntil: NOW.monotonicMs,
    noop: logIndex(4),
    persisted: logIndex(4),
    progress: new Map(),
    lease: new HolderLease(SELF.id, U),
    tenancy,
    nextRoundAt: NOW.monotonicMs,
    transfer: null,
  };
}

describe("checks of a state", () => {
  it("pass for a follower and for a leader", () => {
    expect(() => checkState(follower())).not.toThrow();
    expect(() => checkState(leader())).not.toThrow();
  });

  it("a leadership outlives the role", () => {
    const state = leader();
    state.role = "follower";
    expect(() => checkState(state)).toThrow("a leadership belongs to the role of leader");
  });

  it("a leader has no leadership", () => {
    const state = leader();
    state.leadership = null;
    expect(() => checkState(state)).toThrow("a leadership belongs to the role of leader");
  });

  it("the commit index lies before the snapshot", () => {
    const state = follower();
    state.commitIndex = logIndex(1);
    expect(() => checkState(state)).toThrow("the snapshot is committed");
  });

  it("the commit index lies behind the log", () => {
    const state = follower();
    state.commitIndex = logIndex(5);
    expect(() => checkState(state)).toThrow("only entries of the log are committed");
  });

  it("an entry is newer than the current term", () => {
    const state = follower();
    state.term = term(4);
    expect(() => checkState(state)).toThrow("no entry is newer than the current term");
  });

  it("a leader voted for another", () => {
    const state = leader();
    state.votedFor = memberAt(1).id;
    expect(() => checkState(state)).toThrow("a leader voted for itself");
  });

  it("a leader takes another for the leader", () => {
    const state = leader();
    state.leader = memberAt(1).id;
    expect(() => checkState(state)).toThrow("a leader knows itself");
  });

  it("a leader keeps what somebody acknowledged whom it does not follow", () => {
    const state = leader();
    state.leadership?.lease.openRound(NOW.holderMs);
    expect(() => checkState(state), "its own acknowledgement is its own").not.toThrow();
    state.leadership?.lease.acknowledge(memberAt(1).id, 1);
    expect(() => checkState(state)).toThrow("acknowledgements are kept of those alone who are followed");
  });

  it("a promise that no restart would know of", () => {
    const state = follower();
    state.promise.make(NOW.monotonicMs, D, term(5));
    state.largestPromiseMs = 0;
    expect(() => checkState(state)).toThrow("a promise is covered by the largest one");
  });
});

describe("checks of a state against the one before", () => {
  it("pass when nothing changed, and when everything rose", () => {
    const state = follower();
    const before = remember(state, NOW);
    expect(() => checkTransition(before, state, NOW)).not.toThrow();
    state.term = term(6);
    state.votedFor = memberAt(2).id;
    state.commitIndex = logIndex(4);
    state.makePromise(NOW, D + 1, term(6), new Outbox());
    expect(() => checkTransition(before, state, nowOf(10_001, 10_002))).not.toThrow();
  });

  it("the term fell", () => {
    const state = follower();
    const before = remember(state, NOW);
    state.term = term(4);
    expect(() => checkTransition(before, state, NOW)).toThrow("terms never fall");
  });

  it("the commit index fell", () => {
    const state = follower();
    const before = remember(state, NOW);
    state.commitIndex = logIndex(2);
    expect(() => checkTransition(before, state, NOW)).toThrow("the commit index never falls");
  });

  it("the promise shrank", () => {
    const state = follower();
    state.makePromise(NOW, D, term(5), new Outbox());
    const before = remember(state, NOW);
    const shorter: Partial<CoreState> = { promise: new VoterPromise(monotonicMs(0), 0) };
    expect(() => checkTransition(before, Object.assign(state, shorter), NOW)).toThrow("a promise never shrinks");
  });

  it("the largest promise shrank", () => {
    const state = follower();
    const before = remember(state, NOW);
    state.largestPromiseMs = D - 1;
    expect(() => checkTransition(before, state, NOW)).toThrow("the largest promise never shrinks");
  });

  it.each([null, memberAt(1).id])("the vote became %s in the same term", (votedFor) => {
    const state = follower();
    const before = remember(state, NOW);
    state.votedFor = votedFor;
    expect(() => checkTransition(before, state, NOW)).toThrow("one vote per term");
  });

  it("a revocation was taken back in its term, and a new term may do so", () => {
    const state = leader();
    state.leadership?.tenancy.revoke();
    const before = remember(state, NOW);
    state.leadership = leadershipOf(new Tenancy());
    expect(() => checkTransition(before, state, NOW)).toThrow("a revocation is final in its term");
    state.term = term(6);
    expect(() => checkTransition(before, state, NOW)).not.toThrow();
  });

  it("CLOCK_MONOTONIC went back", () => {
    const state = follower();
    const before = remember(state, NOW);
    expect(() => checkTransition(before, state, nowOf(9_999, 10_000))).toThrow("CLOCK_MONOTONIC never goes backwards");
  });

  it("the holder clock went back", () => {
    const state = follower();
    const before = remember(state, NOW);
    expect(() => checkTransition(before, state, nowOf(10_000, 9_999))).toThrow("the holder clock never goes backwards");
  });
});
