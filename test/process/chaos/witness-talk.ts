/**
 * What a witness and the test-bed say to each other.
 *
 * Invariant: every instant is one of this machine's true CLOCK_MONOTONIC, in ms; no witness has a clock that is faked.
 *
 * Deliberately absent: anything that tells a witness who holds. It asks its sidecar, and nobody else.
 */

export type Order =
  /** Where the sidecar answers; null: it is not there. */
  | { readonly order: "ask"; readonly port: number | null }
  /** Stop, then say so to the sidecar. */
  | { readonly order: "resign" };

export type Report =
  /** "I may act from … to …", grown with each renewal; `untilMs` as an application on this pod's clock believes. */
  | { readonly report: "claim"; readonly token: number; readonly fromMs: number; readonly untilMs: number }
  /**
   * The application has stopped for good with this token, before its deadline. Null: with whatever token it had before
   * it was killed; the one that says so has just been started in its place, and knows none.
   */
  | { readonly report: "stop"; readonly token: number | null; readonly atMs: number }
  /** At each change of what the sidecar says; `status` 0: no answer. */
  | {
      readonly report: "answer";
      readonly atMs: number;
      readonly status: number;
      readonly reason: string;
      readonly holder: string | null;
    }
  /** A write to the ledger. `late`: sent on purpose after the end of the tenure, for the fence to catch. */
  | {
      readonly report: "write";
      readonly token: number;
      readonly decidedAtMs: number;
      readonly untilMs: number;
      readonly late: boolean;
    }
  | { readonly report: "resigned"; readonly status: number }
  /** An answer that breaks the contract by itself. */
  | { readonly report: "broken"; readonly text: string };
