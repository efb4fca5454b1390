/**
 * Faults of the disk and of clocks' wall time.
 *
 * A sidecar whose disk fails must end with status 1 and a last line that says why; anything else is a violation.
 *
 * Invariant: system calls fail in the running process, by strace that joins it; a full file system and a lost power are
 * those of the kernel.
 *
 * Deliberately absent: faults in what is read. They belong to test/unit/storage.
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LogLine, Sidecar } from "../../support/sidecar.ts";
import type { Pod } from "./pod.ts";
import { type Executors, type Injection, provokeWrites, type Scene } from "./scene.ts";
import { within } from "./wait.ts";
import { stepWallClock } from "./clock.ts";

/** For a group that must first find a holder again, on a machine with other things to do. */
const PATIENCE_MS = 15_000;
const ATTACH_MS = 5_000;
const HOUR_S = 3_600;

interface Tracer {
  /** System calls that were tampered with so far. */
  injected(): Promise<number>;
  detach(): Promise<void>;
}

/** Joins the running process; what it does to it ends with it. */
async function trace({ testbed }: Scene, pod: Pod, injection: string): Promise<Tracer> {
  const sidecar = pod.running;
  const { pid } = sidecar.child;
  const file = join(testbed.directory, `strace-${pod.name}-${pod.starts}-${Date.now()}`);
  const options = ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", `inject=fsync,fdatasync:${injection}`];
  const child = spawn("strace", [...options, "-o", file, "-p", String(pid)], {
    stdio: "ignore",
    detached: true,
    env: { ...process.env, ...testbed.mark },
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const joined = await within(ATTACH_MS, async () => {
    // It may have met its first failure, and ended by it, before anybody saw that it was joined.
    if (!sidecar.running) return true;
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    return /^TracerPid:\s+[1-9]/mu.test(status);
  });
  const detach = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  if (!joined) {
    await detach();
    throw new Error("strace could not join");
  }
  return {
    injected: async () => [...(await readFile(file, "utf8").catch(() => "")).matchAll(/INJECTED|DELAYED/gu)].length,
    detach,
  };
}

/** What the last line of a sidecar that gave up must be. */
function saysWhy(line: LogLine | undefined, code: string, pattern: RegExp): boolean {
  return line?.event === "fatal" && line["code"] === code && pattern.test(String(line["message"]));
}

/** Waits until the sidecar has given up, as the pod expects since before the fault, and judges how it did. */
async function givesUp(scene: Scene, sidecar: Sidecar, code: string, pattern: RegExp): Promise<string | null> {
  const { testbed, pod } = scene;
  const ended = await provokeWrites(testbed, PATIENCE_MS, () => !sidecar.running);
  if (!ended) {
    pod.expectsEnd = false;
    return null;
  }
  const exit = await sidecar.exited;
  const last = sidecar.log.at(-1);
  if (exit.code === 1 && saysWhy(last, code, pattern)) return `exit status 1, ${code}`;
  testbed.broken.push(`${pod.name} did not say why it ended: ${JSON.stringify(exit)} ${JSON.stringify(last)}`);
  return null;
}

async function fsyncError(scene: Scene): Promise<Injection> {
  const { pod, testbed } = scene;
  const sidecar = pod.running;
  pod.expectsEnd = true;
  const tracer = await trace(scene, pod, "error=EIO").catch((error: unknown) => {
    pod.expectsEnd = false;
    throw error;
  });
  const said = await givesUp(scene, sidecar, "storage_sync_failed", /EIO/u);
  const calls = await tracer.injected();
  if (said === null && calls > 0) testbed.broken.push(`${pod.name} lives on after ${calls} failed syncs`);
  await tracer.detach();
  const heal = async (): Promise<string | null> => {
    if (pod.sidecar === null) await testbed.startPod(pod);
    return said === null ? null : `${calls} syncs failed, ${said}`;
  };
  return { impaired: [pod], heal };
}

async function slowSync(scene: Scene): Promise<Injection> {
  const { testbed, pod, fault } = scene;
  const delayMs = Math.round(100 + fault.detail * 900);
  const tracer = await trace(scene, pod, `delay_exit=${delayMs}ms`);
  // Every tenure writes to every disk.
  void testbed.holder?.resign();
  const heal = async (): Promise<string | null> => {
    const calls = await tracer.injected();
    await tracer.detach();
    return calls === 0 ? null : `${calls} syncs took ${delayMs} ms longer`;
  };
  return { impaired: [pod], heal };
}

async function diskFull(scene: Scene): Promise<Injection> {
  const { pod, testbed } = scene;
  const { volume } = pod.options;
  if (!volume.isLoop) throw new Error("it has no file system of its own");
  const sidecar = pod.running;
  pod.expectsEnd = true;
  volume.fill();
  let said: string | null = null;
  try {
    said = await givesUp(scene, sidecar, "storage_unreadable", /ENOSPC/u);
  } finally {
    volume.unfill();
  }
  const heal = async (): Promise<string | null> => {
    if (pod.sidecar === null) await testbed.startPod(pod);
    return said;
  };
  return { impaired: [pod], heal };
}

async function losePower(scene: Scene, pods: readonly Pod[]): Promise<Injection> {
  const { testbed } = scene;
  const struck = pods.filter(({ options }) => options.volume.isLoop);
  if (struck.length === 0) throw new Error("nobody has a file system of its own");
  for (const pod of struck) pod.expectsEnd = true;
  await Promise.all(
    struck.map(async ({ options, sidecar }) => {
      await options.volume.powerOff();
      await sidecar?.crash();
    }),
  );
  const heal = async (): Promise<string | null> => {
    const lost = await Promise.all(struck.map(({ options }) => options.volume.powerOn()));
    await Promise.all(struck.map((pod) => testbed.startPod(pod)));
    const count = lost.filter(Boolean).length;
    return count < struck.length ? null : `what ${count} had not synced is gone`;
  };
  return { targets: struck, impaired: struck, heal };
}

/** By more than the validity of a lease, a session, or anything else that somebody might measure by the wall clock. */
async function stepWall(scene: Scene): Promise<Injection> {
  const { testbed } = scene;
  const pod = testbed.pods.find(({ options }) => options.clock.kind === "stepped");
  if (pod?.options.clock.kind !== "stepped") throw new Error("no pod has a clock to step");
  const { file } = pod.options.clock;
  const seconds = scene.fault.detail < 0.5 ? HOUR_S : -HOUR_S;
  const aheadS = async (): Promise<number> => {
    const { date } = await pod.agent.get(pod.running.ports.ops, "/healthz");
    return date === null ? 0 : (Date.parse(date) - Date.now()) / 1_000;
  };
  stepWallClock(file, seconds);
  const seen = await within(PATIENCE_MS, async () => Math.abs((await aheadS().catch(() => 0)) - seconds) < 10);
  const heal = (): Promise<string | null> => {
    stepWallClock(file, 0);
    return Promise.resolve(seen ? `its wall clock was ${seconds} s off` : null);
  };
  return { targets: [pod], heal };
}

export const DISK_FAULTS: Executors = {
  "fsync-error": fsyncError,
  "slow-sync": slowSync,
  "disk-full": diskFull,
  "power-loss": (scene) => losePower(scene, [scene.pod]),
  "power-loss-all": (scene) => losePower(scene, scene.all),
  "wall-step": stepWall,
};
