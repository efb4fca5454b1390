/**
 * A copy of the tree with one defect in it, and what kills it there.
 *
 * Invariant: the tree itself is only read; a copy is gone when its mutant has been judged.
 *
 * Deliberately absent: threads. Each hunt is a process of its own, so a defect that never ends can be ended.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Rule } from "../simulation/violation.ts";
import type { Hunt } from "./hunt.ts";
import { apply, type Mutant, type Patch } from "./mutant.ts";

export const ROOT = join(import.meta.dirname, "..", "..");

/** What a hunt needs of the tree, and what the directed tests need besides. */
const FOR_HUNTS = ["src", "test/simulation", "test/mutants", "package.json"] as const;
const FOR_TESTS = ["test", "docs", "tsconfig.json", "vitest.config.ts"] as const;
/**
 * The tests that check one rule each, by the folder of the rule: they are the same every time, so one that fails is no
 * luck.
 */
const OF_CORE = [
  "test/mutants/directed",
  "test/unit/lease",
  "test/unit/raft",
  "test/paper",
  "test/transcript",
] as const;
const OF_NODE = ["test/mutants/directed", "test/unit/node"] as const;
/** One that fails is enough. */
const BAIL = 1;
/** The part of a hunt that comes before the directed tests: most mutants die within it. */
const FIRST_LEG = 0.4;
/** CPU time of the runner and its workers, several times what they take. */
const DIRECTED_CPU_SECONDS = 240;

export interface Verdict {
  readonly mutant: Mutant;
  readonly hunt: Hunt;
  /** Names of directed tests that fail; null when none was needed. */
  readonly directed: readonly string[] | null;
}

interface Ended {
  readonly output: string;
  readonly timedOut: boolean;
}

/** User and system time of all processes of a group, in seconds (proc(5): fields 5, 14 and 15, in 1/100 s). */
function cpuSecondsOf(group: number): number {
  const seconds = readdirSync("/proc").map((pid) => {
    if (!/^\d+$/u.test(pid)) return 0;
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      return Number(fields[2]) === group ? (Number(fields[11]) + Number(fields[12])) / 100 : 0;
    } catch {
      return 0; // It has ended.
    }
  });
  return seconds.reduce((sum, each) => sum + each, 0);
}

/** The processes of a defect that never ends go with this one, whatever ends it. */
const groups = new Set<number>();
process.once("exit", () => {
  for (const group of groups) endGroup(group);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It is gone.
  }
}

/** @param cpuSeconds of the process and its children: on a busy machine the time on the wall says nothing */
function run(cwd: string, args: readonly string[], cpuSeconds: number): Promise<Ended> {
  return new Promise((resolve) => {
    let [output, timedOut] = ["", false];
    const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "ignore"], detached: true });
    const { pid = 0 } = child;
    groups.add(pid);
    const timer = setInterval(() => {
      if (cpuSecondsOf(pid) < cpuSeconds) return;
      timedOut = true;
      endGroup(pid);
    }, 1_000);
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("close", () => {
      clearInterval(timer);
      groups.delete(pid);
      resolve({ output, timedOut });
    });
  });
}

/** @param kills how many seeds must die @param seconds how long they are looked for @param only of this check alone */
export async function judge(mutant: Mutant, kills: number, seconds: number, only?: Rule): Promise<Verdict> {
  const root = mkdtempSync(join(tmpdir(), "tenure-mutant-"));
  try {
    copy(FOR_HUNTS, root);
    symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
    apply(root, mutant);
    if (only !== undefined) return { mutant, hunt: await huntIn(root, kills, seconds, only), directed: null };
    const hunt = await huntIn(root, kills, FIRST_LEG * seconds);
    if (hunt.kills.length >= kills) return { mutant, hunt, directed: null };
    const directed = await directedIn(root, mutant);
    return { mutant, hunt: directed.length > 0 ? hunt : await huntIn(root, kills, seconds), directed };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function copy(names: readonly string[], root: string): void {
  for (const name of names) cpSync(join(ROOT, name), join(root, name), { recursive: true });
}

async function huntIn(root: string, kills: number, seconds: number, only?: Rule): Promise<Hunt> {
  const args = ["test/mutants/hunt.ts", String(seconds), String(kills), ...(only === undefined ? [] : [only])];
  const { output, timedOut } = await run(root, args, 3 * seconds + 20);
  const line = output.trim().split("\n").at(-1) ?? "";
  // Written by hunt.ts of this very tree.
  if (!timedOut && line.startsWith("{")) return JSON.parse(line) as Hunt;
  const rule = timedOut ? "never ends" : "does not start";
  const kill = { seed: 0, profile: "", rule, events: 0, afterEvents: 0, afterSeconds: seconds };
  // A seed that never ends does so every time, and so does a program that does not start.
  return { seeds: 1, events: 0, seconds, kills: Array.from({ length: kills }, () => kill) };
}

async function directedIn(root: string, { patches }: Mutant): Promise<readonly string[]> {
  const isOfNode = ({ file }: Patch): boolean => file.startsWith("src/node/");
  const tests = new Set(patches.flatMap((patch): readonly string[] => (isOfNode(patch) ? OF_NODE : OF_CORE)));
  // The unchanged source has to pass all of them.
  if (patches.length === 0) for (const each of [...OF_CORE, ...OF_NODE]) tests.add(each);
  copy(FOR_TESTS, root);
  const report = join(root, "directed.json");
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project=fast",
    "--reporter=json",
    `--outputFile=${report}`,
    `--bail=${BAIL}`,
  ];
  const { timedOut } = await run(root, [...args, ...tests], DIRECTED_CPU_SECONDS);
  if (timedOut) return ["(the tests never end)"];
  if (!existsSync(report)) return ["(the tests do not start)"];
  // The reporter's own format.
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as {
    testResults: { name: string; message: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName);
    return failed.length === 0 && message !== "" ? [name] : failed;
  });
}
