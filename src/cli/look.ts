/**
 * Puts several answers of one sidecar together.
 *
 * Invariant: the answers belong to one state: the change counter is the same before and after, or the last try counts.
 *
 * Deliberately absent: a lock. The sidecar does not stand still because somebody looks.
 */
import { TenureError } from "../base/errors.ts";
import { SUCCESSOR_WATCH_MS } from "../base/limits.ts";
import type { Address } from "./address.ts";
import { ClusterSchema, HistorySchema, LeaderSchema } from "./answers.ts";
import type { Cluster, Holder, Leader, Picture } from "./answers.ts";
import { ask } from "./client.ts";

/** Changes come seconds apart; one that comes in between is followed by a quiet moment. */
const TRIES = 3;

/** Throws as `ask` does. */
export async function look(address: Address): Promise<Picture> {
  for (let tries = 1; ; tries += 1) {
    const before = await leaderOf(address);
    const cluster = await ask(address, ClusterSchema, { path: "/cluster" });
    const { tenures } = await ask(address, HistorySchema, { path: "/history" });
    const leader = await leaderOf(address);
    if (leader.index === before.index || tries === TRIES) {
      return { leader, cluster, holder: holderOf(leader, cluster, tenures) };
    }
  }
}

export function leaderOf(address: Address): Promise<Leader> {
  return ask(address, LeaderSchema, { path: "/leader" });
}

function holderOf(
  { name, isLeader, token }: Leader,
  { holderForMs }: Cluster,
  tenures: readonly { readonly name: string; readonly token: number; readonly end: string }[],
): Holder | null {
  if (name === null) return null;
  const [newest] = tenures;
  const known = newest?.name === name && newest.end === "current" ? newest.token : null;
  return { name, token: isLeader ? token : known, forMs: holderForMs };
}

/**
 * Waits until the sidecar knows a holder, for three lease durations and SUCCESSOR_WATCH_MS; the picture then, with or
 * without one. Null: the sidecar went away meanwhile, as one does that is stopping.
 */
export async function lookForHolder(address: Address, leaseDurationMs: number): Promise<Picture | null> {
  const until = performance.now() + 3 * leaseDurationMs + SUCCESSOR_WATCH_MS;
  try {
    for (;;) {
      const picture = await look(address);
      const leftMs = Math.floor(until - performance.now());
      if (picture.holder !== null || leftMs <= 0) return picture;
      const path = `/leader?index=${picture.leader.index}&wait=${Math.min(leftMs, LONGEST_POLL_MS)}ms`;
      await ask(address, LeaderSchema, { path });
    }
  } catch (error) {
    if (error instanceof TenureError) return null;
    throw error;
  }
}

/** Well below COMMAND_TIMEOUT_MS, so that a poll that ends without a change is no late answer. */
const LONGEST_POLL_MS = 1_000;
