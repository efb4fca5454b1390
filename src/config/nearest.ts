/**
 * "Did you mean …?": the known word nearest to one that is not.
 *
 * Invariant: a word that resembles nothing gets no suggestion, because a silly one misleads.
 *
 * Deliberately absent: a dictionary of synonyms.
 */
import { MAX_SUGGESTION_LENGTH } from "../base/limits.ts";

/** Case, "_" and "-" count as equal. Null when more than half of the word would have to change. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > MAX_SUGGESTION_LENGTH) return null;
  const wanted = plain(word);
  let best: string | null = null;
  let bestDistance = Math.floor(wanted.length / 2) + 1;
  for (const candidate of known) {
    const distance = distanceBetween(wanted, plain(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** What both ways of writing a setting have in common: `TENURE_LEASE_DURATION` and `--lease-duration` are equal. */
function plain(word: string): string {
  return word
    .toLowerCase()
    .replace(/^-+/, "")
    .replaceAll(/[-_]/g, "")
    .replace(/^tenure/, "");
}

/** What is left out at the end of a long name counts as one change: `--lease` means `--lease-duration`. */
function distanceBetween(word: string, candidate: string): number {
  const toBeginning = 1 + editsBetween(word, candidate.slice(0, word.length));
  return Math.min(editsBetween(word, candidate), toBeginning);
}

/** Levenshtein's distance, row by row. */
function editsBetween(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let line = 1; line <= left.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= right.length; column += 1) {
      const [above = 0, before = 0, diagonal = 0] = [row[column], next[column - 1], row[column - 1]];
      const changed = left[line - 1] === right[column - 1] ? 0 : 1;
      next.push(Math.min(above + 1, before + 1, diagonal + changed));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
