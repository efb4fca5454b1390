/**
 * The oracle of the chaos campaigns sees what it must see, and nothing else.
 */
import { describe, expect, it } from "vitest";
import { Claims } from "./claims.ts";
import { Ledger } from "./ledger.ts";
import { violationsOf, violationsOfCuts, violationsOfLedger } from "./oracle.ts";
import type { Claim, FaultRecord } from "./record.ts";

function claim(name: string, token: number, fromMs: number, untilMs: number): Claim {
  return { name, token, fromMs, untilMs };
}

describe("claims", () => {
  it("one after the other are fine, also when they touch", () => {
    expect(violationsOf([claim("a", 1, 0, 10), claim("b", 2, 10, 20), claim("a", 3, 25, 30)])).toEqual([]);
  });

  it("that overlap by a microsecond are two holders", () => {
    const [fault, ...others] = violationsOf([claim("a", 1, 0, 10.001), claim("b", 2, 10, 20)]);
    expect(fault).toBe("two holders for 0.001 ms: a with token 1 up to 10.001, b with token 2 from 10.000");
    expect(others).toEqual([]);
  });

  it("are found whatever the order in which they came", () => {
    const claims = [claim("b", 2, 5, 8), claim("c", 3, 20, 30), claim("a", 1, 0, 10)];
    expect(violationsOf(claims)).toEqual([expect.stringContaining("two holders for 3.000 ms")]);
  });

  it("are compared with the one that reaches furthest, not with the last one", () => {
    const claims = [claim("a", 1, 0, 100), claim("b", 2, 10, 20), claim("c", 3, 50, 60)];
    expect(violationsOf(claims).filter((text) => text.startsWith("two holders"))).toHaveLength(2);
  });

  it("of one pod with two tokens must not overlap either", () => {
    expect(violationsOf([claim("a", 1, 0, 10), claim("a", 2, 9, 20)])).toHaveLength(1);
  });

  it.each([
    ["falls below", 1],
    ["repeats", 2],
  ])("with a token that %s an earlier one are seen", (verb, token) => {
    const faults = violationsOf([claim("a", 2, 0, 10), claim("b", token, 20, 30)]);
    expect(faults).toEqual([expect.stringContaining(`a token ${verb} an earlier one`)]);
  });
});

describe("what witnesses believed", () => {
  it("is one claim for a token, which grows until its application stops", () => {
    const claims = new Claims();
    claims.take("app-0", { report: "claim", token: 7, fromMs: 100, untilMs: 200 });
    claims.take("app-0", { report: "claim", token: 7, fromMs: 100, untilMs: 300 });
    claims.take("app-1", { report: "stop", token: 7, atMs: 110 });
    expect(claims.all).toEqual([{ name: "app-0", token: 7, fromMs: 100, untilMs: 300 }]);
    claims.take("app-0", { report: "stop", token: 7, atMs: 250 });
    claims.take("app-0", { report: "claim", token: 7, fromMs: 100, untilMs: 400 });
    expect(claims.all).toEqual([{ name: "app-0", token: 7, fromMs: 100, untilMs: 250 }]);
  });

  it("outlives an application that is killed, until the one after it says that it has stopped", () => {
    const claims = new Claims();
    claims.take("app-0", { report: "claim", token: 7, fromMs: 100, untilMs: 900 });
    claims.take("app-1", { report: "claim", token: 8, fromMs: 500, untilMs: 1_400 });
    expect(violationsOf(claims.all)).toHaveLength(1);
    claims.take("app-0", { report: "stop", token: null, atMs: 450 });
    expect(violationsOf(claims.all)).toEqual([]);
    expect(claims.all.map(({ untilMs }) => untilMs)).toEqual([450, 1_400]);
    // Its sidecar did not take it: the new application may believe on.
    claims.take("app-0", { report: "claim", token: 7, fromMs: 460, untilMs: 950 });
    expect(violationsOf(claims.all)).toHaveLength(1);
  });
});

describe("the ledger", () => {
  const write = { decidedAtMs: 0, untilMs: 100, late: false };

  it("refuses a token below the highest, and that is fine after the deadline", () => {
    const ledger = new Ledger();
    expect(ledger.write({ ...write, name: "a", token: 1, atMs: 10 })).toBe(true);
    expect(ledger.write({ ...write, name: "b", token: 2, atMs: 110, untilMs: 200 })).toBe(true);
    expect(ledger.write({ ...write, name: "a", token: 1, atMs: 120, late: true })).toBe(false);
    expect([ledger.accepted, ledger.refused]).toEqual([2, 1]);
    expect(violationsOfLedger(ledger)).toEqual([]);
  });

  it("that refuses a holder before its deadline has found two of them", () => {
    const ledger = new Ledger();
    ledger.write({ ...write, name: "b", token: 2, atMs: 10 });
    ledger.write({ ...write, name: "a", token: 1, atMs: 20 });
    expect(violationsOfLedger(ledger)).toEqual(["a write of a with token 1 was refused 80.000 ms before its deadline"]);
  });

  it("that takes one token from two writers has found two of them", () => {
    const ledger = new Ledger();
    ledger.write({ ...write, name: "a", token: 1, atMs: 10 });
    ledger.write({ ...write, name: "b", token: 1, atMs: 20 });
    ledger.write({ ...write, name: "a", token: 1, atMs: 30 });
    expect(violationsOfLedger(ledger)).toEqual([
      "two writers with one token: a with token 1, b with token 1",
      "a with token 1 wrote after b with token 1 had begun",
    ]);
  });
});

describe("a holder that is cut off", () => {
  const cut: FaultRecord = {
    round: 1,
    kind: "cut",
    targets: ["a"],
    impaired: ["a"],
    blind: false,
    proof: "packets",
    injected: { fromMs: 90, toMs: 100 },
    healed: { fromMs: 5_000, toMs: 5_010 },
  };
  const usable = (): number => 800;

  it("may go on for its lease and no longer", () => {
    expect(violationsOfCuts([claim("a", 1, 0, 900)], [cut], usable)).toEqual([]);
    expect(violationsOfCuts([claim("a", 1, 0, 901)], [cut], usable)).toEqual([
      "a with token 1 was cut off and was valid 1.000 ms longer than its lease",
    ]);
  });

  it("may be renewed after the heal", () => {
    const healed = { ...cut, healed: { fromMs: 300, toMs: 310 } };
    expect(violationsOfCuts([claim("a", 1, 0, 9_000)], [healed], usable)).toEqual([]);
  });

  it("is judged alone, and only when the cut had an effect", () => {
    expect(violationsOfCuts([claim("b", 1, 0, 9_000)], [cut], usable)).toEqual([]);
    expect(violationsOfCuts([claim("a", 1, 0, 9_000)], [{ ...cut, proof: null }], usable)).toEqual([]);
  });
});
