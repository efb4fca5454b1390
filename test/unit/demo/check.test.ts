/** The demo's referee: what it must catch, and what it must let pass. */
import { describe, expect, it } from "vitest";
import { faultsOf } from "../../../demo/check.ts";
import { type Entry, Evidence, type Stop } from "../../../demo/evidence.ts";

interface Write {
  readonly worker?: string;
  readonly token?: number;
  readonly from?: number;
  readonly until?: number;
  readonly decided?: number;
  readonly at?: number;
  readonly refusal?: Entry["refusal"];
}

/** A write decided in the middle of its claim and seen a moment later, unless said otherwise. */
function write({ worker = "a", token = 10, from = 0, until = 100, ...rest }: Write): Entry {
  const { decided = (from + until) / 2, at = decided + 1, refusal = null } = rest;
  return { worker, token, fromMs: from, untilMs: until, decidedAtMs: decided, atMs: at, refusal };
}

function judge(...things: readonly (Entry | Stop)[]): readonly string[] {
  const evidence = new Evidence();
  for (const thing of things) {
    if ("fromMs" in thing) evidence.add(thing);
    else evidence.stop(thing);
  }
  return faultsOf(evidence.tenures);
}

const second = { worker: "b", token: 11, from: 100, until: 200 } as const;

describe("the verdict", () => {
  it("has nothing against one holder after the other, up to the very instant", () => {
    expect(judge(write({}), write({ from: 20, until: 100 }), write(second))).toEqual([]);
  });

  it("catches that nobody wrote at all", () => {
    expect(judge()).toEqual(["nobody ever wrote: nothing was shown"]);
    expect(judge(write({ refusal: "stale token", at: 500 }))).toContain("nobody ever wrote: nothing was shown");
  });

  it("catches two workers valid at once, by a thousandth of a millisecond, also when no write fell into it", () => {
    const faults = judge(write({ decided: 1 }), write({ ...second, from: 99.999, decided: 150 }));
    expect(faults).toEqual([
      "two holders at once: a with token 10 was still valid for 0.001 ms when b with token 11 was valid already",
    ]);
  });

  it("catches an overlap with the hull of a tenure, not with its last claim alone", () => {
    const renewed = [write({ until: 100 }), write({ from: 20, until: 90 })];
    expect(judge(...renewed, write({ ...second, from: 95 }))).toEqual([expect.stringContaining("two holders at once")]);
  });

  it("catches an overlap with a tenure that is not the one just before", () => {
    const long = write({ until: 300 });
    const inside = write({ worker: "b", token: 11, from: 50, until: 60 });
    const later = write({ worker: "c", token: 12, from: 200, until: 250 });
    expect(judge(long, inside, later)).toHaveLength(2);
  });

  it("catches a holder that overlaps with itself under a new token", () => {
    expect(judge(write({}), write({ token: 11, from: 99, until: 150 }))).toHaveLength(1);
  });

  it("takes a confirmed stop for the end of a claim, and catches a write decided after it", () => {
    const stop = { worker: "a", token: 10, atMs: 60 };
    const next = write({ ...second, from: 60 });
    expect(judge(write({}), stop, next)).toEqual([]);
    expect(judge(write({}), stop, write({ decided: 61 }))).toEqual([
      "a with token 10: 1 write(s) decided after the deadline or after the stop",
    ]);
    expect(judge(write({}), { ...stop, worker: "b" }, next)).toHaveLength(1);
  });

  it("catches a token that falls, and one that is repeated by another worker", () => {
    expect(judge(write({}), write({ ...second, token: 9 }))).toEqual([
      "a token fell below an earlier one: first a with token 10, later b with token 9",
      "b with token 9: 1 write(s) accepted with a token lower than one accepted before",
    ]);
    expect(judge(write({}), write({ ...second, token: 10 }))).toEqual([
      "a token repeated an earlier one: first a with token 10, later b with token 10",
    ]);
  });

  it("catches a token that falls below one before the last", () => {
    const fallen = write({ worker: "c", token: 12, from: 200, until: 300 });
    const still = write({ worker: "d", token: 15, from: 300, until: 400 });
    const faults = judge(write({ token: 10 }), write({ ...second, token: 20 }), fallen, still);
    expect(faults.slice(0, 2)).toEqual([
      "a token fell below an earlier one: first b with token 20, later c with token 12",
      "a token fell below an earlier one: first b with token 20, later d with token 15",
    ]);
  });

  it("catches a valid holder whose token the ledger had to refuse", () => {
    const refused = write({ ...second, token: 9, refusal: "stale token", at: 199 });
    const fault = "b with token 9: 1 write(s) refused as stale although the lease still ran";
    expect(judge(write({}), refused)).toContain(fault);
  });

  it("has nothing against the refusal of a worker that slept over its deadline", () => {
    const late = write({ decided: 99, at: 150, refusal: "stale token" });
    expect(judge(write({}), write(second), late)).toEqual([]);
  });

  it("catches a write decided at its deadline", () => {
    expect(judge(write({ decided: 100 }))).toEqual([
      "a with token 10: 1 write(s) decided after the deadline or after the stop",
    ]);
    expect(judge(write({ decided: 99.999 }))).toEqual([]);
  });
});
