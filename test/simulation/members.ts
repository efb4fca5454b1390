/**
 * Every incarnation that ever was: where it lived, what its disk had, and when that was emptied.
 *
 * Invariant: an incarnation that has died stays dead; its disk is kept as it was, because what it said still counts.
 *
 * Deliberately absent: who is a member of a group. Configurations say that.
 */
import type { MemberId } from "../../src/base/types.ts";
import type { Machine } from "./machine.ts";
import type { Disk } from "./storage-port.ts";

export interface Incarnation {
  readonly machine: Machine;
  readonly disk: Disk;
  /** When its disk was emptied, in true time; null while it can come back. */
  diedAtMs: number | null;
}

export class Members {
  readonly #byId = new Map<MemberId, Incarnation>();
  /** Groups that a person has given up, by a rescue. */
  readonly givenUp = new Set<string>();

  born(machine: Machine, disk: Disk, id: MemberId): void {
    this.#byId.set(id, { machine, disk, diedAtMs: null });
  }

  died(id: MemberId, atMs: number): void {
    const incarnation = this.#byId.get(id);
    if (incarnation !== undefined) incarnation.diedAtMs = atMs;
  }

  of(id: MemberId): Incarnation | null {
    return this.#byId.get(id) ?? null;
  }

  /** Those whose disks still are. */
  get living(): readonly Incarnation[] {
    return [...this.#byId.values()].filter(({ diedAtMs }) => diedAtMs === null);
  }
}
