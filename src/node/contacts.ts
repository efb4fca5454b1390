/**
 * When each peer was last heard, and which version it runs.
 *
 * Invariant: holds at most one row per name of the configuration or the set, because the transport connects to no
 * others; it is for people only and decides nothing.
 *
 * Deliberately absent: health. Whether a member is alive is not decidable; "last heard" is.
 */
import type { Member, MemberId, MonotonicMs } from "../base/types.ts";

interface Contact {
  readonly id: MemberId;
  readonly heardAt: MonotonicMs | null;
  readonly version: string | null;
}

export class Contacts {
  readonly #byName = new Map<string, Contact>();

  heard(from: Member, at: MonotonicMs): void {
    const known = this.#of(from.name, from.id);
    this.#byName.set(from.name, { id: from.id, heardAt: at, version: known?.version ?? null });
  }

  connected(peer: Member, version: string): void {
    const known = this.#of(peer.name, peer.id);
    this.#byName.set(peer.name, { id: peer.id, heardAt: known?.heardAt ?? null, version });
  }

  /** Forgets everyone whose name is not among these. */
  keep(names: readonly string[]): void {
    for (const name of this.#byName.keys()) if (!names.includes(name)) this.#byName.delete(name);
  }

  heardAt(member: Member): MonotonicMs | null {
    return this.#of(member.name, member.id)?.heardAt ?? null;
  }

  version(member: Member): string | null {
    return this.#of(member.name, member.id)?.version ?? null;
  }

  #of(name: string, id: MemberId): Contact | null {
    const contact = this.#byName.get(name);
    return contact?.id === id ? contact : null;
  }
}
