/**
 * Handovers and failovers of a real group: three processes, real fsync, D = 1 s, H = 100 ms.
 *
 * Invariant: "the next holder's first 200" is the answer of a long poll that was waiting at the successor, on one clock
 * with the moment at which the resignation was sent or the kill was done.
 *
 * Deliberately absent: applications. What they add is their own polling interval.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LocalGroup } from "../test/support/local-group.ts";
import type { Leader, Sidecar } from "../test/support/sidecar.ts";
import { usableLeaseMs } from "../src/lease/timing.ts";

export const LEASE_MS = 1_000;
const DRIFT = 0.1;
const NS_PER_MS = 1_000_000;

export interface Failover {
  /** kill -9 to the next holder's first 200. */
  readonly totalMs: number;
  /** The same, less what was left of the lease that voters had promised when the holder died. */
  readonly overLeaseMs: number;
  /** The same, less what the holder's own deadline had left. */
  readonly overDeadlineMs: number;
}

export async function withGroup<T>(secure: boolean, use: (group: LocalGroup) => Promise<T>): Promise<T> {
  const group = await LocalGroup.start({
    size: 3,
    leaseDuration: "1s",
    heartbeatInterval: "100ms",
    secure,
    env: { TENURE_LOG_LEVEL: "info" },
  });
  try {
    await group.holder();
    return await use(group);
  } finally {
    await group.stop();
  }
}

/** The first of the others to answer with `isLeader`, and when it did. */
async function nextHolder(others: readonly Sidecar[]): Promise<{ readonly holder: Sidecar; readonly atMs: number }> {
  const over = new AbortController();
  const watch = async (member: Sidecar): Promise<{ holder: Sidecar; atMs: number }> => {
    let index = 0;
    for (;;) {
      const { text } = await member.ask("GET", `/leader?index=${index}&wait=20s`, { signal: over.signal });
      const atMs = performance.now();
      const answer = JSON.parse(text) as Leader;
      if (answer.isLeader) return { holder: member, atMs };
      index = answer.index;
    }
  };
  try {
    return await Promise.any(others.map(watch));
  } finally {
    over.abort();
  }
}

function othersOf(group: LocalGroup, holder: Sidecar): readonly Sidecar[] {
  return group.members.filter((member) => member !== holder);
}

/** Waits until everyone is connected and knows the holder, so that a run measures the handover alone. */
async function calm(group: LocalGroup): Promise<Sidecar> {
  const holder = await group.holder();
  await group.until("a calm group", async () => {
    const answers = await group.answers();
    const agreed = answers.length === 3 && answers.every((answer) => answer.name === holder.name);
    const cluster = JSON.parse((await holder.ask("GET", "/cluster")).text) as { trouble: string | null };
    return agreed && cluster.trouble === null ? true : null;
  });
  await delay(150 + Math.random() * 100);
  return holder;
}

export async function measureHandovers(group: LocalGroup, runs: number): Promise<readonly number[]> {
  const spans: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const holder = await calm(group);
    const next = nextHolder(othersOf(group, holder));
    await delay(20);
    const sentAt = performance.now();
    const resigned = holder.ask("POST", "/resign", { body: {} });
    spans.push((await next).atMs - sentAt);
    const { status, text } = await resigned;
    if (status !== 200) throw new Error(`resign: ${status} ${text}`);
  }
  return spans;
}

export async function measureFailovers(group: LocalGroup, runs: number): Promise<readonly Failover[]> {
  const results: Failover[] = [];
  for (let run = 0; run < runs; run += 1) {
    const holder = await calm(group);
    const next = nextHolder(othersOf(group, holder));
    // At any moment between two heartbeats.
    await delay(20 + Math.random() * 100);
    const last = await holder.leader();
    holder.kill("SIGKILL");
    const killedAt = performance.now();
    const killedNs = process.hrtime.bigint();
    const { atMs } = await next;
    const deadlineLeftMs = Number(BigInt(last.deadlineMonotonicNs ?? "0") - killedNs) / NS_PER_MS;
    const totalMs = atMs - killedAt;
    const marginMs = LEASE_MS - usableLeaseMs(LEASE_MS, DRIFT);
    results.push({
      totalMs,
      overDeadlineMs: totalMs - deadlineLeftMs,
      overLeaseMs: totalMs - deadlineLeftMs - marginMs,
    });
    await holder.exited;
    await group.startMember(holder.name);
  }
  return results;
}
