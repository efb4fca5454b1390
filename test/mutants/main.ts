/**
 * `npm run mutants`: seeds each defect into a copy of the source and shows what kills it; with `--checks`, each check
 * of the simulation instead, with the mutant that it has to find alone. `--help` has the options.
 *
 * A mutant is killed when so many different seeds of the simulation die of it, or when a directed test fails: neither
 * is luck. What a hunt does not find is left to the directed tests.
 *
 * Invariant: the exit status is 0 only if every patch applies, every mutant is killed, and the unchanged source is not.
 *
 * Deliberately absent: a way to accept a survivor.
 */
import { RULES } from "../simulation/violation.ts";
import { readOptions } from "../support/options.ts";
import { judge, ROOT, type Verdict } from "./bench.ts";
import { KILLED_BY } from "./checks.ts";
import type { Kill } from "./hunt.ts";
import { allMutants, faultOf, type Mutant } from "./mutant.ts";

const { values, number } = readOptions({
  name: "mutants",
  about: `
Seeds each defect of test/mutants/*.txt into a copy of the source and shows what kills it: seeds of the simulation that
die of it, or directed tests that fail. The unchanged source comes first; nothing may kill that one.
`,
  options: {
    only: { type: "string", takes: "TEXT", default: "", about: "those with this in their names; all unless said" },
    skip: { type: "string", takes: "N", default: "0", about: "not the first N of them" },
    kills: {
      type: "string",
      takes: "N",
      default: "3",
      about: "so many seeds have to die of a mutant, or one directed test fail",
    },
    seconds: { type: "string", takes: "S", default: "20", about: "CPU seconds of one hunt" },
    workers: { type: "string", takes: "N", default: "2", about: "hunts at once" },
    checks: {
      type: "boolean",
      default: false,
      about: "each check of the simulation, with the mutant that it has to find alone; takes --only and --seconds",
    },
  },
  exit: "0 if every patch applies, every mutant is killed and the unchanged source is not, 1 if not",
});

const UNCHANGED: Mutant = { name: "(the unchanged source)", breaks: "nothing", patches: [] };

/** Directed tests that fail on the unchanged source prove nothing, and no more do seeds that die on it. */
const failing = new Set<string>();
const dying = new Set<string>();

function seedOf({ profile, seed }: Kill): string {
  return `${profile} ${seed}`;
}

function killsOf({ hunt }: Verdict): readonly Kill[] {
  return hunt.kills.filter((kill) => !dying.has(seedOf(kill)));
}

function failuresOf({ directed }: Verdict): readonly string[] {
  return (directed ?? []).filter((name) => !failing.has(name));
}

function isKilled(verdict: Verdict, kills: number): boolean {
  return killsOf(verdict).length >= kills || failuresOf(verdict).length > 0;
}

function rowOf(verdict: Verdict, kills: number): string {
  const { mutant, hunt, directed } = verdict;
  const first = hunt.kills[0];
  const rules = [...new Set(hunt.kills.map(({ rule }) => rule))].join(", ");
  const bySeeds =
    first === undefined
      ? `no seed of ${hunt.seeds}`
      : `${hunt.kills.length} of ${hunt.seeds} seeds (${rules}), first after ${first.afterEvents} events, ` +
        `${first.afterSeconds.toFixed(1)} s`;
  const failures = failuresOf(verdict);
  const byTests =
    directed === null ? "" : `; ${failures.length} directed tests${failures[0] ? `: ${failures[0]}` : ""}`;
  const isUnchanged = mutant === UNCHANGED;
  const state = isUnchanged ? "        " : isKilled(verdict, kills) ? "killed  " : "SURVIVES";
  return `${state} ${mutant.name.padEnd(56)} ${mutant.breaks.padEnd(40)} ${bySeeds}${byTests}`;
}

async function huntByCheck(kills: number, seconds: number): Promise<void> {
  const mutants = allMutants();
  for (const rule of RULES.filter((each) => each.includes(values.only))) {
    const mutant = mutants.find(({ name }) => name === KILLED_BY[rule]);
    if (mutant === undefined) throw new Error(`there is no mutant "${KILLED_BY[rule]}"`);
    const { hunt } = await judge(mutant, kills, seconds, rule);
    const first = hunt.kills[0];
    const isSeen = hunt.kills.length >= kills && first?.seed !== 0;
    const where = isSeen ? `${first?.profile} ${first?.seed}, after ${first?.afterEvents} events` : "";
    console.log(`${isSeen ? "seen to fail" : "NEVER FAILS "} ${rule.padEnd(20)} ${mutant.name.padEnd(56)} ${where}`);
    if (!isSeen) process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const [skip, workers] = [number("skip", 0), number("workers", 1)];
  const [kills, seconds] = [number("kills", 1), number("seconds", 1, "any")];
  const mutants = allMutants()
    .filter(({ name }) => name.includes(values.only))
    .slice(skip);
  const faults = mutants.flatMap(({ name, patches }) =>
    patches.flatMap((patch) => {
      const fault = faultOf(ROOT, patch);
      return fault === null ? [] : [`${name}: ${fault}`];
    }),
  );
  for (const fault of faults) console.log(`DOES NOT APPLY ${fault}`);
  const todo = mutants.filter(({ patches }) => patches.every((patch) => faultOf(ROOT, patch) === null));
  const queue = [...todo];
  const startedAtMs = performance.now();
  // Its hunt goes on to the end, because nothing dies, and then come the directed tests.
  const unchanged = await judge(UNCHANGED, kills, seconds);
  console.log(rowOf(unchanged, kills));
  for (const name of unchanged.directed ?? []) failing.add(name);
  for (const kill of unchanged.hunt.kills) dying.add(seedOf(kill));
  const alarms = [...failing, ...unchanged.hunt.kills.map((kill) => `${seedOf(kill)}: ${kill.rule}`)];
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const verdict = await judge(next, kills, seconds);
      console.log(rowOf(verdict, kills));
      verdicts.push(verdict);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const killed = verdicts.filter((verdict) => isKilled(verdict, kills));
  const bySeeds = verdicts.filter((verdict) => killsOf(verdict).length >= kills);
  const rules = new Set(bySeeds.flatMap(({ hunt }) => hunt.kills.map(({ rule }) => rule)));
  const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1);
  console.log(`\nchecks that were seen to fail: ${[...rules].toSorted((a, b) => a.localeCompare(b)).join(", ")}`);
  const often = `${bySeeds.length} of them by ${kills} seeds or more`;
  console.log(`${killed.length} of ${mutants.length} mutants killed, ${often}, in ${minutes} min`);
  for (const alarm of alarms) console.log(`AN ALARM on the unchanged source: ${alarm}`);
  if (alarms.length > 0 || faults.length > 0 || killed.length < mutants.length) process.exitCode = 1;
}

if (values.checks) await huntByCheck(1, number("seconds", 1, "any"));
else await main();
