/**
 * Whatever stands in environment and command line: an answer, and faults that a person can act on.
 */
import { assert, constantFrom, dictionary, array, oneof, property, string, tuple, type Arbitrary } from "fast-check";
import { describe, expect, it } from "vitest";
import { renderFaults } from "../../../src/cli/faults.ts";
import { readSettings } from "../../../src/config/read-settings.ts";
import { flagOf, KEYS, VARIABLES } from "../../../src/config/variables.ts";

const names = constantFrom(...KEYS.map((key) => VARIABLES[key].name));
const flags = constantFrom(...KEYS.map((key) => flagOf(VARIABLES[key])), "--", "-", "-x", "--=", "--__proto__");
const soundTexts = constantFrom("2s", "300ms", "0.1", "3", "0", "app-0", "app.test", "/data", "127.0.0.1", "true");
const anyText = string({ unit: "binary", maxLength: 40 });
const texts = oneof(soundTexts, anyText);
const envs: Arbitrary<Record<string, string>> = dictionary(
  oneof(
    names,
    names,
    anyText,
    anyText.map((text) => `TENURE_${text}`),
  ),
  texts,
);
const argvs = array(
  oneof(
    flags,
    texts,
    tuple(flags, texts).map(([flag, text]) => `${flag}=${text}`),
    anyText.map((text) => `--${text}`),
  ),
  { maxLength: 12 },
);

describe("readSettings", () => {
  it("never throws, and every fault names something and says what is allowed", () => {
    const seen = new Set<string>();
    assert(
      property(envs, argvs, anyText, (env, argv, hostname) => {
        const reading = readSettings(env, argv, { hostname });
        seen.add(reading.kind);
        if (reading.kind !== "faults") return;
        expect(reading.faults.length).toBeGreaterThan(0);
        for (const fault of reading.faults) {
          const known = KEYS.some((key) => VARIABLES[key].name === fault.name);
          const asWritten = fault.name in env || fault.name === "argument" || fault.name.startsWith("-");
          expect(known || asWritten).toBe(true);
          expect(fault.problem).not.toBe("");
          expect(fault.allowed).not.toBe("");
          expect(fault.given === null).toBe(fault.from === null);
        }
        expect(renderFaults(reading.faults).split("\n")).toHaveLength(4 * reading.faults.length + 3);
      }),
      { numRuns: 1_000 },
    );
    expect(seen).toContain("faults");
  });

  it("gives settings that keep the rules, or faults, for any sound-looking texts", () => {
    const base = ["--service=app.test", "--data-dir=/data", "--insecure-peers", "--replicas=3", "--name=app-0"];
    const durations = constantFrom("300ms", "1s", "2s", "10ms", "400ms", "1h", "90ms");
    const drifts = constantFrom("0.01", "0.1", "0.3", "0.49");
    const counts = { settings: 0, faults: 0 };
    assert(
      property(durations, durations, drifts, (lease, heartbeat, drift) => {
        const argv = [`--lease-duration=${lease}`, `--heartbeat-interval=${heartbeat}`, `--clock-drift=${drift}`];
        const reading = readSettings({}, [...base, ...argv], { hostname: "x" });
        if (reading.kind !== "settings") {
          counts.faults += 1;
          return;
        }
        counts.settings += 1;
        const { leaseDurationMs, heartbeatIntervalMs, clockDrift } = reading.settings;
        expect(leaseDurationMs).toBeGreaterThanOrEqual(300);
        expect((leaseDurationMs * (1 - clockDrift)) / (1 + clockDrift)).toBeGreaterThan(2 * heartbeatIntervalMs);
      }),
      { numRuns: 300 },
    );
    expect(counts.settings).toBeGreaterThan(0);
    expect(counts.faults).toBeGreaterThan(0);
  });
});
