/**
 * Hunts one mutant: `node test/mutants/hunt.ts <seconds> <kills> [<check>]`, run in a copy of the tree that has the
 * defect.
 *
 * Seeds of all kinds of worlds are tried in turn until so many of them have died, or the CPU time is over.
 *
 * Invariant: prints one line of JSON, whatever happens; a defect that ends the hunt by an error counts as killed by it.
 *
 * Deliberately absent: knowledge of the defect.
 */
import { outsideMicrotasks } from "../simulation/microtasks.ts";
import { PROFILES } from "../simulation/profiles.ts";
import { simulate } from "../simulation/simulate.ts";
import { isLookedFor, lookOnlyFor, RULES } from "../simulation/violation.ts";

export interface Kill {
  readonly seed: number;
  readonly profile: string;
  readonly rule: string;
  readonly events: number;
  /** Of the hunt so far, all seeds together. */
  readonly afterEvents: number;
  readonly afterSeconds: number;
}

export interface Hunt {
  readonly seeds: number;
  readonly events: number;
  readonly seconds: number;
  readonly kills: readonly Kill[];
}

/** In this order: the first are the quickest to find most. */
const ORDER = [
  "swarm",
  "members",
  "rescue",
  "disk",
  "network",
  "scale",
  "clocks",
  "formation",
  "churn",
  "quiet",
] as const;

async function hunt(seconds: number, wanted: number): Promise<Hunt> {
  // Seconds of this process, so that a busy machine makes a hunt longer and not worse.
  const passed = (): number => process.cpuUsage().user / 1e6;
  const kills: Kill[] = [];
  let [seeds, events] = [0, 0];
  while (kills.length < wanted && passed() < seconds) {
    const profile = ORDER[seeds % ORDER.length] ?? "swarm";
    seeds += 1;
    let rule: string | null = null;
    let ran = 0;
    try {
      const outcome = await outsideMicrotasks(() => simulate(seeds, PROFILES[profile]));
      ran = outcome.events;
      rule = outcome.violation?.rule ?? null;
    } catch (error) {
      // The simulator itself could not go on.
      rule = isLookedFor("assertion") ? (error instanceof Error ? error.name : "error") : null;
    }
    events += ran;
    if (rule !== null) {
      kills.push({ seed: seeds, profile, rule, events: ran, afterEvents: events, afterSeconds: passed() });
    }
  }
  return { seeds, events, seconds: passed(), kills };
}

const [seconds = "20", wanted = "3", only] = process.argv.slice(2);
if (only !== undefined) lookOnlyFor(RULES.find((rule) => rule === only) ?? null);
console.log(JSON.stringify(await hunt(Number(seconds), Number(wanted))));
