/**
 * What a group that has just formed begins with (DESIGN, Formation and Membership).
 *
 * Invariant: every founder derives the same from the same Form.
 *
 * Deliberately absent: how a Form comes about; see formation.ts.
 */
import { MAX_VOTERS } from "../base/limits.ts";
import { logIndex, term } from "../base/types.ts";
import type { Form, Snapshot } from "../ports/storage.ts";
import { byOrdinal } from "./names.ts";

/** The founders vote, up to MAX_VOTERS in the order of their ordinals; further ones listen. */
export function snapshotOfForm({ groupId, tokenBase, founders }: Form): Snapshot {
  const ordered = founders.toSorted(byOrdinal);
  const configuration = { voters: ordered.slice(0, MAX_VOTERS), learners: ordered.slice(MAX_VOTERS) };
  return { index: logIndex(0), term: term(0), groupId, configuration, tokenBase, removed: [], lock: [] };
}
