/**
 * Faults of what a pod needs to find and trust the others: certificates and DNS.
 *
 * Neither is looked at while a connection stands, so the connections of the pod are broken once the fault is in place.
 *
 * Invariant: the proof is what the pod itself shows or asks: its certificate at its port, queries that were answered
 * wrong.
 *
 * Deliberately absent: attacks by strangers; see test/process/bad-peers.test.ts.
 */
import { TLS_RELOAD_INTERVAL_MS } from "../../../src/base/limits.ts";
import type { DnsMode, DnsPeer } from "../../support/dns-server.ts";
import type { Quality } from "./certificates.ts";
import type { Pod } from "./pod.ts";
import { type Executors, type Injection, type Scene } from "./scene.ts";
import { within } from "./wait.ts";

/** The sidecar looks at its files this often; the rest is for a machine with other things to do. */
const RELOAD_PATIENCE_MS = TLS_RELOAD_INTERVAL_MS + 5_000;
const BREAK_MS = 150;
/** The longest wait before a peer is dialled again is 1 s. */
const EFFECT_PATIENCE_MS = 3_000;
const SLOW_POLL_MS = 200;
const FAULTS_LINE = 'tenure_faults_total{code="peer_certificate"}';

/** Whether the pod shows this certificate at its port. Does not come true while it is cut off or down. */
async function shows(pod: Pod, fingerprint: string): Promise<boolean> {
  return within(RELOAD_PATIENCE_MS, async () => {
    const { peerAddress } = pod;
    if (peerAddress === null) return false;
    const shown = await pod.agent.certificate(peerAddress.host, peerAddress.port).catch(() => "");
    return shown === fingerprint;
  });
}

/** Handshakes refused for their certificate since then; a process that has started meanwhile counts from nothing. */
type Refusals = ReadonlyMap<Pod, { readonly starts: number; readonly count: number }>;

async function refusals({ testbed }: Scene): Promise<Refusals> {
  const counted = testbed.pods.map(async (pod) => {
    const count = (await pod.metric(FAULTS_LINE).catch(() => 0)) ?? 0;
    return [pod, { starts: pod.starts, count }] as const;
  });
  return new Map(await Promise.all(counted));
}

function refusedSince(before: Refusals, now: Refusals): number {
  return [...now].reduce((sum, [pod, { starts, count }]) => {
    const then = before.get(pod);
    return sum + count - (then?.starts === starts ? then.count : 0);
  }, 0);
}

async function rotate({ testbed, pod }: Scene): Promise<Injection> {
  const fingerprint = await testbed.certificates.give(pod.name, "good");
  const shown = await shows(pod, fingerprint);
  return { heal: () => Promise.resolve(shown ? "the new certificate is shown" : null) };
}

async function spoil(scene: Scene, quality: Quality): Promise<Injection> {
  const { testbed, pod } = scene;
  const before = await refusals(scene);
  const shown = await shows(pod, await testbed.certificates.give(pod.name, quality));
  await testbed.breakConnections(pod, BREAK_MS);
  const refusedNow = async (): Promise<number> => refusedSince(before, await refusals(scene));
  await within(EFFECT_PATIENCE_MS, async () => (await refusedNow()) > 0, SLOW_POLL_MS);
  const heal = async (): Promise<string | null> => {
    const refused = await refusedNow();
    await shows(pod, await testbed.certificates.give(pod.name, "good"));
    return shown && refused > 0 ? `${refused} handshakes refused` : null;
  };
  return { impaired: [pod], heal };
}

const MODES: readonly DnsMode[] = ["empty", "silent", "servfail", "garbage", "poisoned"];

/** Records of yesterday: each name leads to the next one's place. */
function stale(peers: readonly DnsPeer[]): readonly DnsPeer[] {
  return peers.map((peer, position) => {
    const next = peers[(position + 1) % peers.length] ?? peer;
    return { name: peer.name, host: next.host, port: next.port };
  });
}

async function misleadDns(scene: Scene): Promise<Injection> {
  const { testbed, pod, fault } = scene;
  const choice = Math.floor(fault.detail * (MODES.length + 1));
  const mode = MODES[choice];
  if (mode === undefined) await testbed.publishTo(pod, stale);
  else await pod.agent.order({ do: "dns", mode });
  const before = (await pod.agent.counts()).dnsQueries;
  await testbed.breakConnections(pod, BREAK_MS);
  const queriesNow = async (): Promise<number> => (await pod.agent.counts()).dnsQueries - before;
  await within(EFFECT_PATIENCE_MS, async () => (await queriesNow()) > 0, SLOW_POLL_MS);
  const heal = async (): Promise<string | null> => {
    const queries = await queriesNow();
    await pod.agent.order({ do: "dns", mode: "normal" });
    await testbed.publishTo(pod);
    return queries === 0 ? null : `${queries} queries answered in mode ${mode ?? "stale"}`;
  };
  return { impaired: [pod], heal };
}

export const PEER_FAULTS: Executors = {
  "certificate-rotated": rotate,
  "certificate-expired": (scene) => spoil(scene, "expired"),
  "certificate-foreign": (scene) => spoil(scene, "foreign"),
  dns: misleadDns,
};
