/**
 * Collects the effects of one step.
 *
 * Invariant: a step has at most one persist and one snapshot; a truncation precedes the entries that replace what was
 * cut.
 *
 * Deliberately absent: any decision.
 */
import { assert } from "../base/assert.ts";
import type { LogIndex, Member } from "../base/types.ts";
import type { Append, CoreEvent, Effects, HardState, Outgoing } from "./effect.ts";
import type { CoreSnapshot, Entry } from "./entry.ts";
import type { Message } from "./message.ts";

export class Outbox {
  #hardStateChanged = false;
  #truncateAfter: LogIndex | null = null;
  #snapshot: CoreSnapshot | null = null;
  readonly #entries: Entry[] = [];
  readonly #send: Outgoing[] = [];
  readonly #apply: Entry[] = [];
  readonly #events: CoreEvent[] = [];

  /** Term, vote or the largest promise changed: the state at the end of the step is persisted. */
  hardStateChanged(): void {
    this.#hardStateChanged = true;
  }

  truncated(after: LogIndex): void {
    this.#truncateAfter = after;
  }

  appended(entry: Entry): void {
    this.#entries.push(entry);
  }

  snapshotTaken(snapshot: CoreSnapshot): void {
    assert(this.#snapshot === null, "a step has at most one snapshot");
    this.#snapshot = snapshot;
  }

  send(to: Member, message: Message): void {
    this.#send.push({ to, message });
  }

  applied(entry: Entry): void {
    this.#apply.push(entry);
  }

  event(event: CoreEvent): void {
    this.#events.push(event);
  }

  finish(hardState: HardState): Effects {
    const persist = this.#persist(hardState);
    return { persist, snapshot: this.#snapshot, send: this.#send, apply: this.#apply, events: this.#events };
  }

  #persist(hardState: HardState): Append | null {
    if (!this.#hardStateChanged && this.#truncateAfter === null && this.#entries.length === 0) return null;
    return {
      ...(this.#hardStateChanged ? { hardState } : {}),
      ...(this.#truncateAfter === null ? {} : { truncateAfter: this.#truncateAfter }),
      entries: this.#entries,
    };
  }
}
