/**
 * What one idle sidecar costs beside a bare node:http process of the same Node: resident memory, CPU, and the start.
 *
 * Invariant: both are measured in the same run by the kernel's own accounting (/proc), the sidecar as a member of a
 * real group of three at H = 100 ms, nobody asking anything.
 *
 * Deliberately absent: other systems than Linux.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalGroup } from "../test/support/local-group.ts";
import type { Sidecar } from "../test/support/sidecar.ts";

const KIB_PER_MIB = 1_024;
/** The kernel counts CPU time in hundredths of a second. */
const TICK_MS = 10;
const SETTLE_MS = 5_000;
const BARE = "require('http').createServer((q, r) => r.end('x')).listen(0, () => console.log('up'))";

export interface Footprint {
  /** MiB of the sidecars above the bare process: of the one that holds, and the larger of those that follow. */
  readonly holderMiB: number;
  readonly followerMiB: number;
  readonly bareMiB: number;
  /** Percent of one core. */
  readonly holderCpu: number;
  readonly followerCpu: number;
  readonly bareCpu: number;
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the process did not start");
  return child.pid;
}

function residentMiB(pid: number): number {
  const found = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? Number.NaN) / KIB_PER_MIB;
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function startBare(): Promise<{ readonly child: ChildProcess; readonly startMs: number }> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ["-e", BARE], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout !== null) await once(child.stdout, "data");
  return { child, startMs: performance.now() - startedAt };
}

/** Leaves the group alone for `quietMs` and looks at what it costs. */
export async function measureFootprint(group: LocalGroup, quietMs: number): Promise<Footprint> {
  const holder = await group.holder();
  const { child } = await startBare();
  try {
    await delay(SETTLE_MS);
    const pids = [holder, ...group.members.filter((member) => member !== holder)].map(({ child: { pid } }) => pid ?? 0);
    const all = [...pids, pidOf(child)];
    const before = all.map(cpuMs);
    await delay(quietMs);
    const cpu = all.map((pid, position) => ((cpuMs(pid) - (before[position] ?? 0)) / quietMs) * 100);
    const memory = all.map(residentMiB);
    const bareMiB = memory.at(-1) ?? Number.NaN;
    return {
      holderMiB: (memory[0] ?? Number.NaN) - bareMiB,
      followerMiB: Math.max(...memory.slice(1, -1)) - bareMiB,
      bareMiB,
      holderCpu: cpu[0] ?? Number.NaN,
      followerCpu: Math.max(...cpu.slice(1, -1)),
      bareCpu: cpu.at(-1) ?? Number.NaN,
    };
  } finally {
    child.kill();
  }
}

/** Start of the process to listening, in ms: a sidecar with its data directory, and the bare server, in turn. */
export async function measureStarts(
  group: LocalGroup,
  runs: number,
): Promise<{ readonly sidecar: readonly number[]; readonly bare: readonly number[] }> {
  const sidecar: number[] = [];
  const bare: number[] = [];
  const [name = ""] = group.names;
  for (let run = 0; run < runs; run += 1) {
    const member: Sidecar = group.member(name);
    await member.stop();
    const startedAt = performance.now();
    await group.startMember(name);
    sidecar.push(performance.now() - startedAt);
    const { child, startMs } = await startBare();
    bare.push(startMs);
    child.kill();
  }
  return { sidecar, bare };
}
