/**
 * Whether a group could still elect a leader, by what is true of its disks.
 *
 * Invariant: each member is taken at its own word: the newest configuration that it has, committed or not, is the one
 * by which it would campaign; and nobody votes for a shorter log than its own.
 *
 * Deliberately absent: who can reach whom, and for how long nobody could. Cuts heal.
 */
import type { MemberId } from "../../src/base/types.ts";
import { majoritySize } from "../../src/lease/majority.ts";
import type { Configuration } from "../../src/raft/entry.ts";
import type { Incarnation, Members } from "./members.ts";
import type { Disk } from "./storage-port.ts";

/** @param without who has left it, or is about to */
export function canGoOn(members: Members, groupId: string, without: MemberId | null): boolean {
  const living = members.living.filter(
    ({ disk }) => disk.snapshot?.groupId === groupId && disk.identity !== null && disk.identity.id !== without,
  );
  return living.some((candidate) => {
    const { voters } = newestOf(candidate);
    const votes = living.filter(
      ({ disk }) => voters.some(({ id }) => id === disk.identity?.id) && covers(candidate.disk, disk),
    );
    return votes.includes(candidate) && votes.length >= majoritySize(voters.length);
  });
}

/** Raft paper, 5.4.1: whether the one would get the vote of the other. */
function covers(one: Disk, other: Disk): boolean {
  const [mine, theirs] = [one.termAt(one.lastIndex) ?? 0, other.termAt(other.lastIndex) ?? 0];
  return mine > theirs || (mine === theirs && one.lastIndex >= other.lastIndex);
}

function newestOf({ machine, disk }: Incarnation): Configuration {
  const running = machine.disk === disk ? (machine.life?.core?.configuration ?? null) : null;
  if (running !== null) return running;
  const entry = disk.entries.findLast(({ kind }) => kind === "config");
  if (entry?.kind === "config") return entry.configuration;
  return disk.snapshot?.configuration ?? { voters: [], learners: [] };
}
