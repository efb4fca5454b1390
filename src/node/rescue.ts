/**
 * Rescue: a new group from one survivor, when a majority of the incarnations is gone for good (DESIGN, Membership).
 *
 * Invariant: refused while so many voters could still be alive that they could elect a leader without this rescue
 * knowing. A voter counts as gone only if its name is taken by another incarnation here and now, or if a person says
 * that its pod and disk no longer exist, and it is not heard.
 *
 * Deliberately absent: the writing (src/node/node.ts), and any rescue without a person: a slot that another
 * incarnation occupies proves that the old pod is gone only as far as Kubernetes keeps its word.
 */
import { assert } from "../base/assert.ts";
import { MAX_REMOVED } from "../base/limits.ts";
import { logIndex, type Member, type MemberId, type Term } from "../base/types.ts";
import { majoritySize } from "../lease/majority.ts";
import { tokenBaseAfter } from "../lease/token.ts";
import type { HardState, Snapshot } from "../ports/storage.ts";
import type { Core } from "../raft/core.ts";
import { allMembers, type Configuration } from "../raft/entry.ts";
import type { CoreView } from "../raft/view.ts";
import type { NodeOptions } from "./options.ts";

export interface Survey {
  readonly self: Member;
  readonly voters: readonly Member[];
  /**
   * Whether this node votes by every configuration that it knows of. Then every later one of its group has it too,
   * unless it asked to leave; others may have been left behind by changes that made a smaller majority.
   */
  readonly votes: boolean;
  /**
   * Learners of the last configuration that is known to be committed, and of any that came after it. While this node
   * was away they may have become voters, and nobody can tell it.
   */
  readonly standbys?: readonly Member[];
  /** The incarnation connected under a name, or null. */
  readonly connectedId: (name: string) => MemberId | null;
  /** Connected members of the same group that this node's log does not know of: the group has gone on without it. */
  readonly strangers?: readonly Member[];
  /**
   * Names of the set, as it was configured and as DNS lists it now. One that this node neither knows as a member nor
   * reaches may be a voter by now: the set may have grown, and others may have left, while this node was away.
   */
  readonly set?: readonly string[];
  /** Names of pods that are in another group of the same name. */
  readonly rivals?: readonly string[];
}

/** Voters whose names are taken by other incarnations, that is, whose disks are gone. */
export function replaced(survey: Survey): readonly Member[] {
  return survey.voters.filter((voter) => isTaken(survey, voter));
}

function isTaken({ self, connectedId, strangers = [] }: Survey, { name, id }: Member): boolean {
  const occupant = name === self.name ? self.id : connectedId(name);
  return occupant !== null && occupant !== id && strangers.every((stranger) => stranger.id !== occupant);
}

/** Whether those that may be alive are too few for a majority, without anybody's word. */
export function isMajorityGone(survey: Survey): boolean {
  return survey.voters.length - replaced(survey).length < majoritySize(survey.voters.length);
}

/**
 * Why a rescue is refused, in words; null when it is not.
 *
 * @param lost names of pods that a person says are gone with their disks
 */
export function refusal(survey: Survey, lost: readonly string[]): string | null {
  const { self, voters, connectedId, strangers = [], rivals = [] } = survey;
  if (strangers.length > 0) {
    return `the group goes on without this pod: ${namesOf(strangers)} became a member while it was away`;
  }
  const elsewhere = voters.filter(({ id, name }) => id !== self.id && rivals.includes(name) && !lost.includes(name));
  if (elsewhere.length > 0) {
    const here = `empty this pod's directory, and it joins that group; or name ${namesOf(elsewhere)} as lost`;
    return `${namesOf(elsewhere)} is in another group of this name already, by another rescue perhaps: ${here}`;
  }
  const standbys = survey.standbys ?? [];
  const known = new Set([self, ...voters, ...standbys].map(({ name }) => name));
  const unknown = (survey.set ?? []).filter(
    (name) => !known.has(name) && !lost.includes(name) && connectedId(name) === null,
  );
  if (unknown.length > 0) {
    const how = "bring them back in reach, or name them as lost if there are no such pods";
    return `this pod does not hear ${unknown.join(", ")}, which may have become members while it was away: ${how}`;
  }
  const heard = [...voters, ...standbys].filter(
    ({ id, name }) => id !== self.id && lost.includes(name) && connectedId(name) === id,
  );
  if (heard.length > 0) return `${namesOf(heard)} answers and is not lost`;
  const standing = standbys.filter(
    ({ id, name }, at) =>
      standbys.findIndex((other) => other.id === id) === at &&
      [self, ...voters].every((other) => other.id !== id) &&
      !lost.includes(name) &&
      !isTaken(survey, { id, name }),
  );
  if (standing.length > 0) {
    const how =
      "delete their pods with their volumes, so that they come back empty, " +
      "or name them as lost once they are gone for good";
    return `${namesOf(standing)} stood by when this pod last heard, and may vote by now: ${how}`;
  }
  const gone = replaced(survey);
  const isLost = (voter: Member): boolean => lost.includes(voter.name) && voter.id !== self.id;
  const alive = voters.filter((voter) => !gone.includes(voter) && !isLost(voter));
  const needed = majoritySize(voters.length);
  const others = alive.filter((voter) => voter.id !== self.id);
  if (!survey.votes && others.length > 0) {
    const how = "rescue there, or name them as lost once their pods and disks are gone for good";
    return `this pod has no vote, and ${namesOf(others)} may have: ${how}`;
  }
  if (alive.length < needed) return null;
  return (
    `${alive.length} of ${voters.length} voters may still be alive and ${needed} could elect a leader: ` +
    `${namesOf(others)} must be back with its data, or be named as lost once its pod and disk are gone for good`
  );
}

export interface Rescue {
  readonly self: Member;
  readonly view: CoreView;
  /** Of the old group. One that was only appended may name a newcomer, who has no part in what is given up. */
  readonly committed: Configuration;
  readonly term: Term;
  readonly removed: readonly MemberId[];
  readonly oldTokenBase: number;
  readonly groupId: string;
  readonly wallSeconds: number;
}

/**
 * The new group's first state: this member alone, everyone else out, tokens above all that the old group can have
 * given.
 * It begins one index after everything that this node knows, so that nothing of the old log is taken for a part of it.
 */
export function snapshotOfRescue(rescue: Rescue): Snapshot {
  const { self, view, committed, term, removed, oldTokenBase, groupId, wallSeconds } = rescue;
  const others = allMembers(committed)
    .map(({ id }) => id)
    .filter((id) => id !== self.id);
  const tokenBase = tokenBaseAfter(oldTokenBase, view.lastIndex, wallSeconds);
  assert(tokenBase > oldTokenBase + view.lastIndex, "tokens of the new group are larger than all known ones");
  return {
    index: logIndex(view.lastIndex + 1),
    term,
    groupId,
    configuration: { voters: [self], learners: [] },
    tokenBase,
    removed: [...others, ...removed].slice(0, MAX_REMOVED),
    lock: view.history,
  };
}

/** What the new group begins with, on the disk of its only member. */
export function rescued(
  self: Member,
  core: Core,
  oldTokenBase: number,
  { clock, entropy, timing }: Pick<NodeOptions, "clock" | "entropy" | "timing">,
): { readonly hardState: HardState; readonly snapshot: Snapshot } {
  // What the old group may have promised is waited out by the new one as after a restart, and at least D.
  const largestPromiseMs = Math.max(core.hardState.largestPromiseMs, timing.leaseDurationMs);
  const hardState = { ...core.hardState, largestPromiseMs };
  const snapshot = snapshotOfRescue({
    self,
    view: core.view(clock.now()),
    committed: core.committedConfiguration,
    term: hardState.term,
    removed: core.removed,
    oldTokenBase,
    groupId: entropy.id(),
    wallSeconds: clock.wallSeconds(),
  });
  return { hardState, snapshot };
}

function namesOf(members: readonly Member[]): string {
  return members.map(({ name }) => name).join(", ");
}
