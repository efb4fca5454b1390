/**
 * `npm run simulate -- --seed 7`, `--seeds 1000 [--first 1]`, `--minutes 10`, each with `--nodes 3|5`, `--profile …`,
 * `--shrink`, `--until-failure`, `--twice`; and `--seed 7 --swarm '{…}'` for a world that `--shrink` has found.
 *
 * Invariant: the exit status is 1 if any seed broke a promise; each of the first few is named, with the commit, the
 * command that replays it and its last events.
 *
 * Deliberately absent: parallel runs. Start it twice with other first seeds.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { runCampaign, type Sum } from "./campaign.ts";
import { outsideMicrotasks } from "./microtasks.ts";
import { type Alter, isProfileName, PROFILES, withNodes } from "./profiles.ts";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulate.ts";
import type { Swarm } from "./swarm.ts";

const SHOWN_FAILURES = 3;
/** How many seeds each smaller world is tried with. */
const SHRINKING_SEEDS = 25;
const REPORT_EVERY_MS = 10_000;
const MS_PER_YEAR = 365.25 * 86_400_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    first: { type: "string", default: "1" },
    minutes: { type: "string" },
    nodes: { type: "string" },
    profile: { type: "string", default: "swarm" },
    swarm: { type: "string" },
    shrink: { type: "boolean", default: false },
    "until-failure": { type: "boolean", default: false },
    /** Each seed a second time, to see that its trace is the same. */
    twice: { type: "boolean", default: false },
  },
});

function numberOf(name: "seed" | "seeds" | "first" | "minutes" | "nodes", fallback: number): number {
  const text = values[name];
  const value = text === undefined ? fallback : Number(text);
  if (Number.isNaN(value) || value < 0) throw new Error(`--${name} takes a number, not "${text}"`);
  return value;
}

function alteration(): Alter {
  const { profile, swarm } = values;
  // What --shrink printed; a person who changes it is trusted.
  if (swarm !== undefined) return () => JSON.parse(swarm) as Swarm;
  if (!isProfileName(profile)) throw new Error(`--profile is one of ${Object.keys(PROFILES).join(", ")}`);
  const nodes = numberOf("nodes", 0);
  return (drawn) => PROFILES[profile](nodes === 0 ? drawn : withNodes(drawn, nodes));
}

function commit(): string {
  try {
    const git = (...args: readonly string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
    const changed = git("status", "--porcelain", "--", "src", "test/simulation") !== "";
    return `${git("rev-parse", "--short=12", "HEAD")}${changed ? " and changes that are not committed" : ""}`;
  } catch {
    return "unknown";
  }
}

function commandOf(seed: number): string {
  const nodes = values.nodes === undefined ? "" : ` --nodes ${values.nodes}`;
  const profile = values.profile === "swarm" ? "" : ` --profile ${values.profile}`;
  const swarm = values.swarm === undefined ? "" : ` --swarm '${values.swarm}'`;
  return `npm run simulate -- --seed ${seed}${nodes}${profile}${swarm}`;
}

async function show(outcome: Outcome): Promise<void> {
  const { seed, swarm, violation, transcript } = outcome;
  console.log(`\n${transcript}\n`);
  console.log(`seed ${seed} FAILED: ${violation?.message}\n  commit  ${commit()}\n  replay  ${commandOf(seed)}`);
  if (!values.shrink) {
    console.log(`  world   ${JSON.stringify(swarm)}\n`);
    return;
  }
  const told = ({ simulatedMs, events }: Outcome): void =>
    console.log(`  smaller: ${simulatedMs.toFixed(0)} ms, ${events} events`);
  const small = await outsideMicrotasks(() => shrink(outcome, SHRINKING_SEEDS, told));
  console.log(`\n${small.transcript}\n\nseed ${small.seed} FAILED: ${small.violation?.message}`);
  console.log(`  replay  npm run simulate -- --seed ${small.seed} --swarm '${JSON.stringify(small.swarm)}'\n`);
}

async function runOne(seed: number): Promise<void> {
  const outcome = await outsideMicrotasks(() => simulate(seed, alteration()));
  const { violation, fingerprint, elections, tenures, committed, simulatedMs, calm, swarm, tally } = outcome;
  if (violation === null) {
    const seconds = (simulatedMs / 1_000).toFixed(1);
    console.log(JSON.stringify({ calm, tally, swarm }));
    console.log(
      `seed ${seed} ok: ${seconds} s, ${elections} elections, ${tenures} tenures, ${committed} entries, ` +
        `trace ${fingerprint}`,
    );
    return;
  }
  process.exitCode = 1;
  await show(outcome);
}

function reportLine(sum: Sum, startedAtMs: number): string {
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  return (
    `${sum.seeds} seeds in ${seconds.toFixed(0)} s, ${sum.events} events, ` +
    `${(sum.simulatedMs / MS_PER_YEAR).toFixed(4)} cluster-years, ${sum.elections} leadership changes ` +
    `(${(sum.elections / seconds).toFixed(0)}/s, ${(sum.elections / cpuSeconds).toFixed(0)} per CPU second), ` +
    `${sum.tenures} tenures, ${sum.committed} entries, longest wait ${sum.longestWait.toFixed(2)} leases ` +
    `(seed ${sum.longestSeed}), ${sum.failures} violations`
  );
}

async function runMany(first: number, count: number, minutes: number): Promise<void> {
  const startedAtMs = performance.now();
  const failed: Outcome[] = [];
  let reportedAtMs = startedAtMs;
  const sum = await runCampaign({
    first,
    count,
    untilMs: startedAtMs + minutes * 60_000,
    alter: alteration(),
    twice: values.twice,
    done: (outcome, sofar) => {
      if (outcome.violation !== null && failed.length < SHOWN_FAILURES) failed.push(outcome);
      const nowMs = performance.now();
      if (nowMs - reportedAtMs > REPORT_EVERY_MS) {
        reportedAtMs = nowMs;
        console.log(reportLine(sofar, startedAtMs));
      }
      return outcome.violation !== null && values["until-failure"];
    },
  });
  for (const outcome of failed) await show(outcome);
  const { tally, broken } = sum;
  console.log(`faults: ${JSON.stringify(tally)}`);
  for (const [rule, seeds] of broken) console.log(`broken: ${rule}: seeds ${seeds.join(", ")}`);
  if (values.twice) console.log(`each of ${sum.seeds} seeds had the same trace twice`);
  console.log(`commit ${commit()}, profile ${values.profile}, seeds ${first} to ${first + sum.seeds - 1}`);
  console.log(reportLine(sum, startedAtMs));
  if (sum.failures > 0) process.exitCode = 1;
}

if (values.seed !== undefined) await runOne(numberOf("seed", 1));
else await runMany(numberOf("first", 1), numberOf("seeds", Infinity), numberOf("minutes", Infinity));
