/**
 * Waiting for a condition.
 *
 * Invariant: it ends, at the latest when patience does, and says whether the condition held.
 *
 * Deliberately absent: a failure. What it means is for the caller to say.
 */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 20;

/** Whether `look` returned true within `patienceMs`. */
export async function within(
  patienceMs: number,
  look: () => boolean | Promise<boolean>,
  pollMs = POLL_MS,
): Promise<boolean> {
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    if (await look()) return true;
    await delay(pollMs);
  }
  return look();
}
