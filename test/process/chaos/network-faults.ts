/**
 * Faults of the network: cuts of every shape, loss, flapping links, resets, delays.
 *
 * Invariant: the proof of a cut is the number of packets that its rules have met.
 *
 * Deliberately absent: any change of DNS but the one that leads links through proxies.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Host, Network } from "./network.ts";
import type { Pod } from "./pod.ts";
import type { Executors, Injection, Scene } from "./scene.ts";

const FLAP_MS = 120;
const LOSS_PERCENT = 30;
/** Long enough for a heartbeat in each direction. */
const RESET_MS = 150;

function networkOf({ testbed }: Scene): Network {
  if (testbed.network === null) throw new Error("there are no namespaces");
  return testbed.network;
}

const hostOf = (pod: Pod): Host => pod.options.host;

/** One of the others, by the fault's own dice. */
function partner({ testbed, pod, fault }: Scene): Pod {
  const others = testbed.othersThan(pod);
  const other = others[Math.floor(fault.detail * others.length)];
  if (other === undefined) throw new Error("there is no other pod");
  return other;
}

async function cutBy(scene: Scene, matches: readonly string[], impaired: readonly Pod[]): Promise<Injection> {
  const rules = await networkOf(scene).cut(matches);
  const heal = async (): Promise<string | null> => {
    const packets = await rules.heal();
    return packets === 0 ? null : `${packets} packets met the rules`;
  };
  return { impaired, heal };
}

function cut(scene: Scene): Promise<Injection> {
  const network = networkOf(scene);
  const host = hostOf(scene.pod);
  return cutBy(scene, [network.from(host), network.to(host)], [scene.pod]);
}

/** ARP passes: a host that cannot even be resolved is cut off in both directions. */
function oneWay(scene: Scene): Promise<Injection> {
  const network = networkOf(scene);
  const host = hostOf(scene.pod);
  const direction = scene.fault.detail < 0.5 ? network.from(host) : network.to(host);
  return cutBy(scene, [`${direction} ether type ip`], [scene.pod]);
}

async function partial(scene: Scene): Promise<Injection> {
  const network = networkOf(scene);
  const other = partner(scene);
  const [a, b] = [hostOf(scene.pod), hostOf(other)];
  const matches = [`${network.from(a)} ${network.to(b)}`, `${network.from(b)} ${network.to(a)}`];
  const injection = await cutBy(scene, matches, [other]);
  return { ...injection, targets: [scene.pod, other] };
}

async function splitAll(scene: Scene): Promise<Injection> {
  const network = networkOf(scene);
  const injection = await cutBy(
    scene,
    scene.testbed.pods.map((pod) => network.from(hostOf(pod))),
    scene.testbed.pods,
  );
  return { ...injection, targets: scene.testbed.pods };
}

function loss(scene: Scene): Promise<Injection> {
  const network = networkOf(scene);
  const host = hostOf(scene.pod);
  const dice = `numgen random mod 100 < ${LOSS_PERCENT}`;
  return cutBy(scene, [`${network.from(host)} ${dice}`, `${network.to(host)} ${dice}`], [scene.pod]);
}

async function flap(scene: Scene): Promise<Injection> {
  const network = networkOf(scene);
  const host = hostOf(scene.pod);
  const over = new AbortController();
  let falls = 0;
  const flapping = (async (): Promise<void> => {
    for (let up = false; !over.signal.aborted; up = !up) {
      await network.setLink(host, up);
      if (!up && !(await network.isLinkUp(host))) falls += 1;
      await delay(FLAP_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  const heal = async (): Promise<string | null> => {
    over.abort();
    await flapping;
    await network.setLink(host, true);
    return falls === 0 ? null : `the link fell ${falls} times`;
  };
  return Promise.resolve({ impaired: [scene.pod], heal });
}

async function reset(scene: Scene): Promise<Injection> {
  const cutter = await networkOf(scene).reset(hostOf(scene.pod));
  const heal = async (): Promise<string | null> => {
    const packets = await cutter.heal();
    return packets === 0 ? null : `${packets} packets answered by a reset`;
  };
  return { impaired: [scene.pod], heal };
}

async function delayAll(scene: Scene): Promise<Injection> {
  const { testbed, pod, fault } = scene;
  const agents = testbed.pods.map(({ agent }) => agent);
  // Half of the time the delays spread over all of it, so that messages overtake each other; else they are much alike.
  const maxMs = 2 * testbed.options.leaseMs * Math.max(0.05, fault.detail);
  const minMs = fault.detail * 1_000 - Math.floor(fault.detail * 1_000) < 0.5 ? 0 : maxMs * 0.8;
  const countAll = async (): Promise<number> => {
    const counts = await Promise.all(agents.map((agent) => agent.counts()));
    return counts.reduce((sum, { delayedChunks }) => sum + delayedChunks, 0);
  };
  const before = await countAll();
  const set = async (order: { readonly minMs: number; readonly maxMs: number }): Promise<void> => {
    const affected = testbed.everythingIsProxied ? [pod.agent] : agents;
    await Promise.all(affected.map((agent) => agent.order({ do: "delay", ...order })));
  };
  await set({ minMs, maxMs });
  await testbed.proxy(pod, true);
  if (!testbed.everythingIsProxied) await testbed.breakConnections(pod, RESET_MS);
  const heal = async (): Promise<string | null> => {
    const chunks = (await countAll()) - before;
    await testbed.proxy(pod, false);
    await set({ minMs: 0, maxMs: 0 });
    if (!testbed.everythingIsProxied) await Promise.all(agents.map((agent) => agent.order({ do: "drop" })));
    return chunks === 0 ? null : `${chunks} chunks delayed by up to ${Math.round(maxMs)} ms`;
  };
  return { impaired: [pod], heal };
}

export const NETWORK_FAULTS: Executors = {
  cut,
  "one-way": oneWay,
  partial,
  "split-all": splitAll,
  loss,
  flap,
  reset,
  delay: delayAll,
};
