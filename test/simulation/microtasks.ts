/**
 * Runs every promise that is due, at once and to the end, so that a simulation of code with promises is one plain loop.
 *
 * The shipped node awaits its ports. All that its promises wait for is resolved by the agenda; what follows from one
 * event is over, in the order in which the engine keeps its microtasks, before the next event begins. A turn of the
 * event loop (setImmediate) would do the same for 1 µs instead of 0.02 µs.
 *
 * Invariant: after `settle` no microtask waits. It works only outside of microtasks; `outsideMicrotasks` gets there,
 * and `settle` proves it now and then.
 *
 * Deliberately absent: timers and I/O. Simulated code has neither.
 */
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { assert } from "../../src/base/assert.ts";

/** Node has no call for this; V8 has had one for its own tests for ten years. */
function checkpoint(): () => void {
  setFlagsFromString("--allow-natives-syntax");
  const found: unknown = runInThisContext("() => %PerformMicrotaskCheckpoint()");
  assert(typeof found === "function", "the engine runs microtasks on demand");
  const run = found as () => void;
  // The first call compiles it, which the flag must allow.
  run();
  setFlagsFromString("--no-allow-natives-syntax");
  return run;
}

export const settle = checkpoint();

/** Fails where `settle` would do nothing: inside of a microtask. */
export function assertSettles(): void {
  let settled = false;
  void Promise.resolve().then(() => (settled = true));
  settle();
  assert(settled, "a simulation runs outside of microtasks");
}

/** Runs `work` in a turn of its own. Between two of them the event loop gets its turn. */
export function outsideMicrotasks<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
