/**
 * `npm run bench`: what a failover, a handover, a poll and an idle sidecar cost, on this machine, in this run.
 *
 * Invariant: real processes of the shipped bundle with real fsync; D = 1 s, H = 100 ms. Figures that depend on the
 * machine stand beside a peer that ran at the same time.
 *
 * Deliberately absent: pass and fail. Goals are printed; machines differ.
 */
import { parseArgs } from "node:util";
import { measureFootprint, measureStarts } from "./footprint.ts";
import { measureLeaderThroughput, measureServers } from "./leader-throughput.ts";
import { type Crowd, measureCrowd, measureRolling } from "./members.ts";
import { median, percentile, renderTable, type Row, rowOf } from "./statistics.ts";
import { measureFailovers, measureHandovers, withGroup } from "./successor.ts";
import { measureSyncs } from "./sync.ts";

const HELP = `npm run bench -- [--quick] [--only NAME]

Measures failover, handover, GET /leader and the footprint of a group of three real sidecars, a rolling restart of it,
and a group of fifty.

  --quick       fewer runs, about a minute
  --only NAME   one of: successor, leader, footprint, members
  --help        this text
`;

const { values } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" }, help: { type: "boolean" } },
});
const quick = values.quick === true;
const wants = (name: string): boolean => values.only === undefined || values.only === name;

function say(text: string): void {
  console.log(`[${(performance.now() / 1_000).toFixed(0).padStart(4)} s] ${text}`);
}

function single(what: string, p50: string, goal: string, runs = 1): Row {
  return { what, runs, p50, p99: "", max: "", goal };
}

async function successors(secure: boolean): Promise<readonly Row[]> {
  const transport = secure ? "mutual TLS" : "plain TCP";
  return withGroup(secure, async (group) => {
    say(`handovers, ${transport} …`);
    const handovers = await measureHandovers(group, quick ? 20 : 200);
    say(`failovers, ${transport}: kill -9 of the holder, about 3 s each …`);
    const failovers = await measureFailovers(group, quick ? 8 : 60);
    const over = failovers.map((failover) => failover.overLeaseMs);
    return [
      rowOf(`handover, ${transport}`, handovers, "ms", "p50 5, p99 20 ms"),
      rowOf(`failover less lease left, ${transport}`, over, "ms", "p50 5, p99 20 ms"),
      rowOf(
        `failover, kill to first 200, ${transport}`,
        failovers.map((failover) => failover.totalMs),
        "ms",
        "D",
      ),
    ];
  });
}

async function leader(): Promise<readonly Row[]> {
  const rounds = quick ? 5 : 15;
  say("GET /leader on keep-alive against a bare node:http server, in turns …");
  const alone = await measureLeaderThroughput(rounds);
  const real = await withGroup(false, async (group) => measureServers((await group.holder()).ports.api, rounds));
  const show = (value: { readonly ratio: number; readonly tenure: number; readonly bare: number }): string =>
    `${value.ratio.toFixed(2)} x (${value.tenure.toFixed(0)} to ${value.bare.toFixed(0)}/s)`;
  return [
    single("GET /leader of a holder, beside bare node:http", show(real), "0.8 x", rounds),
    single("the same without a node behind it", show(alone), "", rounds),
  ];
}

async function footprint(): Promise<readonly Row[]> {
  return withGroup(false, async (group) => {
    say("an idle group, left alone …");
    const cost = await measureFootprint(group, quick ? 10_000 : 60_000);
    say("starts …");
    const starts = await measureStarts(group, quick ? 5 : 20);
    const memory = (extra: number): string => `+${extra.toFixed(1)} MiB on ${cost.bareMiB.toFixed(1)}`;
    return [
      single("resident memory of the holder over bare node:http", memory(cost.holderMiB), "+15 MiB"),
      single("resident memory of a follower", memory(cost.followerMiB), "+15 MiB"),
      single("CPU of the holder, of one core", `${cost.holderCpu.toFixed(2)} %`, "1 %"),
      single("CPU of a follower", `${cost.followerCpu.toFixed(2)} %`, "1 %"),
      rowOf("start to listening", starts.sidecar, "ms", "400 ms"),
      rowOf("start to listening of bare node:http", starts.bare, "ms", ""),
    ];
  });
}

async function members(): Promise<readonly Row[]> {
  say("a rolling restart without volumes, pod by pod …");
  const rolled = await measureRolling(quick ? 2 : 10);
  const gapsOf = (held: boolean): readonly number[] =>
    rolled.filter((each) => each.held === held).map((each) => each.gapMs);
  const votes = rolled.map(({ voterAfterMs }) => voterAfterMs);
  const replicas = quick ? 10 : 50;
  say(`a group of ${replicas} replicas …`);
  const crowd = await measureCrowd(replicas, quick ? 10_000 : 60_000);
  return [
    rowOf("longest time without a 200, a holder is replaced", gapsOf(true), "ms", "50 ms"),
    rowOf("longest time without a 200, a follower is replaced", gapsOf(false), "ms", ""),
    rowOf("a reborn pod's start to its vote", votes, "ms", "1 s"),
    single(`${replicas} replicas: the leader's memory and CPU`, crowdCost(crowd), ""),
    single(`${replicas} replicas: the leader writes`, `${(crowd.sentBytesPerSecond / 1_024).toFixed(0)} KiB/s`, ""),
    single(`${replicas} replicas: a standby's memory`, `${crowd.learnerMiB.toFixed(1)} MiB`, ""),
  ];
}

function crowdCost({ leaderMiB, leaderCpu }: Crowd): string {
  return `${leaderMiB.toFixed(1)} MiB, ${leaderCpu.toFixed(1)} %`;
}

async function main(): Promise<void> {
  if (values.help === true) return console.log(HELP);
  const syncs = await measureSyncs(200);
  say(
    `one append and fdatasync here: p50 ${median(syncs).toFixed(2)} ms, p99 ${percentile(syncs, 0.99).toFixed(2)} ms`,
  );
  const rows: Row[] = [rowOf("append and fdatasync of 200 bytes", syncs, "ms", "")];
  if (wants("successor")) rows.push(...(await successors(false)), ...(await successors(true)));
  if (wants("leader")) rows.push(...(await leader()));
  if (wants("footprint")) rows.push(...(await footprint()));
  if (wants("members")) rows.push(...(await members()));
  console.log(`\n${renderTable(rows)}\n\nD = 1 s, H = 100 ms, Node ${process.version}, ${process.platform}`);
}

await main();
