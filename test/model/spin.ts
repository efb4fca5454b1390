/**
 * Runs one case: Spin writes the checker as a C program, the C compiler builds it, it searches.
 *
 * Invariant: `holds` is said only of a search that came to its end, with every state stored in full; one that ran out
 * of time or memory is an error. `refuted` comes from a breadth-first search, so its run is a shortest one.
 *
 * Deliberately absent: hash-compact and bit-state searches, which may miss states.
 */
import { spawn, spawnSync } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Case, Verdict } from "./cases.ts";

export interface Finding {
  readonly verdict: Verdict;
  readonly states: number;
  readonly seconds: number;
  /** The shortest run that breaks the rule, one line a step; empty when it holds. */
  readonly steps: readonly string[];
}

/** How to see that each program is there and of use: a C compiler without the headers of the C library is not. */
const PROBES: readonly (readonly [program: string, ...args: readonly string[]])[] = [
  ["spin", "-V"],
  ["gcc", "-E", "-include", "stdio.h", "-x", "c", "/dev/null"],
];
/** Assertions only, no partial order: every variable is shared. */
const SEARCH = ["-w", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=8000", "-DVECTORSZ=512"];
/** The steps are large functions: `-O2` takes longer to compile than it saves. */
const TO_THE_END = [...SEARCH, "-O1", "-DCOLLAPSE"];
const SHORTEST = [...SEARCH, "-O0", "-DBFS"];
/** Slots of the first hash table, as a power of 2, and the deepest path. */
const LIMITS = ["-w22", "-m1000000"];

/** Why no model can be checked here, or null. */
export function missingTool(): string | null {
  const works = ([program, ...args]: (typeof PROBES)[number]): boolean =>
    spawnSync(program, args, { stdio: "ignore" }).status === 0;
  const missing = PROBES.filter((probe) => !works(probe)).map(([program]) => program);
  return missing.length === 0 ? null : `needs ${missing.join(" and ")}`;
}

interface Ran {
  readonly status: number | null;
  readonly output: string;
}

function run(program: string, args: readonly string[], cwd: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer): void => void chunks.push(chunk);
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const stop = (): void => void child.kill("SIGKILL");
    process.once("exit", stop);
    child.once("error", reject);
    child.once("close", (status) => {
      process.off("exit", stop);
      resolve({ status, output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

async function mustRun(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, output } = await run(program, args, cwd);
  if (status !== 0) throw new Error(`${program} ended with ${status}:\n${output.slice(-2_000)}`);
  return output;
}

/** The searched part of what the checker reports; an error unless the search is known to be complete. */
export function readReport(output: string): { readonly verdict: Verdict; readonly states: number } {
  const errors = Number(/errors: (?<count>\d+)/u.exec(output)?.groups?.["count"] ?? Number.NaN);
  const states = Number(/(?<count>[\d.e+]+) states, stored/u.exec(output)?.groups?.["count"] ?? Number.NaN);
  const tail = output.slice(-2_000);
  if (Number.isNaN(errors) || Number.isNaN(states)) throw new Error(`the checker did not finish:\n${tail}`);
  if (errors > 0 && !output.includes("assertion violated")) throw new Error(`not a broken rule:\n${tail}`);
  const complete = !/Search not completed|max search depth too small|out of memory|memory limit/u.test(output);
  if (errors === 0 && !complete) throw new Error(`the search is not complete:\n${tail}`);
  return { verdict: errors > 0 ? "refuted" : "holds", states };
}

/** What the model printed on the way to the fault. */
function stepsOf(replay: string): readonly string[] {
  const end = replay.search(/^spin: .*assertion violated/mu);
  return replay
    .slice(0, Math.max(end, 0))
    .split("\n")
    .filter((line) => line.trim() !== "");
}

export async function check(one: Case): Promise<Finding> {
  const directory = await mkdtemp(join(tmpdir(), "tenure-model-"));
  const startedAt = performance.now();
  try {
    await copyFile(join(import.meta.dirname, `${one.model}.pml`), join(directory, "model.pml"));
    const switches = one.switches.map((name) => `-D${name}`);
    await mustRun("spin", [...switches, "-a", "model.pml"], directory);
    const options = one.expected === "holds" ? TO_THE_END : SHORTEST;
    await mustRun("gcc", [...options, "-o", "pan", "pan.c"], directory);
    const { output } = await run(join(directory, "pan"), ["-n", ...LIMITS], directory);
    const { verdict, states } = readReport(output);
    const replayed =
      verdict === "refuted" ? await run("spin", ["-T", "-B", "-t", ...switches, "model.pml"], directory) : null;
    const steps = replayed === null ? [] : stepsOf(replayed.output);
    return { verdict, states, seconds: (performance.now() - startedAt) / 1_000, steps };
  } finally {
    await rm(directory, { recursive: true });
  }
}
