/**
 * Settings from environment and flags: defaults, precedence, and all faults at once.
 */
import { describe, expect, it } from "vitest";
import type { Fault } from "../../../src/config/fault.ts";
import { readSettings } from "../../../src/config/read-settings.ts";
import type { Settings } from "../../../src/config/settings.ts";
import { flagOf, KEYS, VARIABLES } from "../../../src/config/variables.ts";

const FACTS = { hostname: "app-0" };
/** The least that starts a sidecar. */
const BASE = {
  TENURE_SERVICE: "app-peers.default.svc.cluster.local",
  TENURE_REPLICAS: "3",
  TENURE_DATA_DIR: "/data",
  TENURE_INSECURE_PEERS: "true",
};

function settingsOf(env: Record<string, string>, argv: readonly string[] = [], facts = FACTS): Settings {
  const reading = readSettings(env, argv, facts);
  if (reading.kind !== "settings") throw new Error(`not settings: ${JSON.stringify(reading)}`);
  return reading.settings;
}
function faultsOf(env: Record<string, string>, argv: readonly string[] = [], facts = FACTS): readonly Fault[] {
  const reading = readSettings(env, argv, facts);
  return reading.kind === "faults" ? reading.faults : [];
}

describe("settings", () => {
  it("have the defaults of the contract", () => {
    expect(settingsOf(BASE)).toEqual({
      group: "app-peers",
      name: "app-0",
      service: "app-peers.default.svc.cluster.local",
      replicas: 3,
      dataDir: "/data",
      storage: "ephemeral",
      leaseDurationMs: 2_000,
      heartbeatIntervalMs: 250,
      clockDrift: 0.1,
      sigterm: "drain",
      drainTimeoutMs: 10_000,
      priority: 0,
      peerHost: "::",
      peerPort: 7400,
      httpHost: "127.0.0.1",
      httpPort: 4040,
      httpSocket: null,
      opsHost: "::",
      opsPort: 9464,
      tlsDir: null,
      insecurePeers: true,
      dnsServer: null,
      logLevel: "info",
    });
  });

  /** One legal value of each, other than its default. */
  const OTHERS: { readonly [K in keyof Settings]: readonly [text: string, value: Settings[K]] } = {
    group: ["orders", "orders"],
    name: ["db-7", "db-7"],
    service: ["Db.test.", "db.test"],
    replicas: ["5", 5],
    dataDir: ["data", "data"],
    storage: ["persistent", "persistent"],
    leaseDurationMs: ["1.5s", 1_500],
    heartbeatIntervalMs: ["100ms", 100],
    clockDrift: ["0.05", 0.05],
    sigterm: ["handover", "handover"],
    drainTimeoutMs: ["0", 0],
    priority: ["100", 100],
    peerHost: ["10.0.0.1", "10.0.0.1"],
    peerPort: ["7500", 7500],
    httpHost: ["[::1]", "::1"],
    httpPort: ["0", 0],
    httpSocket: ["/run/tenure.sock", "/run/tenure.sock"],
    opsHost: ["localhost", "localhost"],
    opsPort: ["0", 0],
    tlsDir: ["/tls", "/tls"],
    insecurePeers: ["false", false],
    dnsServer: ["127.0.0.1:5353", "127.0.0.1:5353"],
    logLevel: ["silent", "silent"],
  };
  const expected = Object.fromEntries(KEYS.map((key) => [key, OTHERS[key][1]]));

  it("are taken from variables", () => {
    expect(settingsOf(Object.fromEntries(KEYS.map((key) => [VARIABLES[key].name, OTHERS[key][0]])))).toEqual(expected);
  });

  it("are taken from flags, in both ways of writing them", () => {
    const apart = KEYS.flatMap((key) => {
      const flag = flagOf(VARIABLES[key]);
      return key === "insecurePeers" ? [`${flag}=false`] : [flag, OTHERS[key][0]];
    });
    const joined = KEYS.map((key) => `${flagOf(VARIABLES[key])}=${OTHERS[key][0]}`);
    expect(settingsOf({}, apart)).toEqual(expected);
    expect(settingsOf({}, joined)).toEqual(expected);
  });

  it("are taken from flags when variables say otherwise, faulty ones included", () => {
    const env = { ...BASE, TENURE_GROUP: "a", TENURE_LEASE_DURATION: "nonsense" };
    const settings = settingsOf(env, ["--group", "b", "--lease-duration=1s"]);
    expect(settings).toMatchObject({ group: "b", leaseDurationMs: 1_000 });
  });

  it("count as not set when empty, in variables and flags", () => {
    const env = { ...BASE, TENURE_GROUP: "", TENURE_LEASE_DURATION: "", TENURE_TLS_DIR: "", TENURE_NONSENSE: "" };
    expect(settingsOf(env)).toEqual(settingsOf(BASE));
    const emptyFlags = ["--group=", "--name", ""];
    expect(settingsOf({ ...BASE, TENURE_GROUP: "a" }, emptyFlags)).toMatchObject({ group: "a", name: "app-0" });
    expect(faultsOf({ ...BASE, TENURE_DATA_DIR: "" })).toMatchObject([{ name: "TENURE_DATA_DIR", given: null }]);
  });

  it("take the name from a hostname that is fully qualified", () => {
    expect(settingsOf(BASE, [], { hostname: "app-2.app-peers.default.svc.cluster.local" }).name).toBe("app-2");
  });

  it("take an ordinal that is not below the replicas: a pod that joins later", () => {
    expect(settingsOf({ ...BASE, TENURE_NAME: "app-3" }).name).toBe("app-3");
  });

  it("derive the heartbeat interval from the lease duration given", () => {
    expect(settingsOf({ ...BASE, TENURE_LEASE_DURATION: "300ms" }).heartbeatIntervalMs).toBe(37.5);
  });
});

describe("faults", () => {
  it("name every required setting when there is nothing", () => {
    const faults = faultsOf({});
    expect(faults.map((fault) => fault.name).toSorted()).toEqual([
      "TENURE_DATA_DIR",
      "TENURE_REPLICAS",
      "TENURE_SERVICE",
      "TENURE_TLS_DIR",
    ]);
    for (const fault of faults) expect(fault).toMatchObject({ given: null, from: null });
  });

  it("are told together, each with what was given, where, and what is allowed", () => {
    const env = { ...BASE, TENURE_LEASE_DURATION: "2000", TENURE_REPLICAS: "51", TENURE_LOGLEVEL: "debug" };
    const faults = faultsOf(env, ["--clock-drift=0.5", "--storage", "disk", "--verbose", "--name=web"]);
    const summary = faults.map(({ name, given, from }) => [name, given, from]);
    expect(summary).toEqual([
      ["TENURE_LOGLEVEL", "debug", "the environment"],
      ["--verbose", null, null],
      ["TENURE_REPLICAS", "51", "TENURE_REPLICAS"],
      ["TENURE_NAME", "web", "--name"],
      ["TENURE_STORAGE", "disk", "--storage"],
      ["TENURE_LEASE_DURATION", "2000", "TENURE_LEASE_DURATION"],
      ["TENURE_CLOCK_DRIFT", "0.5", "--clock-drift"],
    ]);
    for (const fault of faults) {
      expect(fault.problem).not.toBe("");
      expect(fault.allowed).not.toBe("");
    }
  });

  it("tell a flag without its value once, though its setting is then missing too", () => {
    const faults = faultsOf({}, ["--replicas=3", "--data-dir=d", "--service", "--tls-dir"]);
    expect(faults.map(({ name, problem }) => [name, problem])).toEqual([
      ["TENURE_SERVICE", "--service stands without a value"],
      ["TENURE_TLS_DIR", "--tls-dir stands without a value"],
    ]);
  });

  it("say of a bare number that its unit is missing", () => {
    const [fault] = faultsOf({ ...BASE, TENURE_LEASE_DURATION: "2000" });
    expect(fault?.problem).toBe("a number without its unit: add one, as in 2000ms or 2000s");
  });

  it("say of a name without an ordinal that it takes a StatefulSet", () => {
    const [fault] = faultsOf(BASE, [], { hostname: "app-7d4b9c-x2x4z" });
    expect(fault).toMatchObject({ name: "TENURE_NAME", given: "app-7d4b9c-x2x4z", from: "the hostname" });
    expect(fault?.problem).toContain("outside a StatefulSet");
  });

  it("say of a public lock API that it is for localhost only", () => {
    const [fault] = faultsOf({ ...BASE, TENURE_HTTP_HOST: "0.0.0.0" });
    expect(fault?.allowed).toContain("localhost only");
  });

  it("do not depend on the prototype of objects", () => {
    const env = { ...BASE, TENURE___PROTO__: "x" };
    expect(faultsOf(env, ["--__proto__", "--constructor=1", "--to-string"]).map((fault) => fault.name)).toEqual(
      expect.arrayContaining(["TENURE___PROTO__", "--constructor", "--to-string"]),
    );
  });
});

describe("--help and --version", () => {
  it.each([
    [["--help"], "help"],
    [["-h"], "help"],
    [["--version"], "version"],
    [["-v"], "version"],
    [["--version", "--help"], "help"],
    [["--nonsense", "--lease-duration", "--help"], "help"],
    [["--group", "a", "-v"], "version"],
  ])("%j is %s, whatever else is wrong", (argv, kind) => {
    expect(readSettings({ TENURE_NONSENSE: "1" }, argv, FACTS)).toEqual({ kind });
  });
});
