/**
 * The table of docs/how-to/size-the-lease.md against the arithmetic of the lease.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { usableLeaseMs } from "../../../src/lease/timing.ts";

const PAGE = join(import.meta.dirname, "..", "..", "..", "docs", "how-to", "size-the-lease.md");
const CLOCK_DRIFT = 0.1;
const ROW =
  /^\| (?<lease>[\d.]+) s \| (?<usable>\d+) ms \| (?<heartbeat>[\d.]+) ms \| (?<stall>\d+) ms \| (?<next>.*) ms \|$/gmu;

describe("the table of lease durations", () => {
  const rows = [...readFileSync(PAGE, "utf8").matchAll(ROW)].map(({ groups }) => groups ?? {});

  it("has its rows", () => {
    expect(rows.map(({ lease }) => lease)).toEqual(["0.3", "0.5", "1", "2", "5", "15"]);
  });

  it.each(rows)("is right for $lease s", ({ lease, usable, heartbeat, stall, next }) => {
    const leaseMs = Number(lease) * 1_000;
    const heartbeatMs = leaseMs / 8;
    const usableMs = usableLeaseMs(leaseMs, CLOCK_DRIFT);
    expect(Number(usable)).toBe(Math.floor(usableMs));
    expect(Number(heartbeat)).toBe(heartbeatMs);
    expect(Number(stall)).toBe(Math.floor(usableMs - heartbeatMs));
    expect(next).toBe(`${leaseMs - heartbeatMs} to ${leaseMs}`);
  });
});
