/**
 * What a node is made of: its ports and the settings that it needs.
 *
 * Invariant: the node knows no adapter; main.ts brings them.
 *
 * Deliberately absent: validation; src/config has done it.
 */
import type { MemberId } from "../base/types.ts";
import type { LeaseTiming } from "../lease/timing.ts";
import type { Clock } from "../ports/clock.ts";
import type { Observer } from "../ports/observer.ts";
import type { Storage } from "../ports/storage.ts";
import type { Transport } from "../ports/transport.ts";

/** Chance, from outside. */
export interface Entropy {
  /** 32 random hexadecimal digits. */
  readonly id: () => MemberId;
  /** A random 32-bit integer. */
  readonly seed: () => number;
}

export interface NodeOptions {
  readonly group: string;
  /** `<set>-<ordinal>`. */
  readonly name: string;
  /** The size of the set when the group is formed. */
  readonly replicas: number;
  readonly timing: LeaseTiming;
  readonly priority: number;
  readonly drainTimeoutMs: number;
  /** The data directory goes with the pod: a member that is stopped in order leaves its group. */
  readonly ephemeral: boolean;
  readonly version: string;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly entropy: Entropy;
  readonly observer: Observer;
  /** Names of the set that DNS knows of; a failure counts as none. Absent where there is no such source. */
  readonly siblings?: () => Promise<readonly string[]>;
  /** Storage, clock or protocol failed: the process must end at once; the lease lapses by itself. */
  readonly fatal: (error: unknown) => void;
}
