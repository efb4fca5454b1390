/**
 * `npm run fuzz`: feeds bytes to whatever reads some, and keeps those that reach more of it. `--help` has the options.
 *
 * Invariant: the exit status is 1 if a promise was broken; the input is then in a file, shrunk, and the command that
 * replays it was printed.
 *
 * Deliberately absent: parallel runs. Start it twice with other seeds.
 */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { readOptions } from "../support/options.ts";
import { Coverage } from "./engine/coverage.ts";
import { fuzz, type FoundFault, type Progress } from "./engine/loop.ts";
import { minimized } from "./engine/minimize.ts";
import { faultOf } from "./engine/shrink.ts";
import type { Target } from "./engine/target.ts";
import { readInputs, toLine, writeInputs } from "./engine/texts.ts";
import { startWatchdog } from "./engine/watchdog.ts";
import { isTargetName, TARGET_NAMES, TARGETS, type TargetName } from "./targets/index.ts";

const ROOT = dirname(dirname(import.meta.dirname));
const REPORT_EVERY_MS = 5_000;
const DEFAULT_SECONDS = 30;

const { values, number, refuse } = readOptions({
  name: "fuzz",
  about: `
Feeds changed inputs to whatever reads bytes from outside, keeps those that reach or answer something new, and writes
down, shrunk, each that breaks a promise.

Targets: ${TARGET_NAMES.join(", ")}.
`,
  options: {
    target: { type: "string", takes: "NAME", default: "all", about: "one of them" },
    seconds: {
      type: "string",
      takes: "S",
      about: `how long for each target; ${DEFAULT_SECONDS} unless that or --inputs is said`,
    },
    inputs: { type: "string", takes: "N", about: "end after so many, if that is sooner; without end unless said" },
    seed: { type: "string", takes: "S", default: "1", about: "of the changes" },
    "no-coverage": { type: "boolean", default: false, about: "go by answers alone, which is faster" },
    keep: { type: "boolean", default: false, about: "add what was worth keeping to the corpus" },
    minimize: {
      type: "boolean",
      default: false,
      about: "write the smallest corpus that still reaches and answers all that it does now",
    },
    replay: { type: "string", takes: "FILE", about: "the inputs of this file, once" },
  },
  exit: "0 if no promise was broken, 1 if one was",
});

function namesOf(given: string): readonly TargetName[] {
  if (given === "all") return TARGET_NAMES;
  if (isTargetName(given)) return [given];
  return refuse(`there is no target "${given}"`);
}

const names = namesOf(values.target);
const seed = number("seed", 0);
const limit = number("inputs", 0);
const isLong = values.seconds !== undefined || values.inputs !== undefined;
const forSeconds = isLong ? number("seconds", 0, "any") : DEFAULT_SECONDS;

function corpusOf(name: string): string {
  return join(import.meta.dirname, "corpus", `${name}.txt`);
}

function regressionsOf(name: string): string {
  return join(import.meta.dirname, "regressions", `${name}.txt`);
}

function isCounted(target: Target): (path: string) => boolean {
  return (path) => target.covers.some((beginning) => relative(ROOT, path).startsWith(beginning));
}

function tell(name: string, { input, fault }: FoundFault, at: number): void {
  const directory = join(tmpdir(), "tenure-fuzz");
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${name}-${process.pid}-${at}.txt`);
  writeInputs(path, [input]);
  console.log(`\n${name} BROKE A PROMISE: ${fault}`);
  console.log(`  input   ${toLine(input).slice(0, 400)}`);
  console.log(`  replay  npm run fuzz -- --target ${name} --replay ${path}\n`);
  process.exitCode = 1;
}

async function campaign(name: TargetName): Promise<void> {
  // Not counted before the target is there: `covers` decides later what of it is.
  let counts: (path: string) => boolean = () => false;
  const coverage = values["no-coverage"] ? null : new Coverage((path) => counts(path));
  await coverage?.start();
  const target = await TARGETS[name]();
  counts = isCounted(target);
  const corpus = [...readInputs(regressionsOf(name)), ...readInputs(corpusOf(name))];
  const startMs = performance.now();
  const untilMs = startMs + 1_000 * forSeconds;
  let reportedMs = startMs;
  const line = ({ inputs, kept, answers, findings }: Progress): string => {
    const seconds = (performance.now() - startMs) / 1_000;
    const share = coverage === null ? "not measured" : `${(100 * coverage.share).toFixed(1)} %`;
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    const rate = `${(inputs / seconds).toFixed(0)}/s, ${(inputs / cpuSeconds).toFixed(0)} per CPU second`;
    const found = `${answers} answers, ${kept} kept, ${findings} findings`;
    return `${name}: ${inputs} inputs in ${seconds.toFixed(0)} s (${rate}), blocks reached ${share}, ${found}`;
  };
  const watchdog = startWatchdog(name);
  const result = await fuzz({
    target,
    seed,
    corpus,
    coverage,
    watch: (input) => (input === null ? watchdog.rest() : watchdog.watch(input)),
    isOver: (inputs) => inputs >= limit || performance.now() >= untilMs,
    progress: (progress) => {
      if (performance.now() - reportedMs < REPORT_EVERY_MS) return;
      reportedMs = performance.now();
      console.log(line(progress));
    },
  });
  for (const [at, found] of result.faults.entries()) tell(name, found, at);
  console.log(
    `${line(result)}, seed ${seed}, slowest ${result.slowestMs.toFixed(1)} ms: ${toLine(result.slowest).slice(0, 80)}`,
  );
  if (values.keep) writeInputs(corpusOf(name), [...corpus, ...result.fresh]);
  await watchdog.stop();
  await target.close?.();
  coverage?.stop();
}

async function replay(name: TargetName, path: string): Promise<void> {
  const target = await TARGETS[name]();
  for (const input of readInputs(path)) {
    const fault = await faultOf(target, input);
    console.log(fault ?? `fine: ${await target.run(input)}`);
    if (fault !== null) process.exitCode = 1;
  }
  await target.close?.();
}

async function minimize(name: TargetName): Promise<void> {
  let counts: (path: string) => boolean = () => false;
  const coverage = new Coverage((path) => counts(path));
  await coverage.start();
  const target = await TARGETS[name]();
  counts = isCounted(target);
  const inputs = readInputs(corpusOf(name));
  const fewer = await minimized(target, inputs, coverage);
  writeInputs(corpusOf(name), fewer);
  console.log(`${name}: ${inputs.length} inputs became ${fewer.length}`);
  await target.close?.();
  coverage.stop();
}

for (const name of names) {
  if (values.replay !== undefined) await replay(name, values.replay);
  else if (values.minimize) await minimize(name);
  else await campaign(name);
}
