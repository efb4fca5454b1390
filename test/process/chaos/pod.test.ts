/**
 * A pod of the test-bed whose application comes back at any moment of its sidecar's life.
 */
import { expect, it, onTestFinished } from "vitest";
import { MAIN } from "../../support/sidecar.ts";
import { Testbed } from "./testbed.ts";
import { within } from "./wait.ts";

/** A start, a formation and a wait of one lease, on a machine with other things to do. */
const PATIENCE_MS = 20_000;

it("an application that is started before its sidecar listens is told of its port", async () => {
  const testbed = await Testbed.create({
    seed: 1,
    nodes: 1,
    leaseMs: 500,
    heartbeatMs: 100,
    kinds: [],
    loopback: true,
    slowRate: 1,
    bundle: MAIN,
    say: () => undefined,
  });
  onTestFinished(() => testbed.close());
  const [pod] = testbed.pods;
  if (pod === undefined) throw new Error("there is one pod");
  pod.expectsEnd = true;
  await Promise.all([pod.running.crash(), pod.witness?.crash()]);
  const started = testbed.startPod(pod);
  pod.startWitness();
  await started;
  const first = testbed.claims.length;
  expect(await within(PATIENCE_MS, () => testbed.claims.length > first), JSON.stringify(pod.lastAnswer)).toBe(true);
  expect(testbed.broken).toEqual([]);
});
