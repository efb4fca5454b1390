/**
 * Pods that come and go: what a rolling restart without volumes costs the lock, how soon a reborn pod votes, and what a
 * leader of fifty replicas costs.
 *
 * Invariant: real processes of the shipped bundle with real fsync; every member is asked for the lock all the time, on
 * one clock, so a gap is from the last 200 of one holder to the first 200 of the next.
 *
 * Deliberately absent: the time that a cluster takes to schedule and start a pod.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { LocalGroup } from "../test/support/local-group.ts";
import type { Leader, Sidecar } from "../test/support/sidecar.ts";

const SETTINGS = { leaseDuration: "1s", heartbeatInterval: "100ms" } as const;
const MIB = 1_048_576;

interface ClusterMember {
  readonly name: string;
  readonly id: string;
  readonly voter: boolean;
  readonly connected: boolean;
}

export interface Rolled {
  /** Without a holder while this pod was replaced; 0 when it did not hold. */
  readonly gapMs: number;
  readonly held: boolean;
  /** From the start of the reborn pod's process to its vote. */
  readonly voterAfterMs: number;
}

/** Asks everyone in turn, without a pause, and keeps the longest time without a 200. */
class GapWatch {
  readonly #group: LocalGroup;
  #lastMs = performance.now();
  #longestMs = 0;
  #isOver = false;
  readonly #polls: Promise<void>;

  constructor(group: LocalGroup) {
    this.#group = group;
    this.#polls = this.#poll();
  }

  /** The longest gap since the last call. */
  take(): number {
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#polls;
  }

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      const answers = await Promise.all(this.#group.members.map((member) => this.#ask(member)));
      if (answers.includes(true)) {
        this.#longestMs = Math.max(this.#longestMs, performance.now() - this.#lastMs);
        this.#lastMs = performance.now();
      }
      await delay(1);
    }
  }

  async #ask(member: Sidecar): Promise<boolean> {
    try {
      const { text } = await member.ask("GET", "/leader");
      return (JSON.parse(text) as Leader).isLeader;
    } catch {
      return false;
    }
  }
}

async function membersOf(group: LocalGroup): Promise<readonly ClusterMember[]> {
  const { text } = await (await group.holder()).ask("GET", "/cluster");
  return (JSON.parse(text) as { readonly members: readonly ClusterMember[] }).members;
}

/** One after the other gets SIGTERM and comes back with an empty directory, `rounds` times around. */
export async function measureRolling(rounds: number): Promise<readonly Rolled[]> {
  const group = await LocalGroup.start({ size: 3, ...SETTINGS, env: { TENURE_SIGTERM: "handover" } });
  const watch = new GapWatch(group);
  const results: Rolled[] = [];
  try {
    await group.agreed();
    for (let run = 0; run < rounds * 3; run += 1) {
      const name = group.names[2 - (run % 3)] ?? "";
      const old = group.member(name);
      const held = (await group.agreed()) === old;
      watch.take();
      old.kill("SIGTERM");
      await old.exited;
      await group.emptyDirectory(name);
      const startedAt = performance.now();
      const pod = await group.startMember(name);
      const { incarnation } = await pod.logged(({ event }) => event === "started");
      await group.until(`${name} to vote`, async () => {
        const isIn = (await membersOf(group)).some(({ id, voter }) => id === incarnation && voter);
        return isIn ? true : null;
      });
      results.push({ gapMs: watch.take(), held, voterAfterMs: performance.now() - startedAt });
    }
    return results;
  } finally {
    await watch.stop();
    await group.stop();
  }
}

export interface Crowd {
  readonly replicas: number;
  readonly formedMs: number;
  readonly leaderMiB: number;
  readonly leaderCpu: number;
  readonly sentBytesPerSecond: number;
  readonly learnerMiB: number;
}

/** A group of that many replicas at rest, five of which vote; what its leader costs over `quietMs`. */
export async function measureCrowd(replicas: number, quietMs: number): Promise<Crowd> {
  const group = await LocalGroup.create({ size: replicas, ...SETTINGS, env: { TENURE_REPLICAS: "5" } });
  try {
    const startedAt = performance.now();
    for (const name of group.names) await group.startMember(name);
    await group.until("everyone to be a member", async () => {
      const members = await membersOf(group);
      return members.length === replicas && members.every(({ connected }) => connected) ? true : null;
    });
    const formedMs = performance.now() - startedAt;
    await delay(5_000);
    const leader = await group.holder();
    const learner = group.member(`app-${replicas - 1}`);
    const [cpuBefore, sentBefore] = [cpuMs(leader), await sentBytes(leader)];
    await delay(quietMs);
    const sent = (await sentBytes(leader)) - sentBefore;
    return {
      replicas,
      formedMs,
      leaderMiB: (await leader.residentBytes()) / MIB,
      leaderCpu: ((cpuMs(leader) - cpuBefore) / quietMs) * 100,
      sentBytesPerSecond: sent / (quietMs / 1_000),
      learnerMiB: (await learner.residentBytes()) / MIB,
    };
  } finally {
    await group.stop();
  }
}

function cpuMs({ child: { pid } }: Sidecar): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // utime and stime, in hundredths of a second (proc_pid_stat(5)).
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What the process has written anywhere, by the kernel's account: sockets above all, a little log and disk. */
async function sentBytes({ child: { pid } }: Sidecar): Promise<number> {
  return Number(/^wchar: (\d+)$/mu.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}
