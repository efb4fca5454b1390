/**
 * A sample of the chaos campaigns: every kind of fault at least once, on real processes; and the test-bed itself, which
 * must see what is wrong and leave nothing behind.
 *
 * As root, with network namespaces, it takes about three minutes; elsewhere the part on loopback, with what was skipped
 * and why. `npm run chaos -- --help` has more.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTemporaryDirectory } from "../../support/temporary-directory.ts";
import { FAULT_KINDS, type FaultKind } from "./kinds.ts";
import { processesOf } from "./leftovers.ts";
import { missingMeans, whyNot } from "./means.ts";
import { roundsForAll } from "./schedule.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const SEED = 7;
/** Every kind once, and then some more. */
const ROUNDS = roundsForAll({ seed: SEED, nodes: 3, leaseMs: 1_000, kinds: FAULT_KINDS }) + 10;
/** Three minutes, and as much again for a slow machine. */
const PATIENCE_MS = 400_000;

interface Records {
  readonly violations: { readonly safety: readonly string[]; readonly other: readonly string[] };
  readonly kinds: Readonly<Record<FaultKind, { readonly proven: number; readonly skipped: number }>>;
  readonly ledger: { readonly accepted: number; readonly refused: number };
}

interface Run {
  readonly status: number | null;
  readonly output: string;
  readonly records: Records;
}

async function chaos(args: readonly string[]): Promise<Run> {
  const temporary = await createTemporaryDirectory();
  onTestFinished(() => temporary.remove());
  const child = spawn(process.execPath, [MAIN, "--out", temporary.path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGTERM"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [status] = (await once(child, "close")) as [number | null];
  const records = JSON.parse(readFileSync(join(temporary.path, "records.json"), "utf8")) as Records;
  expect(readFileSync(join(temporary.path, "timeline.svg"), "utf8")).toContain("</svg>");
  return { status, output, records };
}

/** Directories of test-beds; each bears the name of its run. */
function leftDirectories(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("tenure-chaos-tc"));
}

function loops(): string {
  return spawnSync("losetup", ["--list", "--noheadings"], { encoding: "utf8" }).stdout ?? "";
}

const missing = missingMeans("tcprobe", false);
const noNetwork = missing.get("namespaces") ?? null;

describe("a campaign", () => {
  it(
    `of every kind of fault has no violation (${ROUNDS} rounds)`,
    async () => {
      const loopback = noNetwork === null ? [] : ["--loopback"];
      const before = leftDirectories();
      const args = ["--seed", String(SEED), "--rounds", String(ROUNDS), "--minutes", "6", ...loopback];
      const { status, output, records } = await chaos(args);
      expect(records.violations, output).toEqual({ safety: [], other: [] });
      expect(status, output).toBe(0);
      expect(records.ledger.accepted).toBeGreaterThan(100);
      expect(records.ledger.refused).toBeGreaterThan(0);
      for (const kind of FAULT_KINDS) {
        const { proven, skipped } = records.kinds[kind];
        if (whyNot(kind, missing) === null) expect(proven, `${kind}\n${output}`).toBeGreaterThan(0);
        else if (kind !== "clock-rate") expect(skipped, kind).toBeGreaterThan(0);
      }
      expect(leftDirectories()).toEqual(before);
    },
    PATIENCE_MS,
  );

  it(
    "on loopback skips what needs a network, and says so",
    async () => {
      const args = ["--loopback", "--seed", "1", "--fault", "kill,delay,dns,cut", "--rounds", "4"];
      const { status, output, records } = await chaos(args);
      expect(status, output).toBe(0);
      expect(records.kinds.cut).toMatchObject({ proven: 0 });
      expect(records.kinds.cut.skipped).toBeGreaterThan(0);
      expect(output).toContain("skipped cut: asked for loopback");
      for (const kind of ["kill", "delay", "dns"] as const) expect(records.kinds[kind].proven).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );
});

describe("the test-bed", () => {
  it(
    "sees two holders where exclusion is not promised: a clock far beyond the drift bound",
    async (context) => {
      const trouble = noNetwork ?? missing.get("faketime") ?? null;
      context.skip(trouble !== null, trouble ?? "");
      const args = ["--slow", "0.4", "--seed", "3", "--fault", "cut,clock-rate", "--minutes", "3"];
      const { status, output, records } = await chaos(args);
      expect(status, output).toBe(1);
      expect(records.violations.safety.join("\n")).toMatch(/two holders for \d+/u);
      expect(output).toContain("replay: npm run chaos -- --seed 3");
    },
    PATIENCE_MS,
  );

  it.each(["SIGINT", "SIGKILL"] as const)("leaves nothing behind after %s", async (signal) => {
    const [before, loopsBefore] = [leftDirectories(), loops()];
    const child = spawn(process.execPath, [MAIN, "--minutes", "5", "--seed", "2", "--fault", "kill,pause"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    for await (const line of createInterface({ input: child.stdout })) if (line.includes("round 1,")) break;
    const directory = leftDirectories().find((name) => !before.includes(name)) ?? "";
    const [, runName = ""] = /^tenure-chaos-(tc[a-z0-9]+)-/u.exec(directory) ?? [];
    expect(processesOf(runName).length).toBeGreaterThan(6);
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    if (signal === "SIGINT") expect(child.exitCode).toBe(130);
    // The undertaker of a killed test-bed takes a moment.
    await expect.poll(() => leftDirectories().includes(directory), { timeout: 30_000 }).toBe(false);
    expect(processesOf(runName)).toEqual([]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(directory);
    expect(spawnSync("ip", ["netns", "list"], { encoding: "utf8" }).stdout ?? "").not.toContain(runName);
    expect(loops()).toEqual(loopsBefore);
  });
});
