/**
 * The verdict on safety: was there never more than one holder, did tokens only rise, did the ledger refuse what is
 * stale, did a cut-off holder stop in time?
 *
 * Invariant: pure; every violation is a sentence with its numbers. A microsecond of overlap is an overlap.
 *
 * Deliberately absent: liveness (liveness.ts), and any allowance for noise: a slow machine delays answers, it does not
 * make two of them true at once.
 */
import type { Ledger } from "./ledger.ts";
import type { Claim, FaultRecord } from "./record.ts";

/** Everything in which exclusion or the order of tokens failed; empty when they held. Touching claims are fine. */
export function violationsOf(claims: readonly Claim[]): readonly string[] {
  const ordered = claims.toSorted((a, b) => a.fromMs - b.fromMs || a.token - b.token);
  return [...overlaps(ordered), ...fallenTokens(ordered)];
}

/** Each claim against the one before it that reaches furthest. */
function overlaps(ordered: readonly Claim[]): readonly string[] {
  const faults: string[] = [];
  let reaching: Claim | null = null;
  for (const claim of ordered) {
    if (reaching !== null && claim.fromMs < reaching.untilMs) {
      const commonMs = Math.min(claim.untilMs, reaching.untilMs) - claim.fromMs;
      faults.push(
        `two holders for ${commonMs.toFixed(3)} ms: ${title(reaching)} up to ${reaching.untilMs.toFixed(3)}, ` +
          `${title(claim)} from ${claim.fromMs.toFixed(3)}`,
      );
    }
    if (reaching === null || claim.untilMs > reaching.untilMs) reaching = claim;
  }
  return faults;
}

/** Strictly: an equal token in other hands fences nothing. */
function fallenTokens(ordered: readonly Claim[]): readonly string[] {
  const faults: string[] = [];
  let highest: Claim | null = null;
  for (const claim of ordered) {
    if (highest !== null && claim.token <= highest.token) {
      const verb = claim.token === highest.token ? "repeats" : "falls below";
      faults.push(`a token ${verb} an earlier one: first ${title(highest)}, later ${title(claim)}`);
    }
    if (highest === null || claim.token > highest.token) highest = claim;
  }
  return faults;
}

/** What the ledger shows: tokens in order, one writer each, no valid holder refused. */
export function violationsOfLedger({ pages, refusals }: Pick<Ledger, "pages" | "refusals">): readonly string[] {
  const faults: string[] = [];
  for (const [position, page] of pages.entries()) {
    const before = pages[position - 1];
    if (before === undefined) continue;
    if (page.token < before.token) faults.push(`the ledger took ${title(page)} after ${title(before)}`);
    if (page.token === before.token) faults.push(`two writers with one token: ${title(before)}, ${title(page)}`);
    const lastAtMs = before.last.atMs;
    if (lastAtMs > page.first.atMs) faults.push(`${title(before)} wrote after ${title(page)} had begun`);
  }
  for (const { name, token, atMs, untilMs, late } of refusals) {
    // After its tenure, which a handover ends before the deadline, a writer is refused with right.
    if (late || atMs >= untilMs) continue;
    const leftMs = (untilMs - atMs).toFixed(3);
    faults.push(`a write of ${title({ name, token })} was refused ${leftMs} ms before its deadline`);
  }
  return faults;
}

/**
 * A holder whom nobody reaches has no claim beyond what it had, at most U, when it was cut off.
 * @param usableMs U on the true clock, for each pod's own clock rate
 */
export function violationsOfCuts(
  claims: readonly Claim[],
  faults: readonly FaultRecord[],
  usableMs: (name: string) => number,
): readonly string[] {
  const cuts = faults.filter(({ kind, proof }) => (kind === "cut" || kind === "split-all") && proof !== null);
  return cuts.flatMap(({ targets, injected, healed }) =>
    claims
      .filter(({ name, fromMs }) => targets.includes(name) && fromMs <= injected.toMs)
      .flatMap((claim) => {
        const latestMs = injected.toMs + usableMs(claim.name);
        // After the heal it may be renewed again.
        const endMs = Math.min(claim.untilMs, healed?.fromMs ?? Number.POSITIVE_INFINITY);
        if (endMs <= latestMs) return [];
        return [`${title(claim)} was cut off and was valid ${(endMs - latestMs).toFixed(3)} ms longer than its lease`];
      }),
  );
}

function title({ name, token }: { readonly name: string; readonly token: number }): string {
  return `${name} with token ${token}`;
}
