/**
 * `npm run simulate`: one seed, with what happened in it, or many, with their rates. `--help` has the options.
 *
 * Invariant: the exit status is 1 if any seed broke a promise; each of the first few is named, with the commit, the
 * command that replays it and its last events.
 *
 * Deliberately absent: parallel runs. Start it twice with other first seeds.
 */
import { execFileSync } from "node:child_process";
import { readOptions } from "../support/options.ts";
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

const { values, number, refuse } = readOptions({
  name: "simulate",
  about: `
Runs whole groups in simulated worlds with every fault there is, and checks that no promise is broken: one seed, with
what happened in it, or one after the other until it is told to end, with the rates.

Profiles, each a kind of world: ${Object.keys(PROFILES).join(", ")}.
`,
  options: {
    seed: { type: "string", takes: "S", about: "this one, once" },
    seeds: { type: "string", takes: "N", about: "so many; without end unless said" },
    first: { type: "string", takes: "S", default: "1", about: "the first of many" },
    minutes: { type: "string", takes: "M", about: "end after so long, if that is sooner; without end unless said" },
    nodes: { type: "string", takes: "N", about: "pods of a group; as each seed has drawn unless said" },
    profile: { type: "string", takes: "NAME", default: "swarm", about: "one of them" },
    swarm: { type: "string", takes: "JSON", about: "the world that --shrink has found, instead of a profile" },
    shrink: { type: "boolean", default: false, about: "look for a smaller world in which a failed seed fails" },
    "until-failure": { type: "boolean", default: false, about: "end at the first seed that fails" },
    twice: { type: "boolean", default: false, about: "each of many seeds again, to see that its trace is the same" },
  },
  exit: "0 if no promise was broken, 1 if one was",
});

function alteration(): Alter {
  const { profile, swarm } = values;
  // What --shrink printed; a person who changes it is trusted.
  if (swarm !== undefined) return () => JSON.parse(swarm) as Swarm;
  if (!isProfileName(profile)) return refuse(`there is no profile "${profile}"`);
  const nodes = values.nodes === undefined ? null : number("nodes", 1);
  return (drawn) => PROFILES[profile](nodes === null ? drawn : withNodes(drawn, nodes));
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
      if (outcome.violation !== null) {
        console.log(`seed ${outcome.seed} FAILED: ${outcome.violation.message}; the transcript comes at the end`);
        if (failed.length < SHOWN_FAILURES) failed.push(outcome);
      }
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

if (values.seed !== undefined) await runOne(number("seed", 0));
else await runMany(number("first", 0), number("seeds", 0), number("minutes", 0, "any"));
