/**
 * Wrong values are refused, before there is a pod, with the name of the value and what is allowed.
 */
import { describe, expect, it } from "vitest";
import { needs, refusal, render } from "./support/helm.ts";

describe("values that are wrong", () => {
  needs("helm");

  it.each<readonly [string, object, RegExp]>([
    ["a count that is too large", { replicas: 51 }, /\/replicas'?: maximum: got 51, want 50/u],
    ["a count of none", { replicas: 0 }, /\/replicas'?: minimum: got 0, want 1/u],
    ["a word for a count", { replicas: "three" }, /\/replicas'?: got string, want integer/u],
    ["a value that is not there", { replica: 3 }, /additional properties 'replica' not allowed/u],
    ["one that is not there, deeper", { lease: { length: "2s" } }, /additional properties 'length' not allowed/u],
    ["a Deployment", { workload: { kind: "Deployment" } }, /\/workload\/kind'?: value must be 'StatefulSet'/u],
    [
      "a mode of TLS",
      { tls: { mode: "off" } },
      /value must be one of 'auto', 'cert-manager', 'chart', 'secret', 'none'/u,
    ],
    ["a level of the log", { sidecar: { logLevel: "verbose" } }, /must be one of 'fatal', 'error', 'warn', 'info'/u],
    ["a digest", { image: { digest: "sha256:abc" } }, /does not match pattern '\^\(sha256:/u],
    ["a drift", { lease: { clockDrift: 0.5 } }, /exclusiveMaximum: got 0.5, want 0.5/u],
    ["a port", { sidecar: { ports: { peer: 65_536 } } }, /maximum: got 65,?536, want 65,?535/u],
    [
      "a duration without its unit",
      { lease: { duration: "2" } },
      /lease\.duration is "2": allowed is a duration from 300ms to 1h with its unit/u,
    ],
    ["a duration that is a number", { lease: { duration: 2 } }, /\/lease\/duration'?: got number, want string/u],
    [
      "a lease that is too short",
      { lease: { duration: "299ms" } },
      /lease\.duration is "299ms": allowed is a duration from 300ms/u,
    ],
    [
      "a lease that is too long",
      { lease: { duration: "61m" } },
      /lease\.duration is "61m": allowed is a duration from 300ms to 1h/u,
    ],
    [
      "an unknown unit",
      { stopping: { drainTimeout: "10sec" } },
      /stopping\.drainTimeout is "10sec": allowed is a duration from 0 to 1h/u,
    ],
    [
      "a heartbeat that does not fit",
      { lease: { heartbeatInterval: "819ms" } },
      /heartbeatInterval is "819ms": allowed is less than 818ms/u,
    ],
    ["two equal ports", { sidecar: { ports: { ops: 7400 } } }, /allowed are three different ports/u],
    [
      "a secret without its name",
      { tls: { mode: "secret" } },
      /allowed is the name of a Secret with tls\.crt, tls\.key and ca\.crt/u,
    ],
    ["no service at all", { service: { create: false } }, /allowed is the name of a headless Service/u],
    [
      "a budget in words",
      { podDisruptionBudget: { maxUnavailable: "one" } },
      /allowed is a number of pods, or a share such as 20%/u,
    ],
  ])("are refused: %s", (_, values, message) => {
    expect(refusal({ values })).toMatch(message);
  });

  it("are refused where a cluster has no native sidecars, and the plain form is taken", () => {
    expect(refusal({ kubernetes: "1.28.9" })).toContain("allowed is false before 1.29");
    const plain = { sidecar: { native: false } };
    expect(render({ kubernetes: "1.28.9", values: plain }).get("StatefulSet").metadata.name).toBe("app-tenure");
    expect(refusal({ kubernetes: "1.24.0", values: plain })).toContain("chart requires kubeVersion: >=1.25.0-0");
  });

  it("at the edge are taken", () => {
    const values = {
      replicas: 50,
      lease: { duration: "300ms", heartbeatInterval: "122ms" },
      stopping: { drainTimeout: "0" },
      podDisruptionBudget: { maxUnavailable: "20%" },
    };
    expect(render({ values }).all("StatefulSet")).toHaveLength(1);
  });
});
