/**
 * Everyone who waits for a change: long polls and watchers.
 *
 * Invariant: at most `maxWaiters` at once, over both kinds; one subscription to the application for all of them. A
 * waiter that has left is not told any more.
 *
 * Deliberately absent: what changed. Every waiter asks the application anew, at the moment it writes.
 */
import { TenureError } from "../base/errors.ts";
import type { Application } from "../ports/application.ts";

export interface Waiter {
  /** `leader().index` may have grown. */
  changed(): void;
  /** The API closes: write what there is to say, and end. */
  closing(): void;
}

export interface Waiters {
  /** Returns the way out, harmless to call twice. Throws `too_many_waiters` or `shutting_down`. */
  add(waiter: Waiter): () => void;
  count(): number;
  /** Tells every waiter, and takes no more. */
  close(): void;
}

export function createWaiters(application: Application, maxWaiters: number): Waiters {
  const waiting = new Set<Waiter>();
  let closed = false;
  const unsubscribe = application.onChange(() => {
    // A waiter may leave while it is told; a Set is safe to go through meanwhile.
    for (const waiter of waiting) waiter.changed();
  });
  return {
    add(waiter) {
      if (closed) throw new TenureError("shutting_down", "the sidecar is stopping");
      if (waiting.size >= maxWaiters) {
        throw new TenureError("too_many_waiters", `${maxWaiters} long polls and watchers are waiting already`);
      }
      waiting.add(waiter);
      return () => {
        waiting.delete(waiter);
      };
    },
    count: () => waiting.size,
    close() {
      if (closed) return;
      closed = true;
      unsubscribe();
      for (const waiter of waiting) waiter.closing();
    },
  };
}
