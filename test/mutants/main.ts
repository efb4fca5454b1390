/**
 * `npm run mutants [-- --only <part of a name>] [--skip <how many>] [--kills 3] [--seconds 20] [--workers 2]`: seeds
 * each defect into a copy of the source and shows what kills it.
 *
 * A mutant is killed when so many different seeds of the simulation die of it, or when a directed test fails: neither
 * is luck. What a hunt does not find is left to the directed tests.
 *
 * Invariant: the exit status is 0 only if every patch applies, every mutant is killed, and the unchanged source is not.
 *
 * Deliberately absent: a way to accept a survivor.
 */
import { parseArgs } from "node:util";
import { judge, ROOT, type Verdict } from "./bench.ts";
import { allMutants, faultOf, type Mutant } from "./mutant.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    skip: { type: "string", default: "0" },
    kills: { type: "string", default: "3" },
    /** CPU seconds of one hunt. */
    seconds: { type: "string", default: "20" },
    workers: { type: "string", default: "2" },
  },
});

const UNCHANGED: Mutant = { name: "(the unchanged source)", breaks: "nothing", patches: [] };

function isKilled({ hunt, directed }: Verdict, kills: number): boolean {
  return hunt.kills.length >= kills || (directed?.length ?? 0) > 0;
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
  const byTests =
    directed === null ? "" : `; ${directed.length} directed tests${directed[0] ? `: ${directed[0]}` : ""}`;
  const isUnchanged = mutant.patches.length === 0;
  const state = isUnchanged ? "        " : isKilled(verdict, kills) ? "killed  " : "SURVIVES";
  return `${state} ${mutant.name.padEnd(56)} ${mutant.breaks.padEnd(40)} ${bySeeds}${byTests}`;
}

async function main(): Promise<void> {
  const [kills, seconds] = [Number(values.kills), Number(values.seconds)];
  const mutants = allMutants()
    .filter(({ name }) => name.includes(values.only))
    .slice(Number(values.skip));
  const faults = mutants.flatMap(({ name, patches }) =>
    patches.flatMap((patch) => {
      const fault = faultOf(ROOT, patch);
      return fault === null ? [] : [`${name}: ${fault}`];
    }),
  );
  for (const fault of faults) console.log(`DOES NOT APPLY ${fault}`);
  const todo = mutants.filter(({ patches }) => patches.every((patch) => faultOf(ROOT, patch) === null));
  const queue = values.only === "" ? [UNCHANGED, ...todo] : [...todo];
  const verdicts: Verdict[] = [];
  const startedAtMs = performance.now();
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const verdict = await judge(next, kills, seconds);
      console.log(rowOf(verdict, kills));
      verdicts.push(verdict);
    }
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, work));
  const seeded = verdicts.filter(({ mutant }) => mutant !== UNCHANGED);
  const killed = seeded.filter((verdict) => isKilled(verdict, kills));
  const bySeeds = seeded.filter(({ hunt }) => hunt.kills.length >= kills);
  const alarm = verdicts.some((verdict) => verdict.mutant === UNCHANGED && isKilled(verdict, 1));
  const rules = new Set(bySeeds.flatMap(({ hunt }) => hunt.kills.map(({ rule }) => rule)));
  const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1);
  console.log(`\nchecks that were seen to fail: ${[...rules].toSorted((a, b) => a.localeCompare(b)).join(", ")}`);
  const often = `${bySeeds.length} of them by ${kills} seeds or more`;
  console.log(`${killed.length} of ${mutants.length} mutants killed, ${often}, in ${minutes} min`);
  if (alarm) console.log("AN ALARM on the unchanged source");
  if (alarm || faults.length > 0 || killed.length < mutants.length) process.exitCode = 1;
}

await main();
