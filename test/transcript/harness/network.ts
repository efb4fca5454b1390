/**
 * Messages on their way, and the word of the script over each of them.
 *
 * Invariant: a message is in exactly one place: in flight, held, or gone; and keeps its order within each.
 *
 * Deliberately absent: time. A message arrives when the script, or the world it runs in, says so.
 */
import type { Member } from "../../../src/base/types.ts";
import type { Message } from "../../../src/raft/message.ts";
import { type Args, positionOf } from "./args.ts";

export interface Flight {
  readonly from: Member;
  readonly to: Member;
  readonly message: Message;
}

/** Which messages a command is about; what is null is any. */
export interface Selector {
  readonly from: string | null;
  readonly to: string | null;
  readonly kind: string | null;
}

export function selectorOf(args: Args): Selector {
  return { from: args.option("from"), to: args.option("to"), kind: args.option("kind") };
}

export function selects({ from, to, kind }: Selector, flight: Flight): boolean {
  return (
    (from === null || flight.from.name === from) &&
    (to === null || flight.to.name === to) &&
    (kind === null || flight.message.kind === kind)
  );
}

export class Network {
  flights: Flight[] = [];
  held: Flight[] = [];
  #holds: Selector[] = [];
  readonly #cuts = new Set<string>();

  /** Takes a message; returns what became of it. */
  send(flight: Flight): "sent" | "cut" | "held" {
    if (this.#cuts.has(`${flight.from.name}>${flight.to.name}`)) return "cut";
    if (this.#holds.some((selector) => selects(selector, flight))) {
      this.held.push(flight);
      return "held";
    }
    this.flights.push(flight);
    return "sent";
  }

  /** Removes and returns the messages in flight that are meant; at most `limit`, oldest first. */
  take(selector: Selector, limit = Number.POSITIVE_INFINITY): readonly Flight[] {
    const taken = this.flights.filter((flight) => selects(selector, flight)).slice(0, limit);
    this.flights = this.flights.filter((flight) => !taken.includes(flight));
    return taken;
  }

  /** From now on such messages wait aside, those in flight included. */
  hold(selector: Selector): readonly Flight[] {
    this.#holds.push(selector);
    const taken = this.take(selector);
    this.held.push(...taken);
    return taken;
  }

  /** What waited aside is in flight again, after what is in flight now. */
  unhold(): readonly Flight[] {
    const back = this.held;
    this.#holds = [];
    this.held = [];
    this.flights.push(...back);
    return back;
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Cuts a member off from all others, both ways. */
  isolate(name: string, names: readonly string[]): void {
    for (const other of names.filter((candidate) => candidate !== name)) {
      this.cut(name, other);
      this.cut(other, name);
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  /** What is on its way to a member that is gone is gone too. */
  dropTo(name: string): void {
    this.flights = this.flights.filter(({ to }) => positionOf(to.name) !== positionOf(name));
    this.held = this.held.filter(({ to }) => positionOf(to.name) !== positionOf(name));
  }
}
