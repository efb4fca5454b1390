/**
 * A broken promise, named.
 *
 * Invariant: `rule` is one of the names below, each of which has a mutant that dies of it (test/mutants/checks.ts).
 *
 * Deliberately absent: recovery. The seed ends here.
 */
export const RULES = [
  "exclusion",
  "linearizable",
  "token",
  "answer",
  "deadline",
  "backing",
  "minority",
  "quorum",
  "promise",
  "wait",
  "certificate",
  "lapse",
  "revocation",
  "tenure",
  "transfer",
  "TimeoutNow",
  "announcement",
  "eligibility",
  "calmness",
  "one leader per term",
  "one vote per term",
  "log matching",
  "leader completeness",
  "committed prefix",
  "figure 8",
  "durability",
  "snapshot",
  "change",
  "removal",
  "rescue",
  "one group",
  "form",
  "amnesiac",
  "stopped disk",
  "storage",
  "bounds",
  "liveness",
  "quiet",
  "joins",
  "connections",
  "refusal",
  "assertion",
] as const;
export type Rule = (typeof RULES)[number];

/** Sums of a few numbers of about 10^10 ms, which is a hundred days, are exact to better than this. */
export const ROUNDING_MS = 1e-4;

export class Violation extends Error {
  override readonly name = "Violation";
  readonly rule: Rule;

  constructor(rule: Rule, detail: string, options?: { readonly cause?: unknown }) {
    super(`${rule}: ${detail}`, options);
    this.rule = rule;
  }
}

let only: Rule | null = null;

/** To see one check fail that others forestall: from here on these alone count. Null: all of them. */
export function lookOnlyFor(rule: Rule | null): void {
  only = rule;
}

export function isLookedFor(rule: Rule): boolean {
  return only === null || only === rule;
}

export function check(condition: boolean, rule: Rule, detail: () => string): void {
  if (!condition && isLookedFor(rule)) throw new Violation(rule, detail());
}
