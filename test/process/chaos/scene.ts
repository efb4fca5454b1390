/**
 * What an executor of a fault gets and gives.
 *
 * Invariant: after `heal`, the pods are as before: running, connected, whole. `proof` comes from a counter, a status or
 * a trace of what really happened, never from the fact that a command was given.
 *
 * Deliberately absent: faults.
 */
import type { FaultKind } from "./kinds.ts";
import type { Pod } from "./pod.ts";
import type { PlannedFault } from "./schedule.ts";
import type { Testbed } from "./testbed.ts";
import { within } from "./wait.ts";

export interface Scene {
  readonly testbed: Testbed;
  readonly fault: PlannedFault;
  /** Whom it is aimed at; for faults of the whole group one of them. */
  readonly pod: Pod;
  /** Everyone who may be struck, for faults of the whole group. */
  readonly all: readonly Pod[];
}

export interface Injection {
  /** More than the pod that it was aimed at. */
  readonly targets?: readonly Pod[];
  /** Without whom the rest of the group is whole; nobody, unless said. */
  readonly impaired?: readonly Pod[];
  readonly blind?: boolean;
  /** Resolves to the proof, or to null when nothing shows that it happened. */
  heal(): Promise<string | null>;
}

/** Rejects when the fault cannot be made now: it is then counted as missed. */
export type Executor = (scene: Scene) => Promise<Injection>;
export type Executors = Partial<Record<FaultKind, Executor>>;

/** Every tenure writes to every disk: hands over until the condition holds. */
export async function provokeWrites(testbed: Testbed, patienceMs: number, done: () => boolean): Promise<boolean> {
  let handOver = Promise.resolve(0);
  let next = 0;
  return within(patienceMs, () => {
    if (done()) return true;
    const { holder } = testbed;
    if (performance.now() < next || holder === null) return false;
    next = performance.now() + testbed.options.leaseMs / 2;
    handOver = handOver.then(() => holder.resign());
    return false;
  });
}
