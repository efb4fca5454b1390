/**
 * The table of settings against its page and against the contract's list of names and defaults.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONFIGURATION_PAGE, renderConfiguration } from "../../../scripts/docs.ts";
import { defaultOf, flagOf, KEYS, SECTIONS, VARIABLES } from "../../../src/config/variables.ts";

describe("docs/reference/configuration.md", () => {
  it("is what `node scripts/docs.ts --write` writes", () => {
    expect(readFileSync(CONFIGURATION_PAGE, "utf8")).toBe(renderConfiguration());
  });

  it("has a row for every variable, with its flag", () => {
    const lines = renderConfiguration().split("\n");
    const rows = lines.filter((line) => line.startsWith("| `TENURE_"));
    expect(rows).toHaveLength(KEYS.length);
    for (const key of KEYS) {
      const variable = VARIABLES[key];
      expect(rows.join("\n")).toContain(`| \`${variable.name}\` | \`${flagOf(variable)}\` |`);
    }
  });
});

describe("the table of settings", () => {
  it("holds every variable that users were promised, and no other", () => {
    const promised = `
      GROUP NAME SERVICE REPLICAS DATA_DIR STORAGE LEASE_DURATION HEARTBEAT_INTERVAL CLOCK_DRIFT SIGTERM DRAIN_TIMEOUT
      PRIORITY PEER_HOST PEER_PORT HTTP_HOST HTTP_PORT HTTP_SOCKET OPS_HOST OPS_PORT TLS_DIR INSECURE_PEERS DNS_SERVER
      LOG_LEVEL`;
    const names = promised
      .trim()
      .split(/\s+/)
      .map((name) => `TENURE_${name}`);
    expect(KEYS.map((key) => VARIABLES[key].name).toSorted()).toEqual(names.toSorted());
  });

  it("uses every section, and has defaults that its own kinds accept", () => {
    for (const section of SECTIONS) expect(KEYS.some((key) => VARIABLES[key].section === section)).toBe(true);
    for (const key of KEYS) {
      const { default: fallback, kind } = VARIABLES[key];
      expect(defaultOf({ default: fallback })).not.toBe("");
      if (fallback.kind === "text") expect(kind.parse(fallback.text({ hostname: "app-0.x" })).ok).toBe(true);
    }
  });
});
