/**
 * The schedule of a campaign: rounds of faults, drawn from a seed.
 *
 * The first rounds have every kind once, in the order that the seed gives them; then kinds are drawn by weight. Faults
 * of a round overlap; a round begins when those of the one before are healed.
 *
 * Invariant: pure. The same plan gives the same rounds on every machine; who the holder is when a fault strikes, and
 * how long a recovery takes, is for the machine to say and stands in the log.
 *
 * Deliberately absent: names of pods. Half of the faults aim at the holder, whoever that is.
 */
import { Chance } from "../../simulation/chance.ts";
import { type FaultKind, rowOf, SLOW_KINDS } from "./kinds.ts";

/** The holder of that moment, or the nth of the others. */
export type Aim = "holder" | number;

export interface PlannedFault {
  readonly kind: FaultKind;
  /** From the beginning of its round. */
  readonly atMs: number;
  /** Between injection and heal. */
  readonly forMs: number;
  readonly aim: Aim;
  /** In [0, 1): what an executor takes its details from. */
  readonly detail: number;
}

export interface Round {
  readonly number: number;
  /** By `atMs`. */
  readonly faults: readonly PlannedFault[];
  /** Wait until everyone names one holder; else the next round begins as soon as there is a holder. */
  readonly settles: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly nodes: number;
  readonly leaseMs: number;
  /** At least one. */
  readonly kinds: readonly FaultKind[];
}

const HOLDER_SHARE = 0.5;
const SETTLING_SHARE = 0.6;
/** Faults of a round: one is as likely as two or three together. */
const COMPANY = [1, 1, 1, 2, 2, 3] as const;
/** Beside a slow fault, which takes more than ten seconds. */
const COMPANY_OF_SLOW = 7;
/** Within so many lease durations all faults of a round have begun. */
const SPREAD = 1.2;
const SPREAD_BESIDE_SLOW = 9;

/** Without end. */
export function* roundsOf(plan: Plan): Generator<Round, never> {
  const chance = new Chance(plan.seed);
  const owed: FaultKind[] = shuffled(
    plan.kinds.filter((kind) => kind !== "clock-rate"),
    chance,
  );
  for (let number = 1; ; number += 1) {
    const kinds = kindsOfRound(plan, owed, chance);
    const isSlow = kinds.some((kind) => SLOW_KINDS.includes(kind));
    const spreadMs = plan.leaseMs * (isSlow ? SPREAD_BESIDE_SLOW : SPREAD);
    const faults = kinds.map((kind, position) => ({
      kind,
      atMs: position === 0 ? 0 : Math.round(chance.between(0, spreadMs)),
      forMs: Math.round(durationOf(kind, plan.leaseMs, chance)),
      aim: chance.happens(HOLDER_SHARE) ? ("holder" as const) : chance.below(Math.max(1, plan.nodes - 1)),
      detail: chance.next(),
    }));
    yield { number, faults: faults.toSorted((a, b) => a.atMs - b.atMs), settles: chance.happens(SETTLING_SHARE) };
  }
}

/** How many rounds it takes until every kind was there once. */
export function roundsForAll(plan: Plan): number {
  const missing = new Set<FaultKind>(plan.kinds.filter((kind) => kind !== "clock-rate"));
  for (const { number, faults } of roundsOf(plan)) {
    for (const { kind } of faults) missing.delete(kind);
    if (missing.size === 0) return number;
  }
  return 0;
}

export function describe({ number, faults, settles }: Round): string {
  const parts = faults.map(({ kind, atMs, forMs, aim, detail }) => {
    const whom = aim === "holder" ? "the holder" : `other ${aim}`;
    return `${atMs} ms: ${kind} of ${whom} for ${forMs} ms (${detail.toFixed(3)})`;
  });
  return `round ${number}: ${parts.join("; ")}${settles ? "" : "; goes on at once"}`;
}

function kindsOfRound(plan: Plan, owed: FaultKind[], chance: Chance): readonly FaultKind[] {
  const drawable = plan.kinds.filter((kind) => rowOf(kind).weight > 0);
  if (drawable.length === 0) return [];
  const first = owed.pop() ?? drawn(drawable, chance);
  const isSlow = SLOW_KINDS.includes(first);
  const company = (isSlow ? COMPANY_OF_SLOW : chance.pick(COMPANY)) - 1;
  const quick = drawable.filter((kind) => !SLOW_KINDS.includes(kind));
  const others = Array.from({ length: quick.length === 0 ? 0 : company }, () => drawnOrOwed(quick, owed, chance));
  return [first, ...others];
}

/** What is owed goes first, unless it is slow: those come one by one. */
function drawnOrOwed(quick: readonly FaultKind[], owed: FaultKind[], chance: Chance): FaultKind {
  const position = owed.findLastIndex((kind) => quick.includes(kind));
  const [kind] = position < 0 ? [] : owed.splice(position, 1);
  return kind ?? drawn(quick, chance);
}

function drawn(kinds: readonly FaultKind[], chance: Chance): FaultKind {
  const total = kinds.reduce((sum, kind) => sum + rowOf(kind).weight, 0);
  let rest = chance.next() * total;
  for (const kind of kinds) {
    rest -= rowOf(kind).weight;
    if (rest < 0) return kind;
  }
  return chance.pick(kinds);
}

/** Short ones are as likely as long ones: a pause of a tenth of the lease hurts in other ways than one of five. */
function durationOf(kind: FaultKind, leaseMs: number, chance: Chance): number {
  const [low, high] = rowOf(kind).lasts;
  return low > 0 ? chance.magnitude(low * leaseMs, high * leaseMs) : chance.between(low * leaseMs, high * leaseMs);
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  return items
    .map((item) => ({ item, place: chance.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
