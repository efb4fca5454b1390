/**
 * The demo without a terminal: plays the script, prints everything with times, judges it, and says so with its status.
 *
 * Invariant: plain lines on standard output, each complete in itself; nothing is ever redrawn.
 *
 * Deliberately absent: starting and stopping; see main.ts.
 */
import { messageOf } from "../src/base/errors.ts";
import { faultsOf } from "./check.ts";
import { clockText, type Journal } from "./journal.ts";
import { machineMs } from "./machine-clock.ts";
import { reportLines } from "./report.ts";
import { type Measurement, Script } from "./script.ts";
import type { Stage } from "./stage.ts";

/** The last lines of each sidecar's log that a failed step shows. */
const SHOWN_LOG_LINES = 12;

export type Print = (line: string) => void;

export function printJournal(journal: Journal, print: Print): void {
  journal.onLine(({ atMs, tone, text }) => print(`${clockText(atMs)}  ${tone === "deed" ? ">" : " "} ${text}`));
}

/** Resolves to whether everything went as it must. Rejects when the demo is aborted. */
export async function runScript(stage: Stage, print: Print): Promise<boolean> {
  const { journal, signal } = stage.options;
  const since = (): string => clockText(machineMs() - journal.startedMs);
  const script = new Script(stage, {
    step: (number, title) => print(`\n${since()}  ${number}. ${title}`),
    done: (text) => print(`${since()}  = ${text}`),
  });
  const problems: string[] = [];
  try {
    await script.play();
  } catch (error) {
    signal.throwIfAborted();
    problems.push(messageOf(error));
    print(`\n${since()}  FAILED  ${messageOf(error)}`);
    printLogs(stage, print);
  }
  return printVerdict(stage, script.measurements, problems, print);
}

/** Resolves to whether there was no fault. `problems` are faults already known. */
export function printVerdict(
  stage: Stage,
  measurements: readonly Measurement[],
  problems: readonly string[],
  print: Print,
): boolean {
  const { tenures } = stage.evidence;
  const faults = [...problems, ...faultsOf(tenures)];
  const { endings, ledger, options } = stage;
  const { refusals } = ledger;
  const { startedMs } = options.journal;
  for (const line of reportLines({ tenures, endings, measurements, refusals, faults, startedMs })) print(line);
  return faults.length === 0;
}

function printLogs(stage: Stage, print: Print): void {
  for (const { name, sidecar } of stage.pods) {
    print(`--- the last lines of ${name}'s sidecar`);
    for (const line of sidecar?.log.slice(-SHOWN_LOG_LINES) ?? []) print(JSON.stringify(line));
    if (sidecar !== null && sidecar.stderr !== "") print(sidecar.stderr);
  }
}
