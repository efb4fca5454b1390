/**
 * One pod more in a `NodeWorld`, on a disk whose syncs a test can hold up, with a timing of its own.
 *
 * Invariant: while the gate is shut no write is durable and none fails; what ends this node is in `failures`, and not
 * thrown into the world.
 *
 * Deliberately absent: restarts; the world's own slots have those.
 */
import { memberId } from "../../src/base/types.ts";
import type { LeaseTiming } from "../../src/lease/timing.ts";
import { TenureNode } from "../../src/node/node.ts";
import type { NodeEvent } from "../../src/ports/observer.ts";
import { createMemoryDisk } from "./memory-storage.ts";
import { nameOf, type NodeWorld } from "./node-world.ts";
import { TIMING } from "./timing.ts";

export interface GatedPod {
  readonly node: TenureNode;
  readonly failures: readonly unknown[];
  readonly events: readonly NodeEvent[];
  /** From now on every write waits. */
  shut(): void;
  /** What waits is durable, and all that follows. */
  open(): void;
  /** Whether a write waits. */
  readonly waits: boolean;
}

export interface GatedPodOptions {
  readonly ordinal: number;
  readonly replicas: number;
  readonly timing?: LeaseTiming;
}

export function gatedPod(world: NodeWorld, { ordinal, replicas, timing = TIMING }: GatedPodOptions): GatedPod {
  const failures: unknown[] = [];
  const events: NodeEvent[] = [];
  let gate = Promise.withResolvers<void>();
  let waiting = 0;
  gate.resolve();
  let ids = 0;
  const disk = createMemoryDisk({
    sync: async () => {
      waiting += 1;
      await gate.promise;
      waiting -= 1;
    },
  });
  const newId = (): ReturnType<typeof memberId> => {
    ids += 1;
    return memberId(String(ordinal).padEnd(16, "f") + String(ids).padStart(16, "0"));
  };
  const node = new TenureNode({
    group: "app",
    name: nameOf(ordinal),
    replicas,
    timing,
    priority: 0,
    drainTimeoutMs: 0,
    ephemeral: true,
    version: "test",
    clock: world.clock,
    storage: disk.open(),
    transport: world.network.transport(),
    entropy: { id: newId, seed: () => ordinal + 1 },
    observer: { observe: (event) => void events.push(event) },
    siblings: () => Promise.resolve([]),
    fatal: (error) => void failures.push(error),
  });
  return {
    node,
    failures,
    events,
    shut: () => {
      gate = Promise.withResolvers();
    },
    open: () => gate.resolve(),
    get waits() {
      return waiting > 0;
    },
  };
}
