/**
 * A sample of the model checks of `npm run model`, where Spin and a C compiler are installed.
 */
import { describe, expect, it } from "vitest";
import { CASES, type Case } from "./cases.ts";
import { check, missingTool, readReport } from "./spin.ts";

const DEADLINE_MS = 300_000;

const sampleOf = (expected: Case["expected"]): readonly Case[] =>
  CASES.filter((one) => one.sample === true && one.expected === expected);

describe("the model", () => {
  const missing = missingTool();

  it.for(sampleOf("holds"))("keeps: $name", { timeout: DEADLINE_MS }, async (one, context) => {
    context.skip(missing !== null, missing ?? "");
    const { verdict, states, steps } = await check(one);
    expect({ verdict, steps }).toEqual({ verdict: "holds", steps: [] });
    // Far fewer states would mean that the model does next to nothing.
    expect(states).toBeGreaterThan(100_000);
  });

  it.for(sampleOf("refuted"))("refutes: $name", { timeout: DEADLINE_MS }, async (one, context) => {
    context.skip(missing !== null, missing ?? "");
    const { verdict, steps } = await check(one);
    expect(verdict).toBe("refuted");
    expect(steps.length).toBeGreaterThan(5);
  });

  const counts = "  1.2e+06 states, stored\n";

  it("holds only when the search came to its end", () => {
    expect(readReport(`depth 9, errors: 0\n${counts}`)).toEqual({ verdict: "holds", states: 1_200_000 });
    expect(() => readReport(`Warning: Search not completed\nerrors: 0\n${counts}`)).toThrow("not complete");
    expect(() => readReport(`error: max search depth too small\nerrors: 0\n${counts}`)).toThrow("not complete");
    expect(() => readReport("Killed")).toThrow("did not finish");
  });

  it("is refuted by a broken assertion only", () => {
    const broken = `pan:1: assertion violated (a) (at depth 3)\nWarning: Search not completed\nerrors: 1\n${counts}`;
    expect(readReport(broken).verdict).toBe("refuted");
    expect(() => readReport(`pan:1: invalid end state\nerrors: 1\n${counts}`)).toThrow("not a broken rule");
  });
});
