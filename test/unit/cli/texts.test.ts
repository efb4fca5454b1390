/**
 * What a person reads at the terminal.
 */
import { describe, expect, it } from "vitest";
import { renderFaults } from "../../../src/cli/faults.ts";
import { EXAMPLE_ARGUMENTS, renderHelp, renderVersion } from "../../../src/cli/help.ts";
import { readSettings } from "../../../src/config/read-settings.ts";
import { defaultOf, flagOf, KEYS, SECTIONS, VARIABLES } from "../../../src/config/variables.ts";

describe("--help", () => {
  const help = renderHelp();
  const words = help.replaceAll(/\s+/g, " ");

  it("tells of every setting its flag, variable, default, allowed values and description", () => {
    for (const key of KEYS) {
      const variable = VARIABLES[key];
      const value = variable.bare === true ? "" : " <value>";
      expect(words).toContain(
        `${flagOf(variable)}${value} ${variable.name} ${variable.description} ` +
          `allowed: ${variable.kind.allowed} default: ${defaultOf(variable)}`,
      );
    }
    for (const section of SECTIONS) expect(help).toContain(`\n${section}:\n`);
  });

  it("has a usage line, exit statuses, and no line above its width", () => {
    expect(help).toMatch(/^usage: node dist\/main\.js /m);
    for (const status of [0, 1, 2]) expect(help).toMatch(new RegExp(`^ {2}${status} {2}\\w`, "m"));
    const long = help.split("\n").filter((line) => line.length > 100);
    expect(long).toEqual([]);
    expect(help.endsWith("\n")).toBe(true);
  });

  it("has an example that is a sound configuration on any machine", () => {
    expect(help).toContain(`\n  node dist/main.js ${EXAMPLE_ARGUMENTS}\n`);
    const reading = readSettings({}, EXAMPLE_ARGUMENTS.split(" "), { hostname: "Some Laptop" });
    expect(reading).toMatchObject({ kind: "settings", settings: { name: "app-0", replicas: 1, httpPort: 4040 } });
  });
});

describe("--version", () => {
  it("is one line", () => {
    expect(renderVersion("0.1.0")).toBe("tenure 0.1.0\n");
  });
});

describe("faults", () => {
  const argv = ["--insecure-peers", "--replicas=3", "--data-dir=d", "--lease-duration", "2000"];

  it("are told each with name, flag, given and allowed, and close with --help", () => {
    const reading = readSettings({ TENURE_HTTP_HOST: "0.0.0.0" }, argv, { hostname: "app-0" });
    expect(reading.kind === "faults" && renderFaults(reading.faults)).toBe(
      `tenure: config_invalid: the configuration has 3 faults
  TENURE_SERVICE or --service
    given:   nothing
    problem: required, but not set
    allowed: ${VARIABLES.service.kind.allowed}
  TENURE_LEASE_DURATION or --lease-duration
    given:   "2000" (--lease-duration)
    problem: a number without its unit: add one, as in 2000ms or 2000s
    allowed: ${VARIABLES.leaseDurationMs.kind.allowed}
  TENURE_HTTP_HOST or --http-host
    given:   "0.0.0.0"
    problem: not a loopback address; the lock API is for this pod alone
    allowed: ${VARIABLES.httpHost.kind.allowed}
see --help
`,
    );
  });

  it("show what is invisible and cut what is endless", () => {
    const fault = { name: "--x\u001b[2J\n", given: `a\n${"b".repeat(500)}`, from: "the command line" };
    const text = renderFaults([{ ...fault, problem: "no such flag", allowed: "others" }]);
    expect(text.split("\n")).toHaveLength(7);
    expect(text).not.toContain("\u001b");
    expect(text).toContain(`"a\\n${"b".repeat(118)}…" (the command line)`);
    expect(text.startsWith("tenure: config_invalid: the configuration has one fault\n")).toBe(true);
  });
});
