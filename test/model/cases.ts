/**
 * What the models are asked, and what must come out.
 *
 * Invariant: every case can fail. A rule that holds is searched to the end; a mutant and a thing that must be able to
 * happen are refuted with a run that shows it.
 *
 * Deliberately absent: how Spin is called; see spin.ts.
 */

export type Model = "lease" | "membership";

/** `holds`: searched to the end without a fault. `refuted`: a run breaks it. */
export type Verdict = "holds" | "refuted";

export interface Case {
  readonly name: string;
  readonly model: Model;
  readonly expected: Verdict;
  /** Names for the preprocessor, with a value if they have one. */
  readonly switches: readonly string[];
  /** In the sample that `npm test` runs: a few seconds each. */
  readonly sample?: true;
  /** Takes minutes; left out unless asked for. */
  readonly long?: true;
}

const NO_LOG = "NO_LOG";
const TWO_TERMS = ["TERMS=2"];
const TOKENS = ["TERMS=2", "ENTRIES=4"];
const FOUR_FOUNDERS = "FOUNDERS=15";

const lease = (name: string, expected: Verdict, ...switches: readonly string[]): Case => ({
  name,
  model: "lease",
  expected,
  switches,
});

const membership = (name: string, expected: Verdict, ...switches: readonly string[]): Case => ({
  name,
  model: "membership",
  expected,
  switches,
});

const sampled = (one: Case): Case => ({ ...one, sample: true });
const long = (one: Case): Case => ({ ...one, long: true });

const RULES: readonly Case[] = [
  sampled(lease("exclusion, 2 terms, a restart", "holds", NO_LOG, ...TWO_TERMS, "BOOTS=1")),
  lease("exclusion, 3 terms", "holds", NO_LOG),
  lease("exclusion, 3 terms, a restart", "holds", NO_LOG, "BOOTS=1", "APPENDS_AT_ONCE"),
  lease("exclusion, 2 terms, U = 2, D = 4", "holds", NO_LOG, ...TWO_TERMS, "SPAN=2", "APPENDS_AT_ONCE"),
  lease("exclusion and tokens, 2 terms", "holds", ...TOKENS),
  lease("exclusion and tokens, 2 terms, a restart", "holds", ...TOKENS, "BOOTS=1", "APPENDS_AT_ONCE"),
  lease("exclusion and tokens, 2 terms, other entries", "holds", ...TOKENS, "WITH_COMMANDS", "APPENDS_AT_ONCE"),
  long(lease("exclusion and tokens, 3 terms", "holds", "APPENDS_AT_ONCE")),
  sampled(membership("members: 3 founders, 2 terms, 2 changes", "holds", "TERMS=2", "ENTRIES=4")),
  membership("members: 2 founders, 3 terms, 2 changes", "holds", "FOUNDERS=3"),
  long(membership("members: 3 founders, 3 terms, 2 changes", "holds")),
  long(membership("members: 4 founders, 3 terms, 2 changes", "holds", FOUR_FOUNDERS)),
  membership("members: handovers, 2 terms, 2 changes", "holds", "TERMS=2", "ENTRIES=4", "HANDOVERS"),
  membership("members: handovers, 3 terms, 1 change", "holds", "ENTRIES=4", "CHANGES=1", "HANDOVERS"),
  long(membership("members: drift, 2 terms, 2 changes", "holds", "TERMS=2", "ENTRIES=4", "DRIFT")),
];

const MUTANTS: readonly Case[] = [
  sampled(lease("a new leader does not wait", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_NO_WAIT")),
  lease("a candidate ignores its own promise", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_OWN_PROMISE_IGNORED"),
  lease("a leader makes no promise to itself", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_NO_SELF_PROMISE"),
  lease("the lease is counted from the reply", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_ACK_TIME"),
  lease("the holder uses D", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_HOLDER_USES_D"),
  lease("acks of a minority give a lease", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_MINORITY_ACKS"),
  lease("half of the votes elects", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_HALF_IS_ENOUGH"),
  lease("two votes in a term", "refuted", NO_LOG, "TERMS=1", "MUTANT_TWO_VOTES"),
  lease("a restart forgets the promise", "refuted", NO_LOG, ...TWO_TERMS, "BOOTS=1", "MUTANT_BOOT_FORGETS_PROMISE"),
  lease("a restart forgets the vote", "refuted", NO_LOG, "TERMS=1", "BOOTS=1", "MUTANT_BOOT_FORGETS_VOTE"),
  lease("release before the application stopped", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_RELEASED_TOO_EARLY"),
  lease("the lease goes on after a failed transfer", "refuted", NO_LOG, ...TWO_TERMS, "MUTANT_RESUMES"),
  lease("a certificate before the own wait is over", "refuted", NO_LOG, "MUTANT_CERTIFICATE_TOO_EARLY"),
  lease("a certificate counts for any term", "refuted", NO_LOG, "MUTANT_CERTIFICATE_OF_ANY_TERM"),
  sampled(lease("holds without a second look", "refuted", ...TOKENS, "APPENDS_AT_ONCE", "MUTANT_NO_SECOND_LOOK")),
  lease("holds before the claim is committed", "refuted", ...TOKENS, "WITH_COMMANDS", "MUTANT_HOLDS_UNCOMMITTED"),
  lease("a shorter log wins", "refuted", ...TOKENS, "APPENDS_AT_ONCE", "MUTANT_STALE_LOG_WINS"),
  membership("members: no wait", "refuted", "TERMS=2", "ENTRIES=4", "MUTANT_NO_WAIT"),
  membership("members: acks of learners count", "refuted", "MUTANT_LEARNERS_COUNT"),
  membership("members: two changes in flight", "refuted", "MUTANT_TWO_CHANGES_AT_ONCE"),
  sampled(membership("members: one entry swaps two", "refuted", "MUTANT_SWAP")),
  membership("members: change before the noop is committed", "refuted", FOUR_FOUNDERS, "MUTANT_CHANGE_BEFORE_COMMIT"),
];

const RELAXATIONS: readonly Case[] = [
  lease("claim appended with the noop, 2 terms", "holds", ...TOKENS, "RELAXED_CLAIM_WITH_NOOP"),
  long(lease("claim appended with the noop, 3 terms", "holds", "APPENDS_AT_ONCE", "RELAXED_CLAIM_WITH_NOOP")),
  lease("promises to older terms are void", "holds", NO_LOG, "RELAXED_OLDER_TERMS_VOID"),
  lease("all promises are void", "holds", NO_LOG, "RELAXED_ALL_VOID"),
  lease("the same, with a restart", "holds", NO_LOG, "BOOTS=1", "APPENDS_AT_ONCE", "RELAXED_ALL_VOID"),
  lease("an order is obeyed in later terms", "holds", NO_LOG, "RELAXED_LATE_ORDER"),
  membership("members: lease of the committed voters", "holds", "TERMS=2", "ENTRIES=4", "RELAXED_LEASE_OF_COMMITTED"),
  membership("members: all promises void", "holds", "ENTRIES=4", "CHANGES=1", "HANDOVERS", "RELAXED_ALL_VOID"),
];

const POSSIBLE: readonly Case[] = [
  lease("a third tenure, in term 3", "refuted", "APPENDS_AT_ONCE", "REACH_THIRD_TENURE"),
  lease("a second claim in a term", "refuted", ...TOKENS, "APPENDS_AT_ONCE", "REACH_SECOND_CLAIM_IN_TERM"),
  membership("members: a lease under a third configuration", "refuted", "REACH_LEASE_IN_THIRD_CONFIGURATION"),
];

export const GROUPS: readonly { readonly title: string; readonly cases: readonly Case[] }[] = [
  { title: "the rules hold", cases: RULES },
  { title: "a broken rule is refuted", cases: MUTANTS },
  { title: "a looser rule would hold", cases: RELAXATIONS },
  { title: "what the model must be able to do", cases: POSSIBLE },
];

export const CASES: readonly Case[] = GROUPS.flatMap(({ cases }) => cases);
