/**
 * Runs seeds until it is told to stop: `node test/simulation/main.ts --seed 7`, `--seeds 1000 [--first 1]`,
 * `--minutes 10`.
 *
 * Invariant: the exit status is 1 if any seed broke a promise; each such seed is named with its last events.
 *
 * Deliberately absent: parallel runs. Start it twice with different first seeds.
 */
import { parseArgs } from "node:util";
import { newTally } from "./swarm.ts";
import { type Outcome, simulate } from "./world.ts";

const SHOWN_FAILURES = 5;
const REPORT_EVERY_MS = 30_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    first: { type: "string", default: "1" },
    minutes: { type: "string" },
    "stop-early": { type: "boolean", default: false },
  },
});

function show({ seed, swarm, violation, transcript }: Outcome): void {
  console.log(`\nseed ${seed} FAILED: ${violation?.message}\n${JSON.stringify(swarm)}\n${transcript}\n`);
}

function runOne(seed: number): void {
  const outcome = simulate(seed);
  const { violation, fingerprint, tenures, committed, simulatedMs, calm, swarm, tally } = outcome;
  if (violation === null) {
    const seconds = (simulatedMs / 1_000).toFixed(1);
    console.log(`seed ${seed} ok: ${seconds} s, ${tenures} tenures, ${committed} entries, print ${fingerprint}`);
    console.log(JSON.stringify({ calm, tally, swarm }));
  } else {
    show(outcome);
    process.exitCode = 1;
  }
}

function runMany(first: number, count: number, minutes: number): void {
  const startedAt = performance.now();
  const tally = newTally();
  const rules = new Map<string, number>();
  const sum = { seeds: 0, failures: 0, simulatedMs: 0, tenures: 0, committed: 0, longestWait: 0, longestSeed: 0 };
  let reportedAt = startedAt;
  const report = (): void => {
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(
      `${sum.seeds} seeds in ${seconds.toFixed(0)} s (${(sum.seeds / seconds).toFixed(1)}/s), ` +
        `${(sum.simulatedMs / 3_600_000).toFixed(1)} simulated hours, ${sum.tenures} tenures, ` +
        `${sum.committed} entries, longest wait ${sum.longestWait.toFixed(2)} leases (seed ${sum.longestSeed}), ` +
        `${sum.failures} failures`,
    );
  };
  for (let seed = first; seed < first + count; seed += 1) {
    const outcome = simulate(seed);
    sum.seeds += 1;
    sum.simulatedMs += outcome.simulatedMs;
    sum.tenures += outcome.tenures;
    sum.committed += outcome.committed;
    if ((outcome.calm?.waitedLeases ?? 0) > sum.longestWait) {
      sum.longestWait = outcome.calm?.waitedLeases ?? 0;
      sum.longestSeed = seed;
    }
    for (const [fault, times] of Object.entries(outcome.tally)) tally[fault as keyof typeof tally] += times;
    if (outcome.violation !== null) {
      sum.failures += 1;
      rules.set(outcome.violation.rule, (rules.get(outcome.violation.rule) ?? 0) + 1);
      if (sum.failures <= SHOWN_FAILURES) show(outcome);
      process.exitCode = 1;
      if (values["stop-early"]) break;
    }
    const now = performance.now();
    if (now - startedAt > minutes * 60_000) break;
    if (now - reportedAt > REPORT_EVERY_MS) {
      reportedAt = now;
      report();
    }
  }
  report();
  console.log(JSON.stringify({ rules: Object.fromEntries(rules), faults: tally }));
}

if (values.seed !== undefined) runOne(Number(values.seed));
else runMany(Number(values.first), Number(values.seeds ?? Infinity), Number(values.minutes ?? Infinity));
