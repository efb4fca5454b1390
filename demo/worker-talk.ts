/**
 * What the demo and a worker process say to each other over their own channel, beside the worker's real business.
 *
 * Invariant: nothing here decides when a worker writes, except `sleep`, the fault that it plays.
 *
 * Deliberately absent: leases and tokens on their way to a worker. It has them from its sidecar alone.
 */

export type Order =
  /** Stop, and hand over: to the named member, or to anyone (null). */
  | { readonly order: "resign"; readonly to: string | null }
  /** Look at the deadline once more, then fall asleep before the write: the whole process stops itself. */
  | { readonly order: "sleep" };

/** Why a worker has stopped writing. */
export const STOP_REASONS = {
  deadline: "its deadline has passed",
  told: "its sidecar said so",
  unanswered: "its sidecar does not answer",
  refused: "the ledger refused its token",
  handover: "it hands over",
  draining: "its sidecar is draining",
} as const;
export type StopReason = keyof typeof STOP_REASONS;

export type Report =
  | { readonly report: "began"; readonly token: number }
  | { readonly report: "stopped"; readonly token: number; readonly reason: StopReason }
  /** Right before it stops itself. */
  | { readonly report: "asleep"; readonly token: number }
  | { readonly report: "handedOver"; readonly status: number };
