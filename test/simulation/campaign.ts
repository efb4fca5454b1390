/**
 * Many seeds, one after the other, and what they came to.
 *
 * Invariant: the sums are of every seed that was run, failed ones included.
 *
 * Deliberately absent: threads. Two campaigns with other first seeds use two cores.
 */
import { assert } from "../../src/base/assert.ts";
import { outsideMicrotasks } from "./microtasks.ts";
import { type Outcome, simulate } from "./simulate.ts";
import { newTally, type Swarm, type Tally } from "./swarm.ts";
import type { Rule } from "./violation.ts";

export interface Sum {
  seeds: number;
  failures: number;
  simulatedMs: number;
  events: number;
  elections: number;
  tenures: number;
  committed: number;
  /** The longest wait for a holder after a storm, in units of D, and whose it was. */
  longestWait: number;
  longestSeed: number;
  readonly tally: Tally;
  /** The seeds that broke a rule, by the rule. */
  readonly broken: Map<Rule, number[]>;
}

export interface Plan {
  readonly first: number;
  readonly count: number;
  /** No seed is begun after this. */
  readonly untilMs: number;
  readonly alter: (swarm: Swarm) => Swarm;
  /** Each seed a second time, which must be the same to the last event. */
  readonly twice?: boolean;
  /** After each seed. True ends the campaign. */
  readonly done: (outcome: Outcome, sum: Sum) => boolean;
}

export function newSum(): Sum {
  return {
    seeds: 0,
    failures: 0,
    simulatedMs: 0,
    events: 0,
    elections: 0,
    tenures: 0,
    committed: 0,
    longestWait: 0,
    longestSeed: 0,
    tally: newTally(),
    broken: new Map(),
  };
}

export function add(sum: Sum, outcome: Outcome): void {
  const { calm, violation, tally } = outcome;
  sum.seeds += 1;
  sum.simulatedMs += outcome.simulatedMs;
  sum.events += outcome.events;
  sum.elections += outcome.elections;
  sum.tenures += outcome.tenures;
  sum.committed += outcome.committed;
  for (const fault of Object.keys(sum.tally) as (keyof Tally)[]) sum.tally[fault] += tally[fault];
  if (calm !== null && calm.waitedLeases > sum.longestWait) {
    sum.longestWait = calm.waitedLeases;
    sum.longestSeed = outcome.seed;
  }
  if (violation === null) return;
  sum.failures += 1;
  const seeds = sum.broken.get(violation.rule) ?? [];
  sum.broken.set(violation.rule, [...seeds, outcome.seed]);
}

export async function runCampaign({ first, count, untilMs, alter, done, twice = false }: Plan): Promise<Sum> {
  const sum = newSum();
  for (let seed = first; seed < first + count && performance.now() < untilMs; seed += 1) {
    const outcome = await outsideMicrotasks(() => simulate(seed, alter));
    if (twice) {
      const again = await outsideMicrotasks(() => simulate(seed, alter));
      const isSame = again.fingerprint === outcome.fingerprint && again.events === outcome.events;
      assert(isSame, `seed ${seed} is the same twice: ${outcome.fingerprint}, ${again.fingerprint}`);
    }
    add(sum, outcome);
    if (done(outcome, sum)) break;
  }
  return sum;
}
