/**
 * One thing that is wrong with a configuration, in the words of the person who has to mend it.
 *
 * Invariant: a fault names what to change, says what was given and what is allowed, and never leaves one of them out.
 *
 * Deliberately absent: an order of importance. All faults are told together.
 */

export interface Fault {
  /** The variable; of what is not known, the variable, flag or argument as it was written. */
  readonly name: string;
  /** What was given, as it was written; null: nothing. */
  readonly given: string | null;
  /** Where it was given: the variable, the flag, `the default`, `the hostname`; null when nothing was. */
  readonly from: string | null;
  /** Why it cannot be used. */
  readonly problem: string;
  /** What can. */
  readonly allowed: string;
}

/** A text that was given for a setting, and where. */
export interface Given {
  readonly text: string;
  readonly from: string;
}
