/**
 * The lists of seeded defects fit the source as it is. Whether each is killed: `npm run mutants`.
 */
import { describe, expect, it } from "vitest";
import { RULES } from "../simulation/violation.ts";
import { ROOT } from "./bench.ts";
import { KILLED_BY } from "./checks.ts";
import { allMutants, faultOf, parse } from "./mutant.ts";

describe("the mutants", () => {
  const mutants = allMutants();

  it("are many, and each has a name of its own", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(50);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it.each(["L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8"])("break rule %s in several ways", (rule) => {
    expect(mutants.filter(({ breaks }) => breaks.startsWith(rule)).length).toBeGreaterThanOrEqual(2);
  });

  it.each(mutants.map((mutant) => ({ mutant, name: mutant.name })))("can be seeded: $name", ({ mutant }) => {
    expect(mutant.patches.map((patch) => faultOf(ROOT, patch)).filter((fault) => fault !== null)).toEqual([]);
  });

  it.each(RULES)("have one of which this check alone can tell: %s", (rule) => {
    expect(mutants.map(({ name }) => name)).toContain(KILLED_BY[rule]);
  });

  it("are refused where a list makes no sense", () => {
    expect(() => parse("== a\nfile: x\n")).toThrow("says what it breaks");
    expect(() => parse("== a\nbreaks: L1\n")).toThrow("changes something");
    expect(() => parse("== a\nbreaks: L1\nfile: x\n* y\n")).toThrow("nobody understands");
  });

  it("are found out where the source has moved on", () => {
    const patch = { file: "package.json", find: "no such text", replace: "" };
    expect(faultOf(ROOT, patch)).toContain("0 times");
    expect(faultOf(ROOT, { ...patch, find: '"', replace: "" })).toContain("times");
  });
});
