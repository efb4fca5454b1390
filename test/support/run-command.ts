/**
 * A command for people, run in this process: its output as text, and its exit status.
 *
 * Invariant: nothing of the environment of the tests gets in, and there are no colours.
 *
 * Deliberately absent: a process; see command.ts.
 */
import { plain } from "../../src/cli/paint.ts";
import { runCommand } from "../../src/cli/run-command.ts";
import { type Bench, startBench } from "./lock-api.ts";

export const TOKEN = 251_301_442_093_057;

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export function runAt(port: number, ...argv: readonly string[]): Promise<Outcome> {
  return run({ TENURE_HTTP_PORT: String(port) }, ...argv);
}

export async function run(env: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<Outcome> {
  let [out, err] = ["", ""];
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    paint: plain,
  };
  const status = await runCommand(argv, env, terminal);
  return { status, out, err };
}

/** The lock API of a pod that holds the lock. */
export async function holding(): Promise<Bench> {
  const bench = await startBench();
  bench.application.hold(TOKEN);
  return bench;
}
