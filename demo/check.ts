/**
 * The verdict: was there never more than one holder, and did tokens only rise?
 *
 * Invariant: pure; every fault is a sentence with its numbers. Claims are compared, not writes: two workers that merely
 * *might* have written at the same time are a fault, also when luck kept their writes apart.
 *
 * Deliberately absent: mercy. A microsecond of overlap is an overlap; the drift margin is the sidecars' business.
 */
import type { Tenure } from "./evidence.ts";

/** What is wrong with these tenures, given in the order of `fromMs`; empty when nothing is. */
export function faultsOf(tenures: readonly Tenure[]): readonly string[] {
  return [...faultsOfActivity(tenures), ...overlaps(tenures), ...fallenTokens(tenures), ...faultsOfEach(tenures)];
}

function faultsOfActivity(tenures: readonly Tenure[]): readonly string[] {
  const writes = tenures.reduce((sum, tenure) => sum + tenure.writes, 0);
  return writes > 0 ? [] : ["nobody ever wrote: nothing was shown"];
}

/** Each tenure against the one before it whose claim reaches furthest. */
function overlaps(tenures: readonly Tenure[]): readonly string[] {
  const faults: string[] = [];
  let reaching: Tenure | null = null;
  for (const tenure of tenures) {
    if (reaching !== null && tenure.fromMs < reaching.untilMs) {
      const commonMs = Math.min(tenure.untilMs, reaching.untilMs) - tenure.fromMs;
      faults.push(
        `two holders at once: ${nameOf(reaching)} was still valid for ${commonMs.toFixed(3)} ms ` +
          `when ${nameOf(tenure)} was valid already`,
      );
    }
    if (reaching === null || tenure.untilMs > reaching.untilMs) reaching = tenure;
  }
  return faults;
}

/** Strictly: an equal token in the hands of another worker fences nothing. */
function fallenTokens(tenures: readonly Tenure[]): readonly string[] {
  const faults: string[] = [];
  let highest: Tenure | null = null;
  for (const tenure of tenures) {
    if (highest !== null && tenure.token <= highest.token) {
      const verb = tenure.token === highest.token ? "repeated" : "fell below";
      faults.push(`a token ${verb} an earlier one: first ${nameOf(highest)}, later ${nameOf(tenure)}`);
    }
    if (highest === null || tenure.token > highest.token) highest = tenure;
  }
  return faults;
}

function faultsOfEach(tenures: readonly Tenure[]): readonly string[] {
  return tenures.flatMap((tenure) => {
    const faults: string[] = [];
    const say = (count: number, what: string): void => {
      if (count > 0) faults.push(`${nameOf(tenure)}: ${count} ${what}`);
    };
    say(tenure.overdue, "write(s) decided after the deadline or after the stop");
    say(tenure.wronged, "write(s) refused as stale although the lease still ran");
    say(tenure.fell, "write(s) accepted with a token lower than one accepted before");
    return faults;
  });
}

function nameOf({ worker, token }: Tenure): string {
  return `${worker} with token ${token}`;
}
