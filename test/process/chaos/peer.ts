/**
 * `--peer etcd`: the same kills and pauses of whole pods for tenure and for etcd's own client, one after the other in
 * one run, with what each one's applications could believe.
 *
 * Two programs of Debian's etcd are measured: `etcdctl elect`, whose session lasts 60 s and cannot be told otherwise,
 * and `etcdctl lock --ttl`, which has the same session underneath and takes its length.
 *
 * Invariant: the same schedule, namespaces and machine for each; a pause stops a pod's application as well, so what it
 * believed meanwhile does not count.
 *
 * Deliberately absent: a verdict on etcd. It promises no exclusion in real time, and says so.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { percentile } from "../../../bench/statistics.ts";
import { machineMs } from "../../../demo/machine-clock.ts";
import type { CampaignRequest } from "./arguments.ts";
import { runCampaign } from "./campaign.ts";
import { EtcdPod } from "./etcd-pod.ts";
import type { FaultKind } from "./kinds.ts";
import type { Network } from "./network.ts";
import { within } from "./wait.ts";
import { type PlannedFault, roundsOf } from "./schedule.ts";
import { run, tryRun } from "./shell.ts";
import { openWorkshop } from "./room.ts";

/** Of whole pods, because etcd's client is the application's own. */
const KINDS: readonly FaultKind[] = ["kill-pod", "pause-pod"];
/** The shortest that etcd grants with an election timeout of 1 s. */
const LEASE_MS = 2_000;
const HEARTBEAT_MS = 100;
const ELECTION_MS = 1_000;
/** Beyond the 60 s of `elect`. */
const PATIENCE_MS = 120_000;
const MS_PER_MINUTE = 60_000;

interface Measured {
  readonly what: string;
  readonly faults: number;
  readonly tookMs: readonly number[];
  /** Times at which two pods believed, each with its length. */
  readonly overlapsMs: readonly number[];
}

export function peerTrouble(): string | null {
  return tryRun(["etcd", "--version"]) && tryRun(["etcdctl", "version"]) ? null : "needs etcd-server and etcd-client";
}

/** Resolves to whether tenure passed. `minutes` are shared among the three. */
export async function runPeers(
  request: CampaignRequest,
  bundle: string,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<boolean> {
  const shared: CampaignRequest = { ...request, kinds: KINDS, leaseMs: LEASE_MS, minutes: request.minutes / 3 };
  say(`== tenure, D = ${LEASE_MS} ms`);
  const { passed, verdict } = await runCampaign(shared, bundle, signal, say);
  const rows: Measured[] = [
    {
      what: `tenure, D = ${LEASE_MS / 1_000} s`,
      faults: verdict.faults.length,
      tookMs: verdict.failovers.map(({ tookMs }) => tookMs),
      overlapsMs: overlapsOf(verdict.claims.map(({ fromMs, untilMs }) => ({ fromMs, toMs: untilMs }))),
    },
  ];
  const campaigns = [
    ["etcdctl lock --ttl=2", ["lock", `--ttl=${LEASE_MS / 1_000}`, "chaos"]],
    ["etcdctl elect (60 s)", ["elect", "chaos", "x"]],
  ] as const;
  for (const [what, campaign] of campaigns) {
    if (signal.aborted) break;
    say(`== ${what}`);
    rows.push(await measureEtcd(what, campaign, shared, signal));
  }
  say(`\n${renderPeers(rows)}`);
  return passed;
}

async function measureEtcd(
  what: string,
  campaign: readonly string[],
  request: CampaignRequest,
  signal: AbortSignal,
): Promise<Measured> {
  const names = Array.from({ length: request.nodes }, (_, ordinal) => `app-${ordinal}`);
  const workshop = await openWorkshop(names);
  try {
    await mkdir(join(workshop.directory, "etcd"));
    // In memory, as the volumes of tenure's pods are.
    await run(["mount", "-t", "tmpfs", "none", join(workshop.directory, "etcd")]);
    const pods = podsOf(workshop.network, workshop.directory, workshop.mark, campaign);
    for (const pod of pods) pod.start();
    await within(PATIENCE_MS, () => signal.aborted || pods.some(({ believes }) => believes));
    const tookMs: number[] = [];
    let faults = 0;
    const endMs = machineMs() + request.minutes * MS_PER_MINUTE;
    for (const round of roundsOf(request)) {
      const strikes = round.faults.map((fault) => strike(pods, fault, tookMs));
      faults += (await Promise.all(strikes)).filter(Boolean).length;
      await within(PATIENCE_MS, () => signal.aborted || pods.some(({ believes }) => believes));
      if (machineMs() >= endMs || signal.aborted) break;
    }
    const overlapsMs = overlapsOf(pods.flatMap(({ allBeliefs }) => allBeliefs));
    await Promise.all(pods.map((pod) => pod.kill()));
    return { what, faults, tookMs, overlapsMs };
  } finally {
    await workshop.close();
  }
}

function podsOf(
  network: Network,
  directory: string,
  mark: Readonly<Record<string, string>>,
  campaign: readonly string[],
): readonly EtcdPod[] {
  const data = join(directory, "etcd");
  return network.hosts.map(
    (host) =>
      new EtcdPod({
        host,
        all: network.hosts,
        directory: data,
        mark,
        campaign,
        heartbeatMs: HEARTBEAT_MS,
        electionMs: ELECTION_MS,
      }),
  );
}

/** Resolves to whether it found somebody to strike. A failover is timed in the background of the round. */
async function strike(pods: readonly EtcdPod[], fault: PlannedFault, tookMs: number[]): Promise<boolean> {
  await delay(fault.atMs);
  const holder = pods.find(({ believes }) => believes);
  const others = pods.filter((pod) => pod !== holder);
  const aimed = fault.aim === "holder" ? holder : others[fault.aim % Math.max(1, others.length)];
  const pod = aimed?.running === true ? aimed : pods.find(({ running }) => running);
  if (pod === undefined) return false;
  const atMs = machineMs();
  if (fault.kind === "kill-pod") await pod.kill();
  else pod.pause();
  const timed = pod === holder ? timeFailover(pods, pod, atMs, fault.forMs, tookMs) : Promise.resolve();
  await delay(fault.forMs);
  if (fault.kind === "kill-pod") pod.start();
  else pod.resume();
  await timed;
  return true;
}

/** Until another believes; a pause that is over before that was none. */
async function timeFailover(
  pods: readonly EtcdPod[],
  struck: EtcdPod,
  atMs: number,
  forMs: number,
  tookMs: number[],
): Promise<void> {
  const next = (): EtcdPod | undefined =>
    pods.find((pod) => pod.believes && (pod !== struck || machineMs() > atMs + forMs));
  await within(PATIENCE_MS, () => next() !== undefined);
  if (next() !== undefined && next() !== struck) tookMs.push(machineMs() - atMs);
}

/** Where two spans of different pods are on at once. Spans of one pod never overlap. */
function overlapsOf(spans: readonly { readonly fromMs: number; readonly toMs: number }[]): readonly number[] {
  const overlaps: number[] = [];
  let reachingMs = Number.NEGATIVE_INFINITY;
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (fromMs < reachingMs) overlaps.push(Math.min(toMs, reachingMs) - fromMs);
    reachingMs = Math.max(reachingMs, toMs);
  }
  return overlaps;
}

function renderPeers(rows: readonly Measured[]): string {
  const head = ["", "faults", "failovers", "p50 ms", "p99 ms", "max ms", "overlaps", "longest ms"];
  const cells = rows.map(({ what, faults, tookMs, overlapsMs }) => {
    const took = tookMs.length === 0 ? ["", "", ""] : [0.5, 0.99, 1].map((part) => percentile(tookMs, part).toFixed(0));
    const longest = overlapsMs.length === 0 ? "" : Math.max(...overlapsMs).toFixed(0);
    return [what, String(faults), String(tookMs.length), ...took, String(overlapsMs.length), longest];
  });
  const widths = head.map((text, column) => Math.max(text.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...cells.map(line)].join("\n");
}
