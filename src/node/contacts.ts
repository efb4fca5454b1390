/**
 * When each peer was last heard, and which version it runs.
 *
 * Invariant: holds at most one row per name that this node keeps a connection to, whoever else calls; it is for people
 * only and decides nothing.
 *
 * Deliberately absent: health. Whether a member is alive is not decidable; "last heard" is.
 */
import type { Member, MemberId, MonotonicMs } from "../base/types.ts";

interface Contact {
  readonly id: MemberId;
  readonly heardAt: MonotonicMs | null;
  readonly version: string | null;
  /** Connected as a member of this node's own group. */
  readonly isMember: boolean;
}

export class Contacts {
  readonly #byName = new Map<string, Contact>();
  #names: ReadonlySet<string> = new Set();

  heard(from: Member, at: MonotonicMs): void {
    if (!this.#names.has(from.name)) return;
    const known = this.#of(from.name, from.id);
    this.#byName.set(from.name, {
      id: from.id,
      heardAt: at,
      version: known?.version ?? null,
      isMember: known?.isMember ?? false,
    });
  }

  connected(peer: Member, isMember: boolean, version: string): void {
    const known = this.#of(peer.name, peer.id);
    this.#byName.set(peer.name, { id: peer.id, heardAt: known?.heardAt ?? null, version, isMember });
  }

  /** Forgets everyone whose name is not among these, and hears nobody else. */
  keep(names: readonly string[]): void {
    this.#names = new Set(names);
    for (const name of this.#byName.keys()) if (!this.#names.has(name)) this.#byName.delete(name);
  }

  /** Who was last connected as a member of this node's own group. */
  get members(): readonly Member[] {
    return [...this.#byName].flatMap(([name, { id, isMember }]) => (isMember ? [{ id, name }] : []));
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
