/**
 * Rules between settings, at both sides of each bound.
 */
import { describe, expect, it } from "vitest";
import type { Fault } from "../../../src/config/fault.ts";
import { readSettings } from "../../../src/config/read-settings.ts";

const BASE = ["--service=app.test", "--replicas=3", "--data-dir=/data"];

/** The names of the variables at fault. */
function faulty(...argv: readonly string[]): readonly string[] {
  const reading = readSettings({}, [...BASE, ...argv], { hostname: "app-0" });
  return reading.kind === "faults" ? reading.faults.map((fault) => fault.name) : [];
}
function firstFault(...argv: readonly string[]): Fault | null {
  const reading = readSettings({}, [...BASE, ...argv], { hostname: "app-0" });
  return reading.kind === "faults" ? reading.faults[0] : null;
}

describe("two heartbeats must fit into U", () => {
  // D = 1100 ms and a drift of 0.1 make U exactly 900 ms.
  it.each([
    ["1100ms", "449ms", "0.1", []],
    ["1100ms", "450ms", "0.1", ["TENURE_HEARTBEAT_INTERVAL"]],
    ["1100ms", "451ms", "0.1", ["TENURE_HEARTBEAT_INTERVAL"]],
    ["1100ms", "449ms", "0.11", ["TENURE_HEARTBEAT_INTERVAL"]],
    ["300ms", "10ms", "0.499", []],
    ["300ms", "9ms", "0.1", ["TENURE_HEARTBEAT_INTERVAL"]],
    ["299ms", "200ms", "0.1", ["TENURE_LEASE_DURATION"]],
  ])("D %s, H %s, drift %s", (lease, heartbeat, drift, names) => {
    const argv = [`--lease-duration=${lease}`, `--heartbeat-interval=${heartbeat}`, `--clock-drift=${drift}`];
    expect(faulty("--insecure-peers", ...argv)).toEqual(names);
  });

  it("says what H may be at most, and why", () => {
    const fault = firstFault("--insecure-peers", "--lease-duration=1100ms", "--heartbeat-interval=450ms");
    expect(fault).toMatchObject({ given: "450ms", from: "--heartbeat-interval" });
    expect(fault?.allowed).toMatch(/^at most 449ms: .* D of 1.1s and a clock drift of 0.1$/);
  });

  it("always holds for the default of H", () => {
    expect(faulty("--insecure-peers", "--lease-duration=300ms", "--clock-drift=0.499999")).toEqual([]);
  });
});

describe("ports must differ", () => {
  it.each([
    [["--http-port=7400"], ["TENURE_HTTP_PORT"]],
    [["--peer-port=4040"], ["TENURE_PEER_PORT"]],
    [["--ops-port=7400"], ["TENURE_OPS_PORT"]],
    [["--http-port=9000", "--ops-port=9000"], ["TENURE_OPS_PORT"]],
    [["--http-port=0", "--ops-port=0", "--peer-port=0"], []],
    [
      ["--http-port=1", "--ops-port=1", "--peer-port=1"],
      ["TENURE_PEER_PORT", "TENURE_OPS_PORT", "TENURE_OPS_PORT"],
    ],
  ])("%j", (argv, names) => {
    expect(faulty("--insecure-peers", ...argv)).toEqual(names);
  });

  it("names the one that was set, not a default", () => {
    expect(firstFault("--insecure-peers", "--http-port=9464")).toMatchObject({
      given: "9464",
      problem: "also the port of TENURE_OPS_PORT",
    });
  });
});

describe("TLS between peers is a decision", () => {
  it.each([
    [["--insecure-peers"], []],
    [["--tls-dir=/tls"], []],
    [["--tls-dir=/tls", "--insecure-peers=false"], []],
    [[], ["TENURE_TLS_DIR"]],
    [["--insecure-peers=false"], ["TENURE_TLS_DIR"]],
    [["--tls-dir=/tls", "--insecure-peers"], ["TENURE_INSECURE_PEERS"]],
    [["--insecure-peers=maybe"], ["TENURE_INSECURE_PEERS"]],
    [["--tls-dir=a\0b"], ["TENURE_TLS_DIR"]],
  ])("%j", (argv, names) => {
    expect(faulty(...argv)).toEqual(names);
  });

  it("says both ways out", () => {
    const fault = firstFault();
    expect(fault?.given).toBeNull();
    expect(fault?.allowed).toContain("pass --insecure-peers");
    expect(fault?.allowed).toContain("tls.crt, tls.key and ca.crt");
  });
});

describe("the name in the service must be a DNS name", () => {
  const service = (length: number): string =>
    "a."
      .repeat(length / 2)
      .slice(0, length - 1)
      .padEnd(length, "b");
  it.each([
    [247, []],
    [248, ["TENURE_SERVICE"]],
  ])("app-0. and %d characters", (length, names) => {
    expect(service(length)).toHaveLength(length);
    expect(faulty("--insecure-peers", `--service=${service(length)}`)).toEqual(names);
  });
});
