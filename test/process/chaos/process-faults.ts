/**
 * Faults of processes: killed, stopped, starved, ended in order.
 *
 * Invariant: who was stopped goes on, who was ended is started again, on the same directory.
 *
 * Deliberately absent: faults of what a process uses.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Pod } from "./pod.ts";
import type { Executors, Injection, Scene } from "./scene.ts";
import { Throttle } from "./throttle.ts";

async function killed(pods: readonly Pod[]): Promise<string | null> {
  for (const pod of pods) pod.expectsEnd = true;
  const exits = await Promise.all(
    pods.map(async ({ sidecar }) => {
      await sidecar?.crash();
      return sidecar === null ? null : (await sidecar.exited).signal;
    }),
  );
  const gone = exits.filter((signal) => signal === "SIGKILL").length;
  return gone === 0 ? null : `${gone} ended by SIGKILL`;
}

async function startAll({ testbed }: Scene, pods: readonly Pod[]): Promise<void> {
  await Promise.all(pods.filter(({ sidecar }) => sidecar === null).map((pod) => testbed.startPod(pod)));
}

async function kill(scene: Scene): Promise<Injection> {
  const { pod } = scene;
  const proof = await killed([pod]);
  const heal = async (): Promise<string | null> => {
    await startAll(scene, [pod]);
    return proof;
  };
  return { impaired: [pod], heal };
}

async function killPod(scene: Scene): Promise<Injection> {
  const { pod } = scene;
  const [proof] = await Promise.all([killed([pod]), pod.witness?.crash()]);
  const heal = async (): Promise<string | null> => {
    await startAll(scene, [pod]);
    pod.startWitness();
    return proof;
  };
  return { impaired: [pod], heal };
}

async function killAll(scene: Scene): Promise<Injection> {
  const { all } = scene;
  const proof = await killed(all);
  const heal = async (): Promise<string | null> => {
    await startAll(scene, all);
    return proof;
  };
  return { targets: all, impaired: all, heal };
}

async function killApplication({ pod }: Scene): Promise<Injection> {
  const { witness } = pod;
  if (witness === null) throw new Error("its application does not run");
  await witness.crash();
  const signal = await witness.ended;
  const heal = (): Promise<string | null> => {
    pod.startWitness();
    return Promise.resolve(signal === null ? null : `ended by ${signal}`);
  };
  return { blind: true, heal };
}

async function pause({ pod }: Scene): Promise<Injection> {
  const sidecar = pod.running;
  await sidecar.pause();
  const heal = (): Promise<string | null> => {
    sidecar.resume();
    return Promise.resolve("state T");
  };
  return { impaired: [pod], heal };
}

async function pauseApplication({ pod }: Scene): Promise<Injection> {
  const { witness } = pod;
  if (witness === null) throw new Error("its application does not run");
  witness.kill("SIGSTOP");
  const heal = (): Promise<string | null> => {
    witness.kill("SIGCONT");
    return Promise.resolve("SIGSTOP taken");
  };
  return Promise.resolve({ blind: true, heal });
}

async function pausePod(scene: Scene): Promise<Injection> {
  const [sidecar, application] = await Promise.all([pause(scene), pauseApplication(scene)]);
  const heal = async (): Promise<string | null> => {
    // The application first: it is the one that may act on what it heard before.
    await application.heal();
    return sidecar.heal();
  };
  return { impaired: [scene.pod], heal };
}

/** For a moment without work there is nothing to wait for, so what counts is that it had to wait at least once. */
function starve({ testbed, pod, fault }: Scene): Promise<Injection> {
  const { pid } = pod.running.child;
  const throttle = new Throttle(`${testbed.runName}-${pod.name}`, MIN_SHARE + SHARE_SPREAD * fault.detail);
  const before = throttle.waits;
  throttle.starve(pid ?? 0);
  const heal = (): Promise<string | null> => {
    const waits = throttle.waits - before;
    throttle.feed(pid ?? 0);
    throttle.remove();
    return Promise.resolve(waits === 0 ? null : `${waits} waits for the CPU`);
  };
  return Promise.resolve({ impaired: [pod], heal });
}

/** A second SIGTERM is never sent: a sidecar that does not end by itself is a finding. */
async function terminate(scene: Scene): Promise<Injection> {
  const { pod, testbed } = scene;
  const sidecar = pod.running;
  pod.expectsEnd = true;
  sidecar.kill("SIGTERM");
  const patience = new AbortController();
  const ended = await Promise.race([
    sidecar.exited,
    delay(MAX_DRAIN_MS, null, { signal: patience.signal, ref: false }).catch(() => null),
  ]);
  patience.abort();
  if (ended === null) testbed.broken.push(`${pod.name} has not ended ${MAX_DRAIN_MS} ms after SIGTERM`);
  else if (ended.code !== 0) testbed.broken.push(`${pod.name} ended by ${JSON.stringify(ended)} after SIGTERM`);
  if (ended === null) await sidecar.crash();
  const heal = async (): Promise<string | null> => {
    await startAll(scene, [pod]);
    return ended?.code === 0 ? "exit status 0" : null;
  };
  return { impaired: [pod], heal };
}

async function resign({ testbed }: Scene): Promise<Injection> {
  const { holder } = testbed;
  if (holder === null) throw new Error("nobody holds");
  const status = await holder.resign();
  return {
    targets: [holder],
    heal: () => Promise.resolve(status === 200 ? "status 200" : null),
  };
}

/** The drain timeout of the pods, the grace of their HTTP ports, and a machine with other things to do. */
const MAX_DRAIN_MS = 15_000;

/** Of one core: an idle sidecar that is asked 80 times a second takes about 0.04. */
const MIN_SHARE = 0.01;
const SHARE_SPREAD = 0.015;

export const PROCESS_FAULTS: Executors = {
  kill,
  "kill-pod": killPod,
  "kill-all": killAll,
  "kill-application": killApplication,
  pause,
  "pause-application": pauseApplication,
  "pause-pod": pausePod,
  starve,
  terminate,
  resign,
};
