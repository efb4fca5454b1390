/**
 * Whom a leader adds, promotes and removes, and in which order (DESIGN, Membership).
 *
 * Invariant: a pure function of what the leader knows. A voter is removed only when it asked for it, or when its name
 * is taken by a newer incarnation that has caught up and it was silent for longer than D; never for silence alone. No
 * step leaves a group of voters of which no majority was heard lately.
 *
 * Deliberately absent: safety. The core takes one step at a time and only when it may (src/raft/change.ts); a wrong
 * decision here costs availability, not exclusion.
 */
import { MAX_MEMBERS, MAX_VOTERS } from "../base/limits.ts";
import type { Member, MemberId, MonotonicMs, Now } from "../base/types.ts";
import { majoritySize } from "../lease/majority.ts";
import type { LeaseTiming } from "../lease/timing.ts";
import type { MemberChange } from "../raft/effect.ts";
import { allMembers } from "../raft/entry.ts";
import type { CoreView, PeerView } from "../raft/view.ts";
import { byOrdinal } from "./names.ts";

/** A learner that nobody misses is removed after this, or 10 D if that is longer: pods that never came back. */
export const SILENT_LEARNER_MS = 60_000;

export interface Situation {
  readonly view: CoreView;
  readonly self: Member;
  readonly timing: LeaseTiming;
  /** Incarnations that asked to be taken in, lately, and are in no configuration. */
  readonly joiners: readonly Member[];
  /** When this leader added a member, where it did. */
  readonly addedAt?: ReadonlyMap<MemberId, MonotonicMs>;
  readonly now: Now;
}

/** The next step; null when there is nothing to do. */
export function nextChange(situation: Situation): MemberChange | null {
  return removeLeaver(situation) ?? addJoiner(situation) ?? replaceDead(situation) ?? promote(situation);
}

function removeLeaver(situation: Situation): MemberChange | null {
  const { view } = situation;
  const leaver = view.peers.find(({ leaving, member }) => leaving && mayGo(situation, member.id));
  return leaver === undefined ? null : { kind: "remove", id: leaver.member.id };
}

function addJoiner(situation: Situation): MemberChange | null {
  const { joiners, timing } = situation;
  const { voters, learners } = situation.view.configuration;
  if (voters.length + learners.length >= MAX_MEMBERS) return null;
  // A namesake that is still heard is alive, the leader itself above all: two pods of one name must not take turns.
  const joiner = joiners.find(({ name }) =>
    namesakes(situation, name).every((old) => silentMs(situation, old) > 2 * timing.heartbeatIntervalMs),
  );
  return joiner === undefined ? null : { kind: "addLearner", member: joiner };
}

/** The dead incarnation goes once its successor has caught up; a learner also when it was silent for very long. */
function replaceDead(situation: Situation): MemberChange | null {
  const { view, timing } = situation;
  const { voters, learners } = view.configuration;
  const isDead = (member: Member): boolean => silentMs(situation, member) > timing.leaseDurationMs;
  for (const [at, learner] of learners.entries()) {
    // Members are listed in the order in which they came, so a namesake further on is newer.
    const successor = learners.slice(at + 1).some(({ name }) => name === learner.name);
    const forgotten = silentMs(situation, learner) > Math.max(SILENT_LEARNER_MS, 10 * timing.leaseDurationMs);
    if ((successor && isDead(learner)) || forgotten) return { kind: "remove", id: learner.id };
    const old = voters.find((voter) => voter.name === learner.name);
    if (old === undefined || !isDead(old) || !caughtUp(situation, learner)) continue;
    if (mayGo(situation, old.id)) return { kind: "remove", id: old.id };
  }
  return null;
}

function promote(situation: Situation): MemberChange | null {
  const { voters, learners } = situation.view.configuration;
  if (voters.length >= MAX_VOTERS) return null;
  // A learner that leaves has been removed before: it may always go.
  const able = learners.filter(
    (learner) => caughtUp(situation, learner) && voters.every(({ name }) => name !== learner.name),
  );
  const [first] = able.toSorted(byOrdinal);
  if (first === undefined || !isMajorityHeard(situation, [...voters, first])) return null;
  return { kind: "promote", id: first.id };
}

/** A learner may always go; a voter, if those who stay can commit that it went. */
function mayGo(situation: Situation, id: MemberId): boolean {
  const { voters } = situation.view.configuration;
  if (voters.every((voter) => voter.id !== id)) return true;
  return isMajorityHeard(
    situation,
    voters.filter((voter) => voter.id !== id),
  );
}

function isMajorityHeard(situation: Situation, voters: readonly Member[]): boolean {
  const heard = voters.filter((voter) => voter.id === situation.self.id || isHeard(situation, voter));
  return heard.length >= majoritySize(voters.length);
}

function caughtUp(situation: Situation, member: Member): boolean {
  const peer = peerOf(situation, member.id);
  return peer !== null && peer.matchIndex >= situation.view.commitIndex && isHeard(situation, member);
}

/** By this leader: one that was dead already when it was elected is not heard just because the election was lately. */
function isHeard(situation: Situation, member: Member): boolean {
  const heardAt = peerOf(situation, member.id)?.heardAt ?? null;
  return heardAt !== null && silentMs(situation, member) <= 3 * situation.timing.heartbeatIntervalMs;
}

/** Since it was last heard by this leader; if it never was, since it was added or since the election. */
function silentMs(situation: Situation, member: Member): number {
  const { view, now, self, addedAt } = situation;
  if (member.id === self.id) return 0;
  const heardAt = peerOf(situation, member.id)?.heardAt ?? addedAt?.get(member.id) ?? null;
  const since: MonotonicMs = heardAt ?? view.leaderSeenAt ?? now.monotonicMs;
  return now.monotonicMs - since;
}

function peerOf({ view }: Situation, id: MemberId): PeerView | null {
  return view.peers.find((peer) => peer.member.id === id) ?? null;
}

function namesakes({ view }: Situation, name: string): readonly Member[] {
  return allMembers(view.configuration).filter((member) => member.name === name);
}
