/**
 * Which clock a pod has: the machine's, one that runs 9 % fast or slow, or one whose wall time can be stepped.
 *
 * A slow pod also gets a /proc/uptime that stands still: the holder goes by the faster of its two clocks, and faketime
 * fakes only one of them, so its lease would run at the true rate.
 *
 * Invariant: a faked clock is faked from the first instruction of the process to its last. The drift bound is 10 %.
 *
 * Deliberately absent: clocks of witnesses, which are always true.
 */
import { writeFileSync } from "node:fs";
import { Chance } from "../../simulation/chance.ts";
import type { FaultKind } from "./kinds.ts";
import { faketimeLibrary, type Missing, whyNot } from "./means.ts";

export type ClockProfile =
  | { readonly kind: "true" }
  | { readonly kind: "rate"; readonly rate: number }
  /** `file` has the offset of the wall clock. */
  | { readonly kind: "stepped"; readonly file: string };

export const TRUE_CLOCK: ClockProfile = { kind: "true" };
const FAST = 1.09;
export const SLOW = 0.91;

/** By the seed: one slow, one fast and one stepped, as far as there are pods and the campaign has those faults. */
export function clocksOf(
  names: readonly string[],
  seed: number,
  kinds: readonly FaultKind[],
  missing: Missing,
  fileOf: (name: string) => string,
  slow = SLOW,
): ReadonlyMap<string, ClockProfile> {
  const chance = new Chance(seed);
  const order = names.toSorted().map((name) => ({ name, place: chance.next() }));
  const free = order.toSorted((a, b) => a.place - b.place).map(({ name }) => name);
  const clocks = new Map<string, ClockProfile>();
  const wants = (kind: FaultKind): boolean => kinds.includes(kind) && whyNot(kind, missing) === null;
  for (const rate of wants("clock-rate") ? [slow, FAST] : []) {
    const name = free.pop();
    if (name !== undefined) clocks.set(name, { kind: "rate", rate });
  }
  const name = wants("wall-step") ? free.pop() : undefined;
  if (name !== undefined) clocks.set(name, { kind: "stepped", file: fileOf(name) });
  return clocks;
}

/** How fast this pod's clock runs; 1 is true. */
export function rateOf(clock: ClockProfile): number {
  return clock.kind === "rate" ? clock.rate : 1;
}

/**
 * What the command of a process with this clock is put behind.
 * @param still a file for a slow pod's /proc/uptime; null where no mount namespace is to be had
 */
export function underClock(clock: ClockProfile, still: string | null): readonly string[] {
  if (clock.kind === "true") return [];
  const library = `LD_PRELOAD=${faketimeLibrary() ?? ""}`;
  if (clock.kind === "stepped") {
    // A second of caching, because each look at the file costs more than a look at the clock.
    const settings = [`FAKETIME_TIMESTAMP_FILE=${clock.file}`, "FAKETIME_CACHE_DURATION=1", "DONT_FAKE_MONOTONIC=1"];
    return ["env", library, ...settings];
  }
  const faked = ["env", library, `FAKETIME=+0 x${clock.rate}`];
  if (clock.rate >= 1 || still === null) return faked;
  const mount = `mount --bind ${still} /proc/uptime && exec "$@"`;
  // Slave: a volume that is unmounted must not live on in here.
  return ["unshare", "--mount", "--propagation", "slave", "sh", "-c", mount, "sh", ...faked];
}

/** Steps the wall clock of the pods that read this file. */
export function stepWallClock(file: string, seconds: number): void {
  writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}s\n`);
}
