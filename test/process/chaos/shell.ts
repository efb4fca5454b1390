/**
 * Runs the tools of the system.
 *
 * Invariant: a tool that fails rejects with its command and what it said; nothing is retried.
 *
 * Deliberately absent: shells. Arguments are never parsed again.
 */
import { execFile, spawnSync } from "node:child_process";

/** Far above what any of these tools takes; a hanging one must not hold up a campaign for ever. */
const TIMEOUT_MS = 20_000;

/** Resolves with what it wrote to standard output. */
export function run(command: readonly string[], input = ""): Promise<string> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command.join(" ")}: ${stderr.trim() || error.message}`));
    });
    child.stdin?.on("error", () => undefined); // it has ended before it read everything: the status tells
    child.stdin?.end(input);
  });
}

/** For clean-ups and probes: whether it worked. Never throws. */
export function tryRun(command: readonly string[]): boolean {
  const [program = "", ...args] = command;
  return spawnSync(program, args, { stdio: "ignore", timeout: TIMEOUT_MS }).status === 0;
}
