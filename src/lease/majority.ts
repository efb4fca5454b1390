/**
 * Majorities: the one rule on which commits and leases both rest.
 *
 * Invariant: two majorities of the same voters share a member. An empty set has no majority.
 *
 * Deliberately absent: who the voters are. That comes from the latest appended configuration, never from DNS.
 */

/** floor(n / 2) + 1. */
export function majoritySize(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** The largest value that a majority has reached, given each voter's value (null: none yet); null if there is none. */
export function newestOfMajority<T extends number>(values: readonly (T | null)[]): T | null {
  const reached = values.filter((value) => value !== null).toSorted((a, b) => b - a);
  return reached[majoritySize(values.length) - 1] ?? null;
}
