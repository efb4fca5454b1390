/**
 * Several observers as one.
 *
 * Invariant: what an observer throws never reaches the node, and keeps no other observer from its event
 * (src/ports/observer.ts). The others are told of it as a fault.
 *
 * Deliberately absent: order. No observer may rely on another having been told before.
 */
import { messageOf } from "../base/errors.ts";
import type { NodeEvent, Observer } from "../ports/observer.ts";

export function combineObservers(observers: readonly Observer[]): Observer {
  const tell = (observer: Observer, event: NodeEvent): string | null => {
    try {
      observer.observe(event);
      return null;
    } catch (error) {
      return messageOf(error);
    }
  };
  return {
    observe(event) {
      for (const observer of observers) {
        const message = tell(observer, event);
        if (message === null) continue;
        const fault: NodeEvent = { kind: "fault", code: "internal", where: `observer of ${event.kind}`, message };
        for (const other of observers) if (other !== observer) tell(other, fault);
      }
    },
  };
}
