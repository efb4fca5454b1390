/**
 * Checks the models and prints a table: `npm run model`, or `npm run model -- <part of a name> …`; `--long` also runs
 * what takes minutes, `--steps` shows the run that refutes each mutant.
 *
 * Invariant: the exit status is 0 only if every case came out as expected.
 *
 * Deliberately absent: installing. Spin and a C compiler are packages of the system:
 * `apt-get install spin build-essential`.
 */
import { parseArgs } from "node:util";
import { type Case, GROUPS } from "./cases.ts";
import { check, missingTool } from "./spin.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: "boolean", default: false }, steps: { type: "boolean", default: false } },
});

function asked(one: Case): boolean {
  if (positionals.length > 0) return positionals.some((part) => one.name.includes(part));
  return values.long || one.long !== true;
}

async function runOne(one: Case): Promise<boolean> {
  const cell = one.name.padEnd(52);
  try {
    const { verdict, states, seconds, steps } = await check(one);
    const right = verdict === one.expected;
    const length = steps.length > 0 ? `${steps.length} lines` : "";
    const numbers = states.toLocaleString("en").padStart(12) + seconds.toFixed(1).padStart(8) + length.padStart(10);
    console.log(`  ${cell}${verdict.padEnd(9)}${numbers}${right ? "" : `   EXPECTED: ${one.expected}`}`);
    if (values.steps || (verdict === "refuted" && !right)) for (const step of steps) console.log(`      ${step}`);
    return right;
  } catch (error) {
    console.log(`  ${cell}FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

const missing = missingTool();
if (missing !== null) {
  console.error(`${missing}: apt-get install spin build-essential`);
  process.exitCode = 1;
} else {
  let wrong = 0;
  for (const { title, cases } of GROUPS) {
    const chosen = cases.filter(asked);
    if (chosen.length > 0) console.log(`\n${title.padEnd(54)}verdict        states seconds       run`);
    for (const one of chosen) if (!(await runOne(one))) wrong += 1;
  }
  console.log(wrong === 0 ? "\nall as expected" : `\n${wrong} not as expected`);
  process.exitCode = wrong === 0 ? 0 : 1;
}
