/**
 * What a campaign leaves behind: claims, writes and faults, as plain values. The oracles judge nothing else.
 *
 * Invariant: instants are ms on this machine's true CLOCK_MONOTONIC. A claim is one token in the hands of one witness.
 *
 * Deliberately absent: judgement.
 */
import type { FaultKind } from "./kinds.ts";

/** The hull of all that one application believed with one token; a stop that it announced ends it earlier. */
export interface Claim {
  readonly name: string;
  readonly token: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A try to write, as the ledger saw it, in its order. */
export interface Write {
  readonly name: string;
  readonly token: number;
  readonly atMs: number;
  readonly decidedAtMs: number;
  /** The deadline that the writer went by. */
  readonly untilMs: number;
  /** Sent on purpose after the end of its tenure. */
  readonly late: boolean;
  readonly accepted: boolean;
}

/** From before the first step until after the last one. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FaultRecord {
  readonly round: number;
  readonly kind: FaultKind;
  readonly targets: readonly string[];
  /** Without these, the rest of the group is whole. */
  readonly impaired: readonly string[];
  /** While it lasts, a holder may be there that no witness sees. */
  readonly blind: boolean;
  readonly injected: Span;
  /** Null while it lasts. */
  readonly healed: Span | null;
  /** What shows that it happened; null: nothing did. */
  readonly proof: string | null;
}
