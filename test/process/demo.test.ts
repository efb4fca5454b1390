/** The demo as a person starts it: its verdict, and that nothing of it is left, however it ends. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.ts";

const DEMO = join(import.meta.dirname, "..", "..", "demo", "main.ts");

interface Run {
  readonly lines: string[];
  readonly status: number | null;
}

describe("the demo", () => {
  let temporary: TemporaryDirectory;

  beforeEach(async () => {
    temporary = await createTemporaryDirectory();
  });

  afterEach(async () => {
    await temporary.remove();
  });

  /** Runs it to its end; `onLine` hears each line of its output. */
  function run(args: readonly string[], onLine: (line: string, pid: number) => void = () => undefined): Promise<Run> {
    const env = { ...process.env, TMPDIR: temporary.path };
    const child = spawn(process.execPath, [DEMO, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    const lines: string[] = [];
    const hear = (line: string): void => {
      lines.push(line);
      if (child.pid !== undefined) onLine(line, child.pid);
    };
    createInterface({ input: child.stdout }).on("line", hear);
    createInterface({ input: child.stderr }).on("line", hear);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => resolve({ lines, status }));
    });
  }

  /** Processes that were started with this test's directory for temporary files (proc_pid_environ(5)). */
  function leftProcesses(): readonly string[] {
    return readdirSync("/proc").filter((name) => {
      if (!/^\d+$/u.test(name)) return false;
      try {
        return readFileSync(join("/proc", name, "environ"), "utf8").includes(`TMPDIR=${temporary.path}`);
      } catch {
        return false;
      }
    });
  }

  it("plays its faults, finds nothing wrong, and leaves nothing behind", async () => {
    const { lines, status } = await run([]);
    const text = lines.join("\n");
    expect(text).toMatch(/^PASSED: \d+ tenures/mu);
    expect(text).toMatch(/refused: [1-9]\d* \(stale token\)$/mu);
    expect(lines[0]).toContain("starting three sidecars");
    expect(status).toBe(0);
    expect(readdirSync(temporary.path)).toEqual([]);
    expect(leftProcesses()).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("leaves nothing behind after %s", async (signal) => {
    let running: readonly string[] = [];
    let isSent = false;
    const { lines, status } = await run([], (line, pid) => {
      if (isSent || !line.includes("begins to write")) return;
      isSent = true;
      running = leftProcesses();
      process.kill(pid, signal);
    });
    // The demo, three sidecars, three workers: the search finds them while they run.
    expect(running).toHaveLength(7);
    expect(lines.at(-1)).toBe(`demo: interrupted by ${signal}`);
    expect(status).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    expect(readdirSync(temporary.path)).toEqual([]);
    expect(leftProcesses()).toEqual([]);
  });

  it("keeps its directory on request, with the ledger in it", async () => {
    const { lines } = await run(["--keep"], (line, pid) => {
      if (line.includes("begins to write")) process.kill(pid, "SIGTERM");
    });
    const directory = lines.find((line) => line.startsWith("kept: "))?.slice("kept: ".length) ?? "";
    expect(readdirSync(directory).toSorted()).toEqual(["app-0", "app-1", "app-2", "ledger.jsonl"]);
  });

  it("explains itself, and starts nothing for an option that it does not know", async () => {
    const [help, bogus] = await Promise.all([run(["--help"]), run(["--bogus"])]);
    expect([help.status, bogus.status]).toEqual([0, 2]);
    expect(help.lines.join("\n")).toContain("--script");
    expect(bogus.lines[0]).toContain("--bogus");
    expect(readdirSync(temporary.path)).toEqual([]);
  });
});
