/**
 * One campaign: a test-bed, the rounds of a schedule, the verdict, the report.
 *
 * Invariant: it stops at the first violation of safety, keeps everything, and leaves nothing running, whatever ends it.
 *
 * Deliberately absent: the command line.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineMs } from "../../../demo/machine-clock.ts";
import { messageOf } from "../../../src/base/errors.ts";
import { type CampaignRequest, replayOf } from "./arguments.ts";
import { Watch } from "./bounds.ts";
import { keep, type ReportInput, renderReport, skippedKinds } from "./report.ts";
import { Runner } from "./runner.ts";
import { provokeWrites } from "./scene.ts";
import { within } from "./wait.ts";
import { rowOf } from "./kinds.ts";
import { describe, type Round, roundsOf } from "./schedule.ts";
import { Testbed } from "./testbed.ts";
import { safetyOf, type Verdict, verdictOf } from "./verdict.ts";

export interface CampaignResult {
  readonly passed: boolean;
  readonly interrupted: boolean;
  readonly verdict: Verdict;
}

const MS_PER_MINUTE = 60_000;
/** H: a tenth of D, as in the other tests of real processes. */
const HEARTBEATS_PER_LEASE = 10;
const PROGRESS_MS = 10_000;
const FORMATION_PATIENCE_MS = 30_000;
const MAX_TRIES = 3;
const RATE_PATIENCE_MS = 15_000;

export async function runCampaign(
  request: CampaignRequest,
  bundle: string,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<CampaignResult> {
  const { seed, nodes, leaseMs, kinds, loopback, slowRate } = request;
  const testbed = await Testbed.create({
    seed,
    nodes,
    leaseMs,
    heartbeatMs: Math.round(leaseMs / HEARTBEATS_PER_LEASE),
    kinds,
    loopback,
    slowRate,
    bundle,
    say,
  });
  const watch = new Watch(testbed.pods);
  try {
    const formed = await within(FORMATION_PATIENCE_MS, () => signal.aborted || testbed.holder !== null);
    if (!formed) testbed.broken.push("no holder after the start");
    watch.start();
    return await new Campaign(request, testbed, watch, signal, say).run();
  } finally {
    watch.stop();
    await testbed.close();
  }
}

class Campaign {
  readonly #request: CampaignRequest;
  readonly #testbed: Testbed;
  readonly #watch: Watch;
  readonly #signal: AbortSignal;
  readonly #say: (text: string) => void;
  readonly #notes: string[] = [];
  readonly #runner: Runner;
  readonly #fromMs = machineMs();
  #saidMs = 0;

  constructor(
    request: CampaignRequest,
    testbed: Testbed,
    watch: Watch,
    signal: AbortSignal,
    say: (text: string) => void,
  ) {
    this.#request = request;
    this.#testbed = testbed;
    this.#watch = watch;
    this.#signal = signal;
    this.#say = say;
    this.#runner = new Runner(testbed, (text) => void this.#notes.push(text));
  }

  async run(): Promise<CampaignResult> {
    const rounds = await this.#rounds();
    await this.#measureRates();
    const verdict = verdictOf(this.#testbed, this.#runner, this.#watch, this.#fromMs);
    const input: ReportInput = {
      testbed: this.#testbed,
      runner: this.#runner,
      watch: this.#watch,
      verdict,
      rounds,
      replay: replayOf(this.#request, rounds),
      notes: this.#notes,
    };
    this.#say(renderReport(input));
    for (const { kind, reason } of skippedKinds(this.#runner)) this.#say(`skipped ${kind}: ${reason}`);
    const passed = verdict.safety.length === 0 && verdict.other.length === 0;
    const directory = this.#request.out ?? (passed ? null : mkdtempSync(join(tmpdir(), "tenure-chaos-kept-")));
    if (directory !== null) {
      keep(directory, input);
      this.#say(`kept in ${directory}: report.txt, rounds.txt, records.json, timeline.svg, logs`);
    }
    if (!passed) this.#say(`replay: ${input.replay}`);
    return { passed, interrupted: this.#signal.aborted, verdict };
  }

  /** A sidecar's own log tells how fast its clock runs: every handover is a line, and time must have passed. */
  async #measureRates(): Promise<void> {
    const faked = this.#testbed.pods.filter(({ rate }) => rate !== 1);
    const isDone = (): boolean => this.#signal.aborted || faked.every(({ measuredRate }) => measuredRate !== null);
    if (this.#testbed.broken.length === 0) await provokeWrites(this.#testbed, RATE_PATIENCE_MS, isDone);
  }

  /** Resolves to the number of rounds that were played. */
  async #rounds(): Promise<number> {
    const { seed, nodes, leaseMs, kinds, minutes } = this.#request;
    const endMs = this.#fromMs + minutes * MS_PER_MINUTE;
    const last = this.#request.rounds ?? Number.POSITIVE_INFINITY;
    for (const round of roundsOf({ seed, nodes, leaseMs, kinds })) {
      if (!(await this.#play(round))) return round.number;
      if (round.number >= last || machineMs() >= endMs) return this.#again(round.number);
    }
    return 0;
  }

  /** Whether to go on. */
  async #play(round: Round): Promise<boolean> {
    this.#notes.push(describe(round));
    try {
      await this.#runner.run(round, this.#signal);
    } catch (error) {
      this.#testbed.broken.push(`round ${round.number}: ${messageOf(error)}`);
    }
    const violations = safetyOf(this.#testbed, this.#runner);
    this.#progress(round.number, violations.length);
    return violations.length === 0 && !this.#signal.aborted;
  }

  /** A kind that found nobody to strike, or that happened to have no effect, gets another chance, alone. */
  async #again(rounds: number): Promise<number> {
    let number = rounds;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      for (const kind of this.#runner.unproven()) {
        number += 1;
        const [, longest] = rowOf(kind).lasts;
        const forMs = Math.round((longest * this.#request.leaseMs) / 2);
        const fault = { kind, atMs: 0, forMs, aim: tries, detail: (tries + 1) / (MAX_TRIES + 2) };
        if (!(await this.#play({ number, faults: [fault], settles: true }))) return number;
      }
    }
    return number;
  }

  #progress(round: number, violations: number): void {
    const nowMs = machineMs();
    if (nowMs - this.#saidMs < PROGRESS_MS) return;
    this.#saidMs = nowMs;
    const seconds = Math.round((nowMs - this.#fromMs) / 1_000);
    const { records } = this.#runner;
    const proven = records.filter(({ proof }) => proof !== null).length;
    const { claims, ledger } = this.#testbed;
    this.#say(
      `${String(seconds).padStart(5)} s  round ${round}, ${proven} faults, ${claims.length} tenures, ` +
        `${ledger.refused} stale writes refused, ${violations} violations`,
    );
  }
}
