/**
 * Faults of membership: a pod comes back without its data directory, and its old incarnation is dead for good.
 *
 * Invariant: one at a time, and the next only once the new incarnation is a voter: two of three incarnations lost at
 * once are a majority lost, which no group survives by itself.
 *
 * Deliberately absent: changes of the number of pods.
 */
import type { ClusterAnswer } from "../../../src/ports/application.ts";
import type { Pod } from "./pod.ts";
import type { Executors, Injection, Scene } from "./scene.ts";
import { within } from "./wait.ts";

/** It must first be seen to be dead, then the new one joins, catches up, and the old one is removed. */
const PATIENCE_MS = 30_000;
const POLL_MS = 100;

async function clusterOf(pod: Pod): Promise<ClusterAnswer | null> {
  try {
    const { text } = await pod.agent.get(pod.running.ports.api, "/cluster");
    // The lock API's contract.
    return JSON.parse(text) as ClusterAnswer;
  } catch {
    return null;
  }
}

/** As it knows itself: one of as many voters as there are pods. */
async function isVoter(pod: Pod, pods: number): Promise<boolean> {
  const voters = (await clusterOf(pod))?.members.filter(({ voter }) => voter) ?? [];
  return voters.length === pods && voters.some(({ self }) => self);
}

function incarnationOf(pod: Pod): unknown {
  return pod.running.log.findLast(({ event }) => event === "started")?.["incarnation"];
}

async function emptied({ testbed, pod }: Scene): Promise<Injection> {
  const { pods } = testbed;
  for (const one of pods) {
    if (!(await isVoter(one, pods.length))) throw new Error(`${one.name} is not a voter yet`);
  }
  const before = incarnationOf(pod);
  pod.expectsEnd = true;
  await pod.running.crash();
  await pod.options.volume.empty();
  const heal = async (): Promise<string | null> => {
    await testbed.startPod(pod);
    const joined = await within(PATIENCE_MS, () => isVoter(pod, pods.length), POLL_MS);
    if (!joined) {
      const known = JSON.stringify(await clusterOf(pod));
      testbed.broken.push(
        `${pod.name} came back with an empty directory and is no voter ${PATIENCE_MS} ms later: ${known}`,
      );
    }
    return joined && before !== incarnationOf(pod) ? "a new incarnation, a voter" : null;
  };
  return { impaired: [pod], heal };
}

export const MEMBER_FAULTS: Executors = { "directory-emptied": emptied };
