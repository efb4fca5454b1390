/**
 * `npm run demo`: a group of three on this machine, to look at and to break.
 *
 * Invariant: whatever ends the demo (its own end, a key, a signal, an error), all processes it started are gone and its
 * directories removed when it exits.
 *
 * Deliberately absent: the group (stage.ts), the script (script.ts) and the screen (live.ts).
 */
import { rmSync } from "node:fs";
import { constants } from "node:os";
import { messageOf } from "../src/base/errors.ts";
import { HELP, readArguments } from "./arguments.ts";
import { Journal } from "./journal.ts";
import { runLive } from "./live.ts";
import { printJournal, printVerdict, runScript } from "./run-script.ts";
import { Stage, type Timing } from "./stage.ts";

const EXIT_FAULT = 1;
const EXIT_USAGE = 2;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Short, so that the script is. */
const SCRIPT_TIMING: Timing = { leaseDurationMs: 1_000, heartbeatIntervalMs: 100 };
/** The sidecar's defaults: slow enough to watch a lease run down. */
const LIVE_TIMING: Timing = { leaseDurationMs: 2_000, heartbeatIntervalMs: 250 };

class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Aborts at the first signal; the second one ends the process at once, by way of its exit handlers. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(statusOf(signal));
      controller.abort(new Interrupted(signal));
    });
  }
  // Nobody reads any more, as with `| head`: the same as being asked to stop.
  process.stdout.on("error", () => controller.abort(new Interrupted("SIGHUP")));
  return controller.signal;
}

function statusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

async function main(): Promise<number> {
  const request = readArguments(process.argv.slice(2));
  switch (request.kind) {
    case "help":
      process.stdout.write(HELP);
      return 0;
    case "fault":
      process.stderr.write(`demo: ${request.message}\n\n${HELP}`);
      return EXIT_USAGE;
    case "run":
      return run(request.script || !isTerminal(), request.keep);
  }
}

function isTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env["TERM"] !== "dumb";
}

async function run(scripted: boolean, keepDirectory: boolean): Promise<number> {
  const timing = scripted ? SCRIPT_TIMING : LIVE_TIMING;
  const journal = new Journal();
  const signal = abortOnSignals();
  if (scripted) printJournal(journal, print);
  print(`starting three sidecars, their workers, a ledger and DNS (lease ${timing.leaseDurationMs} ms) …`);
  const stage = await Stage.create({ ...timing, journal, keepDirectory, isScripted: scripted, signal });
  // The last resort, for an exit in the middle of everything; processes have theirs where they are started.
  process.on("exit", () => {
    if (!keepDirectory) rmSync(stage.group.directory, { recursive: true, force: true });
  });
  try {
    if (scripted) return (await runScript(stage, print)) ? 0 : EXIT_FAULT;
    const problems = await runLive(stage);
    return printVerdict(stage, [], problems, print) ? 0 : EXIT_FAULT;
  } catch (error) {
    process.stderr.write(`demo: ${messageOf(error)}\n`);
    return error instanceof Interrupted ? statusOf(error.signal) : EXIT_FAULT;
  } finally {
    await stage.close();
    if (keepDirectory) print(`kept: ${stage.group.directory}`);
  }
}

// Not by itself: keep-alive sockets and the like would hold up the end.
process.exit(await main());
