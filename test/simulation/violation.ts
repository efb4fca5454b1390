/**
 * A broken promise, named.
 *
 * Invariant: `rule` is one of a few short names, so that failures of many seeds can be counted by it.
 *
 * Deliberately absent: recovery. The seed ends here.
 */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly rule: string;

  constructor(rule: string, detail: string, options?: { readonly cause?: unknown }) {
    super(`${rule}: ${detail}`, options);
    this.rule = rule;
  }
}

export function check(condition: boolean, rule: string, detail: () => string): void {
  if (!condition) throw new Violation(rule, detail());
}
