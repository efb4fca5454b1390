/**
 * A command for people, run as a process of its own: `node dist/main.js status`.
 *
 * Invariant: the environment has no TENURE_ variables but those of the test.
 *
 * Deliberately absent: a terminal. Output goes to pipes, so it is plain.
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { MAIN } from "./sidecar.ts";

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runMain(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const own = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("TENURE_")));
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...own, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const closed = new Promise<number | null>((resolve) => void child.once("close", resolve));
  return Promise.all([closed, text(child.stdout), text(child.stderr)]).then(([status, stdout, stderr]) => ({
    status,
    stdout,
    stderr,
  }));
}
