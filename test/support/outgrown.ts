/**
 * A group of whole nodes that has gone on without one of its voters.
 *
 * Invariant: the one that is away has heard nothing of the newcomers, and one of them holds.
 *
 * Deliberately absent: what becomes of the others.
 */
import type { NodeWorld } from "./node-world.ts";

/**
 * Of a group of three, one follower is cut off; then app-3 and app-4 become voters, and app-4 holds.
 *
 * @param replicas TENURE_REPLICAS of the newcomers
 */
export async function outgrow(
  world: NodeWorld,
  replicas: number,
): Promise<{ readonly away: number; readonly others: readonly number[] }> {
  const away = world.follower();
  const others = [0, 1, 2].filter((ordinal) => ordinal !== away);
  world.cutOff(away);
  for (const ordinal of [3, 4]) {
    await world.add(ordinal, { replicas });
    world.cut(away, ordinal);
    await world.until("it votes", () => world.configuration().voters.length === ordinal + 1);
  }
  await world.moveTo(4);
  return { away, others };
}
