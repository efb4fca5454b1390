/**
 * `/cluster` and `/history`: the group as people look at it.
 *
 * Invariant: made from one view at one instant; says "unknown" where this node cannot know.
 *
 * Deliberately absent: anything that decides.
 */
import type { Member, MonotonicMs, Now } from "../base/types.ts";
import { majoritySize } from "../lease/majority.ts";
import type { ClusterMember, PastTenure } from "../ports/application.ts";
import type { CoreView } from "../raft/view.ts";
import type { Contacts } from "./contacts.ts";

export interface ClusterSources {
  readonly self: Member;
  readonly version: string;
  readonly contacts: Contacts;
  readonly isConnected: (member: Member) => boolean;
}

export function membersOf(
  view: CoreView,
  sources: ClusterSources,
  eligible: boolean,
  now: Now,
): readonly ClusterMember[] {
  const { voters, learners } = view.configuration;
  const rows = [
    ...voters.map((member) => ({ member, voter: true })),
    ...learners.map((member) => ({ member, voter: false })),
  ];
  return rows.map(({ member, voter }): ClusterMember => {
    const isSelf = member.id === sources.self.id;
    const peer = view.peers.find((known) => known.member.id === member.id);
    return {
      name: member.name,
      id: member.id,
      role: roleOf(view, member, voter, isSelf),
      voter,
      self: isSelf,
      connected: isSelf || sources.isConnected(member),
      lastContactMs: isSelf ? 0 : since(sources.contacts.heardAt(member), now),
      version: isSelf ? sources.version : sources.contacts.version(member),
      matchIndex: isSelf ? view.lastIndex : (peer?.matchIndex ?? null),
      eligible: isSelf ? eligible : (peer?.eligible ?? null),
    };
  });
}

function roleOf(view: CoreView, member: Member, voter: boolean, isSelf: boolean): ClusterMember["role"] {
  if (view.leader === member.id) return "leader";
  if (!voter) return "learner";
  if (isSelf) return view.role === "follower" ? "follower" : "candidate";
  return view.leader === null ? "unknown" : "follower";
}

function since(at: MonotonicMs | null, now: Now): number | null {
  return at === null ? null : Math.round(now.monotonicMs - at);
}

/**
 * What stands in the way of a holder, in words; null when nothing does.
 *
 * @param emptied voters whose names are taken by new incarnations: their data is gone
 */
export function troubleOf(
  members: readonly ClusterMember[],
  noLeader: boolean,
  emptied: readonly Member[],
): string | null {
  const voters = members.filter((member) => member.voter);
  const silent = voters.filter((member) => !member.connected).map((member) => member.name);
  if (!noLeader) {
    return silent.length === 0 ? null : `not connected from here: ${silent.join(", ")}`;
  }
  const needed = majoritySize(voters.length);
  const reachable = voters.length - silent.length;
  if (reachable >= needed) return `no leader yet; ${reachable} of ${voters.length} voters are connected from here`;
  const lost = emptied.map((member) => member.name);
  if (voters.length - lost.length < needed) {
    return (
      `a majority is lost: ${lost.join(", ")} of ${voters.length} voters came back without their data. Nobody can ` +
      "hold the lock any more. Choose one pod that still has its data, run `rescue` in it, then delete the " +
      "other pods that are left of the old group."
    );
  }
  return (
    `no majority: ${reachable} of ${voters.length} voters are connected from here, ${needed} are needed; ` +
    `missing: ${silent.join(", ")}. Nobody holds the lock until enough of them are back with their data. If pods ` +
    "and disks are gone for good, run `rescue` and name them with --lost."
  );
}

/**
 * What a pod without a group waits for.
 *
 * @param silent who has not answered: pods of the set, or DNS
 */
export function waitsFor(outsider: boolean, silent: readonly string[]): string {
  if (outsider) return "a group exists, and this pod asks to be taken in; its leader has to answer";
  const whom = silent.length === 0 ? "" : `; no answer from ${silent.join(", ")}`;
  return `the group is not formed yet: every pod of the set must have answered that it is empty${whom}`;
}

/** Two groups of one name; null when there is but one. */
export function rivalry(rivals: readonly string[]): string | null {
  if (rivals.length === 0) return null;
  return (
    `in another group of this name: ${rivals.join(", ")}. Both groups may have a holder. Empty the directories of ` +
    "the one that is to be given up; its pods then join the other."
  );
}

export function historyOf(view: CoreView): readonly PastTenure[] {
  return view.history.map((tenure, position): PastTenure => {
    const current = position === 0 && !tenure.released;
    const end = tenure.released ? "released" : current ? "current" : "superseded";
    return { name: tenure.holder.name, id: tenure.holder.id, token: tenure.token, term: tenure.term, end };
  });
}
