/**
 * `npm run chaos`: real faults on real processes; see arguments.ts for what it takes.
 *
 * Invariant: whatever ends it, all that it started is gone when it exits, and soon after it was killed.
 *
 * Deliberately absent: everything else.
 */
import { constants } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../../src/base/errors.ts";
import { buildDist, isStale } from "../../../scripts/build.ts";
import { type CampaignRequest, HELP, readArguments } from "./arguments.ts";
import { runCampaign } from "./campaign.ts";
import { peerTrouble, runPeers } from "./peer.ts";
import { describe, roundsOf } from "./schedule.ts";

const EXIT_VIOLATION = 1;
const EXIT_USAGE = 2;
const PLANNED_ROUNDS = 20;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const BUNDLE = join(import.meta.dirname, "..", "..", "..", "dist", "main.js");

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Aborts at the first signal; the second one ends the process, and the undertaker removes what is left. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
      controller.abort(signal);
    });
  }
  // Nobody reads any more, as with `| head`: the same as being asked to stop.
  process.stdout.on("error", () => controller.abort("SIGHUP"));
  return controller.signal;
}

async function bundleOf({ bundle }: CampaignRequest): Promise<string> {
  if (bundle !== null) return bundle;
  if (isStale()) await buildDist();
  return BUNDLE;
}

function print(request: CampaignRequest): void {
  for (const round of roundsOf(request)) {
    if (round.number > (request.rounds ?? PLANNED_ROUNDS)) return;
    say(describe(round));
  }
}

async function main(): Promise<number> {
  const request = readArguments(process.argv.slice(2));
  if (request.kind === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  if (request.kind === "fault") {
    process.stderr.write(`chaos: ${request.message}\n\n${HELP}`);
    return EXIT_USAGE;
  }
  if (request.kind === "plan") {
    print(request);
    return 0;
  }
  const { seed, nodes, leaseMs, minutes } = request;
  say(`seed ${seed}, ${nodes} pods, D = ${leaseMs} ms, up to ${minutes} minutes`);
  const signal = abortOnSignals();
  if (request.peer !== null) {
    const trouble = peerTrouble();
    if (trouble !== null) throw new Error(trouble);
    return (await runPeers(request, await bundleOf(request), signal, say)) ? 0 : EXIT_VIOLATION;
  }
  const { passed, interrupted } = await runCampaign(request, await bundleOf(request), signal, say);
  if (!passed) return EXIT_VIOLATION;
  return interrupted ? 128 + constants.signals.SIGINT : 0;
}

try {
  // Not by itself: keep-alive sockets and the like would hold up the end.
  process.exit(await main());
} catch (error) {
  process.stderr.write(`chaos: ${messageOf(error)}\n`);
  process.exit(EXIT_VIOLATION);
}
