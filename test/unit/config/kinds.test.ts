/**
 * Truth tables of the kinds of values: text in, value or problem out.
 */
import { describe, expect, it } from "vitest";
import { duration, formatDuration, parseDuration } from "../../../src/config/duration.ts";
import { choice, fractionBetween, integer, path, truth, type Kind } from "../../../src/config/kind.ts";
import {
  dnsServer,
  groupName,
  host,
  loopbackHost,
  podName,
  port,
  serviceName,
} from "../../../src/config/network-kinds.ts";

const LABEL_63 = "a".repeat(63);

/** `null` stands for a problem. */
function check<T>(title: string, kind: Kind<T>, table: Readonly<Record<string, T | null>>): void {
  describe(title, () => {
    it.each(Object.entries(table))("%j is %j", (text, value) => {
      const parsed = kind.parse(text);
      expect(parsed.ok ? parsed.value : null).toEqual(value);
    });
  });
}

check("a duration from 300ms to 1h", duration(300, 3_600_000), {
  "2s": 2_000,
  "300ms": 300,
  "1.5s": 1_500,
  "1m": 60_000,
  "1h": 3_600_000,
  "0.3s": 300,
  "1.001s": 1_001,
  "299ms": null,
  "61m": null,
  "2": null,
  "2000": null,
  "0": null,
  "2S": null,
  "2 s": null,
  " 2s": null,
  "2s\n": null,
  "-2s": null,
  "+2s": null,
  "2sec": null,
  "1d": null,
  "1m30s": null,
  s: null,
  ".5s": null,
  "1e3ms": null,
  "1000.5ms": null,
  "0x2s": null,
  "9999999999999h": null,
  Infinity: null,
});

check("a duration from 0", duration(0, 10_000), {
  "0": 0,
  "0s": 0,
  "0.0": 0,
  "10s": 10_000,
  "1": null,
  "10001ms": null,
});

describe("a duration without a unit", () => {
  it("is told to add one", () => {
    expect(parseDuration("5")).toEqual({ ok: false, problem: "a number without its unit: add one, as in 5ms or 5s" });
  });
});

describe("formatDuration", () => {
  it.each([
    [3_600_000, "1h"],
    [90_000, "90s"],
    [120_000, "2m"],
    [1_500, "1.5s"],
    [1_050, "1050ms"],
    [37.5, "37.5ms"],
    [0, "0ms"],
  ])("%d is %s", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

check("a whole number from 1 to 50", integer(1, 50), {
  "1": 1,
  "50": 50,
  "007": 7,
  "0": null,
  "51": null,
  "-1": null,
  "1.0": null,
  "1e1": null,
  " 1": null,
  "９": null,
  "99999999999999999999": null,
});

check("a fraction", fractionBetween(0, 0.5), {
  "0.10": 0.1,
  ".1": 0.1,
  "0.499": 0.499,
  "0": null,
  "0.0": null,
  "0.5": null,
  "1": null,
  "-0.1": null,
  "10%": null,
  NaN: null,
  "1e-1": null,
  ".": null,
});

check("a choice", choice(["drain", "handover"]), {
  drain: "drain",
  handover: "handover",
  Drain: null,
  "drain ": null,
  x: null,
});
check("a truth", truth, { true: true, false: false, yes: null, "1": null, TRUE: null });
check("a port", port, { "0": 0, "7400": 7400, "65535": 65_535, "65536": null, "-1": null, http: null });

check("a path of at most 5 bytes", path("a path", 5), {
  "/data": "/data",
  data: "data",
  "/dät": "/dät",
  "/datas": null,
  "/däta": null,
  "a\0b": null,
});

check("a group's name", groupName, {
  app: "app",
  "app-1.x": "app-1.x",
  [LABEL_63]: LABEL_63,
  [`a${LABEL_63}`]: null,
  [Array.from({ length: 4 }, () => LABEL_63).join(".")]: null,
  App: null,
  "-app": null,
  "app-": null,
  "a..b": null,
  a_b: null,
  ä: null,
});

check("a pod's name", podName, {
  "app-0": "app-0",
  "app-2147483647": "app-2147483647",
  "my-app-12": "my-app-12",
  app: null,
  "app-01": null,
  "app-": null,
  "-0": null,
  "app-7d4b9c-x2x4z": null,
  "App-0": null,
  "app-0.x": null,
});

check("a service's name", serviceName, {
  "app-peers.default.svc.cluster.local": "app-peers.default.svc.cluster.local",
  "App.Test.": "app.test",
  app: "app",
  "app.test..": null,
  ".": null,
  "_peer._tcp.app.test": null,
  "app.test:53": null,
});

check("a host", host, {
  "::": "::",
  "[::]": "::",
  "0.0.0.0": "0.0.0.0",
  localhost: "localhost",
  "app.test": null,
  "127.1": null,
  "[0.0.0.0]": null,
  "127.0.0.1:80": null,
});

check("a loopback host", loopbackHost, {
  "127.0.0.1": "127.0.0.1",
  "127.255.255.254": "127.255.255.254",
  "::1": "::1",
  "[::1]": "::1",
  "0:0:0:0:0:0:0:1": "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1": "::ffff:127.0.0.1",
  localhost: "localhost",
  "0.0.0.0": null,
  "::": null,
  "128.0.0.1": null,
  "::2": null,
  "10.0.0.1": null,
  "::ffff:10.0.0.1": null,
  "localhost.evil.test": null,
});

check("a DNS server", dnsServer, {
  "127.0.0.1": "127.0.0.1",
  "127.0.0.1:5353": "127.0.0.1:5353",
  "::1": "::1",
  "[::1]": "[::1]",
  "[::1]:53": "[::1]:53",
  "127.0.0.1:0": null,
  "127.0.0.1:65536": null,
  "127.0.0.1:": null,
  "dns.test:53": null,
  "[127.0.0.1]:53": null,
  "fe80::1%eth0": null,
  ":53": null,
  "": null,
});
