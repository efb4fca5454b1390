/**
 * The two sources of settings: what they take, what they refuse and what they suggest instead.
 */
import { describe, expect, it } from "vitest";
import { readArguments } from "../../../src/config/arguments.ts";
import { readEnvironment } from "../../../src/config/environment.ts";
import { nearest } from "../../../src/config/nearest.ts";

function textsOf(given: ReadonlyMap<string, { readonly text: string }>): Readonly<Record<string, string>> {
  return Object.fromEntries([...given].map(([key, { text }]) => [key, text]));
}

describe("the environment", () => {
  it("ignores the variables of others", () => {
    const reading = readEnvironment({ PATH: "/bin", tenure_group: "a", TENUREGROUP: "b" });
    expect(reading).toEqual({ given: new Map(), faults: [] });
  });

  it("ignores a variable that is there without a value", () => {
    expect(readEnvironment({ TENURE_GROUP: undefined, TENURE_NONSENSE: undefined }).faults).toEqual([]);
  });

  it.each([
    ["TENURE_LEASE_DURATON", "TENURE_LEASE_DURATION"],
    ["TENURE_LEASE", "TENURE_LEASE_DURATION"],
    ["TENURE_LOGLEVEL", "TENURE_LOG_LEVEL"],
    ["TENURE_REPLICA", "TENURE_REPLICAS"],
    ["TENURE_PEERS_PORT", "TENURE_PEER_PORT"],
    ["TENURE_DATADIR", "TENURE_DATA_DIR"],
  ])("suggests for %s the name %s", (name, suggestion) => {
    expect(readEnvironment({ [name]: "1" }).faults).toMatchObject([
      { name, given: "1", allowed: `did you mean ${suggestion}?` },
    ]);
  });

  it("suggests nothing for a name that resembles none", () => {
    const { faults } = readEnvironment({ TENURE_XYZZY: "1" });
    expect(faults).toMatchObject([{ allowed: "one of the variables of --help" }]);
  });

  it.each([
    ["TENURE_SERVICE_HOST", "10.96.0.7"],
    ["TENURE_SERVICE_PORT", "4040"],
    ["TENURE_SERVICE_PORT_HTTP", "4040"],
    ["TENURE_PORT", "tcp://10.96.0.7:4040"],
    ["TENURE_PORT", "tcp://[fd00::7]:4040"],
    ["TENURE_PORT_7400_TCP", "tcp://10.96.0.7:7400"],
    ["TENURE_PORT_7400_TCP_ADDR", "10.96.0.7"],
    ["TENURE_PORT_7400_TCP_PORT", "7400"],
    ["TENURE_PORT_53_UDP_PROTO", "udp"],
    ["TENURE_HTTP_SERVICE_HOST", "10.96.0.7"],
    ["TENURE_HTTP_SERVICE_PORT", "4040"],
    ["TENURE_MY_APP_2_PORT", "tcp://10.96.0.7:80"],
    ["TENURE_MY_APP_2_PORT_80_TCP_ADDR", "10.96.0.7"],
    ["TENURE_HTTP_PORT", "tcp://10.96.0.7:4040"],
    ["TENURE_PEER_PORT", "tcp://10.96.0.7:7400"],
  ])("leaves the service link %s=%s alone", (name, text) => {
    expect(readEnvironment({ [name]: text })).toEqual({ given: new Map(), faults: [] });
  });

  it.each([
    ["TENURE_PORT", "4040"],
    ["TENURE_SERVICES_HOSTS", "10.96.0.7"],
    ["TENURE_PORT_HTTP", "4040"],
    ["TENURE_PORT_7400_TCP_NAME", "x"],
    ["TENURE_SERVICE_NAME", "app"],
  ])("does not take %s=%s for a service link", (name, text) => {
    expect(readEnvironment({ [name]: text }).faults).toMatchObject([{ name }]);
  });

  it("takes a port that is a port, and tells one that is nonsense when it is read", () => {
    expect(textsOf(readEnvironment({ TENURE_HTTP_PORT: "4041", TENURE_PEER_PORT: "tcp" }).given)).toEqual({
      httpPort: "4041",
      peerPort: "tcp",
    });
  });
});

describe("the command line", () => {
  it("takes the last of equal flags", () => {
    expect(textsOf(readArguments(["--group=a", "--group", "b"]).given)).toEqual({ group: "b" });
  });

  it("takes a bare flag for true", () => {
    const { given } = readArguments(["--insecure-peers", "--group=a"]);
    expect(textsOf(given)).toEqual({ insecurePeers: "true", group: "a" });
  });

  it("does not let a flag without a value swallow the next one", () => {
    const argv = ["--group", "--name", "app-1", "--lease-duration", "--replicas=3", "--service"];
    const { given, faults } = readArguments(argv);
    expect(textsOf(given)).toEqual({ name: "app-1", replicas: "3" });
    expect(faults.map((fault) => [fault.name, fault.problem])).toEqual([
      ["TENURE_GROUP", "--group stands without a value"],
      ["TENURE_LEASE_DURATION", "--lease-duration stands without a value"],
      ["TENURE_SERVICE", "--service stands without a value"],
    ]);
  });

  it("takes a value that begins with one dash, so that its own rule speaks", () => {
    expect(textsOf(readArguments(["--priority", "-1"]).given)).toEqual({ priority: "-1" });
  });

  it.each([
    ["--lease-duraton", "--lease-duration"],
    ["--lease", "--lease-duration"],
    ["--leaseDuration", "--lease-duration"],
    ["--TENURE_LEASE_DURATION", "--lease-duration"],
    ["--insecure", "--insecure-peers"],
    ["--hlep", "--help"],
  ])("suggests for %s the flag %s", (flag, suggestion) => {
    expect(readArguments([flag]).faults).toMatchObject([{ name: flag, allowed: `did you mean ${suggestion}?` }]);
  });

  it("tells an unknown flag together with its value, and goes on behind it", () => {
    const { given, faults } = readArguments(["--leese", "2s", "3s", "--colour=red", "--group=a", "-x", "7"]);
    expect(textsOf(given)).toEqual({ group: "a" });
    expect(faults.map((fault) => [fault.name, fault.given])).toEqual([
      ["--leese", "2s"],
      ["argument", "3s"],
      ["--colour", "red"],
      ["-x", "7"],
    ]);
  });

  it("tells every argument that belongs to no flag", () => {
    const { faults } = readArguments(["run", "--group", "a", "b", "--", "--name"]);
    expect(faults.map((fault) => [fault.name, fault.given])).toEqual([
      ["argument", "run"],
      ["argument", "b"],
      ["argument", "--name"],
    ]);
  });
});

describe("nearest", () => {
  it("gives up on a word of absurd length", () => {
    expect(nearest("a".repeat(65), ["a".repeat(65)])).toBeNull();
    expect(nearest("a".repeat(64), ["a".repeat(64)])).not.toBeNull();
  });
});
