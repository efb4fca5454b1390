/**
 * Groups and single sidecars for the tests of test/process: stopped when the test ends, with their logs when it fails.
 *
 * Invariant: nothing that a test started outlives it.
 *
 * Deliberately absent: conditions; see local-group.ts and sidecar.ts, which need no test framework.
 */
import { onTestFailed, onTestFinished } from "vitest";
import { type GroupSettings, LocalGroup } from "./local-group.ts";
import { Sidecar } from "./sidecar.ts";

/** D, H and U of these tests unless they say otherwise, in ms. */
export const LEASE_MS = 1_000;
export const HEARTBEAT_MS = 100;
export const USABLE_MS = (LEASE_MS * 0.9) / 1.1;
const NS_PER_MS = 1_000_000;

/** A group of which nobody runs yet. */
export async function createGroup(settings: GroupSettings): Promise<LocalGroup> {
  return kept(await LocalGroup.create(settings));
}

export async function startGroup(settings: GroupSettings): Promise<LocalGroup> {
  return kept(await LocalGroup.start(settings));
}

function kept(group: LocalGroup): LocalGroup {
  onTestFinished(() => group.stop());
  onTestFailed(() => console.error(group.logs()));
  return group;
}

/** A process that need not come up. */
export function runSidecar(env: Readonly<Record<string, string>>, args: readonly string[] = []): Sidecar {
  const sidecar = new Sidecar("app-0", env, args);
  onTestFinished(() => sidecar.stop());
  onTestFailed(() => console.error(`${sidecar.tail()}\n${sidecar.stderr}`));
  return sidecar;
}

/** This machine's CLOCK_MONOTONIC, which the deadlines of `/leader` are on, in ms. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS;
}
