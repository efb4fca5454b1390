/**
 * The workers of examples/ against real sidecars: each acts while its sidecar says so and stops in time, through a
 * drain, its own end, a crash of its sidecar, and a step that outlasts its deadline.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFailed, onTestFinished } from "vitest";
import { ExampleStage } from "../support/example-stage.ts";
import { type Language, LANGUAGES, missingProgram } from "../support/example-worker.ts";
import { LEASE_MS, monotonicMs, startGroup } from "../support/process-test.ts";

/** What sockets and two busy cores may add to an instant: far less than a worker that goes on would show. */
const SLACK_MS = LEASE_MS / 4;
/** A drain that nobody confirms lasts 10 s, the default. One that the worker confirms must be far from that. */
const CONFIRMED_WITHIN_MS = 4 * LEASE_MS;
/** Compiling Go's standard library for the first time takes most of it. */
const TEST_TIMEOUT_MS = 240_000;

async function startStage(language: Language): Promise<ExampleStage> {
  const directory = await mkdtemp(join(tmpdir(), "tenure-example-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const command = language.command(directory);
  const stage = await ExampleStage.start(await startGroup({ size: 3 }), command);
  onTestFinished(() => stage.close());
  onTestFailed(() => console.error(stage.logs()));
  return stage;
}

describe("the example worker", () => {
  const options = { timeout: TEST_TIMEOUT_MS };

  it.for(LANGUAGES)("in $name acts as its sidecar says, and stops in time", options, async (language, context) => {
    const missing = missingProgram(language.needs);
    context.skip(missing !== null, `needs ${missing}`);
    const stage = await startStage(language);
    const { group, record } = stage;
    const resignations = (name: string): number =>
      record.resigned.filter(({ worker, status }) => worker === name && status === 200).length;
    const first = await stage.acting(0);

    // A drain in the middle of a step: the worker ends the step, then confirms, so that nobody waits for the time-out.
    await stage.hold(first.holder.name);
    const drainedMs = monotonicMs();
    await first.holder.ask("PUT", "/eligibility", { body: { eligible: false } });
    const second = await stage.acting(first.token);
    stage.letGo();
    expect.soft(monotonicMs() - drainedMs).toBeLessThan(CONFIRMED_WITHIN_MS);
    expect.soft(resignations(first.holder.name)).toBe(1);
    await first.holder.ask("PUT", "/eligibility", { body: { eligible: true } });

    // Its own end: it hands over and leaves.
    expect.soft(await stage.worker(second.holder.name).terminate()).toBe(0);
    expect.soft(resignations(second.holder.name)).toBe(1);
    const third = await stage.acting(second.token);
    stage.startWorker(second.holder.name);

    // A crash of its sidecar.
    await third.holder.crash();
    const fourth = await stage.acting(third.token);
    await group.startMember(third.holder.name);
    await group.agreed();

    // A step that outlasts its deadline, with a sidecar that does not answer any more.
    const hanging = await stage.hold(fourth.holder.name);
    await fourth.holder.pause();
    await group.until("the worker to give up its step", () => hanging.endedMs);
    stage.letGo();
    await stage.acting(fourth.token);
    fourth.holder.resume();
    await group.agreed();

    expect(record.faults(SLACK_MS)).toStrictEqual([]);
  });
});
