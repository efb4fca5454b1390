/**
 * The rules of DNS discovery, against a real server on loopback.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DNS_TIMEOUT_MS, DNS_TRIES, MAX_DNS_RECORDS } from "../../../src/base/limits.ts";
import { createDnsDiscovery } from "../../../src/discovery/dns-discovery.ts";
import type { Discovery } from "../../../src/ports/discovery.ts";
import { startDnsServer, type DnsRecord, type DnsServer, type SrvData } from "../../support/dns-server.ts";

const SERVICE = "app-peers.default.svc.cluster.local";
const SRV_NAME = `_peer._tcp.${SERVICE}`;

let server: DnsServer;
let discovery: Discovery;

beforeEach(async () => {
  server = await startDnsServer();
  discovery = createDnsDiscovery({
    service: SERVICE,
    defaultPort: 7400,
    expected: ["app-0", "app-1", "app-2"],
    server: server.address,
  });
});
afterEach(async () => {
  discovery.close();
  await server.close();
});

function srv(data: SrvData): DnsRecord {
  return { type: "SRV", name: SRV_NAME, data };
}
function a(name: string, data: string): DnsRecord {
  return { type: "A", name, data };
}

describe("SRV records", () => {
  it("are taken when the target's first label is the name, whatever the rest of it", async () => {
    server.set([
      srv({ target: "App-1.elsewhere.test", port: 7411 }),
      srv({ target: "app-11.elsewhere.test", port: 7412 }),
      srv({ target: "other.app-1.test", port: 7413 }),
      a("app-1.elsewhere.test", "127.0.0.2"),
      a("app-11.elsewhere.test", "127.0.0.3"),
      a("other.app-1.test", "127.0.0.4"),
    ]);
    expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.2", port: 7411 }]);
  });

  it("come in the order of priority, then weight, each with its IPv4 and IPv6 addresses", async () => {
    server.set([
      srv({ target: "app-1.c.test", port: 3, priority: 20, weight: 99 }),
      srv({ target: "app-1.b.test", port: 2, priority: 10, weight: 1 }),
      srv({ target: "app-1.a.test", port: 1, priority: 10, weight: 5 }),
      a("app-1.a.test", "127.0.0.1"),
      { type: "AAAA", name: "app-1.a.test", data: "::1" },
      a("app-1.b.test", "127.0.0.2"),
      a("app-1.c.test", "127.0.0.3"),
    ]);
    expect(await discovery.lookup("app-1")).toEqual([
      { host: "127.0.0.1", port: 1 },
      { host: "::1", port: 1 },
      { host: "127.0.0.2", port: 2 },
      { host: "127.0.0.3", port: 3 },
    ]);
  });

  it("without a port or a target are no hint", async () => {
    server.set([
      srv({ target: "app-1.a.test", port: 0 }),
      srv({ target: ".", port: 7400 }),
      a("app-1.a.test", "127.0.0.1"),
    ]);
    expect(await discovery.lookup("app-1")).toEqual([]);
  });

  it("whose target has no address give way to the name in the service", async () => {
    server.set([srv({ target: "app-1.gone.test", port: 9 }), a(`app-1.${SERVICE}`, "127.0.0.5")]);
    expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.5", port: 7400 }]);
  });

  it("are asked for once by look-ups that overlap, and again by the next", async () => {
    server.setPeers(
      SERVICE,
      [1, 2, 3].map((n) => ({ name: `app-${n}`, host: `127.0.0.${n}`, port: 7400 })),
    );
    await Promise.all([1, 2, 3].map((n) => discovery.lookup(`app-${n}`)));
    expect(server.queries("SRV")).toBe(1);
    await discovery.lookup("app-1");
    expect(server.queries("SRV")).toBe(2);
  });

  it("are forgiven a failure when the name has an address in the service", async () => {
    server.setPeers(SERVICE, [{ name: "app-1", host: "127.0.0.2", port: 7401 }]);
    for (const mode of ["servfail", "refused", "garbage"] as const) {
      server.setMode(mode, ["SRV"]);
      expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.2", port: 7400 }]);
    }
  });

  it("of a whole large group arrive, over TCP when they do not fit", async () => {
    const peers = Array.from({ length: 50 }, (_, n) => ({ name: `app-${n}`, host: `127.0.1.${n}`, port: 7400 + n }));
    server.setPeers(SERVICE, peers);
    expect(await discovery.lookup("app-49")).toEqual([{ host: "127.0.1.49", port: 7449 }]);
    expect(server.queries("SRV")).toBe(2);
  });
});

describe("names without an SRV record", () => {
  it("are found in the service, with the default port", async () => {
    server.set([a(`app-1.${SERVICE}`, "127.0.0.5"), { type: "AAAA", name: `app-1.${SERVICE}`, data: "::1" }]);
    expect(await discovery.lookup("app-1")).toEqual([
      { host: "127.0.0.5", port: 7400 },
      { host: "::1", port: 7400 },
    ]);
  });

  it("are found in one address family while the other fails", async () => {
    server.set([a(`app-1.${SERVICE}`, "127.0.0.5")]);
    server.setMode("servfail", ["AAAA"]);
    expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.5", port: 7400 }]);
  });

  it("are not given up as unknown while one address family fails", async () => {
    server.setMode("servfail", ["AAAA"]);
    await expect(discovery.lookup("app-1")).rejects.toMatchObject({ code: "discovery_failed" });
  });

  it("get all targets of a service whose records carry other names, as in a Deployment", async () => {
    server.setPeers(SERVICE, [
      { name: "10-0-0-1", host: "127.0.0.1", port: 7401 },
      { name: "10-0-0-2", host: "127.0.0.2", port: 7402 },
    ]);
    expect(await discovery.lookup("app-7d4b9c-x2x4z")).toEqual([
      { host: "127.0.0.1", port: 7401 },
      { host: "127.0.0.2", port: 7402 },
    ]);
  });

  it("get no stranger's address while it is unknown whether they have one of their own", async () => {
    server.setPeers(SERVICE, [{ name: "app-1", host: "127.0.0.1", port: 7401 }]);
    server.setMode("servfail", ["A", "AAAA"]);
    await expect(discovery.lookup("app-2")).rejects.toMatchObject({ code: "discovery_failed" });
  });
});

describe("a bad server", () => {
  it.each([
    ["servfail", "the server failed"],
    ["refused", "the server refused"],
    ["garbage", "EBADRESP"],
  ] as const)("that answers with %s is a failure, never an empty answer", async (mode, message) => {
    server.setPeers(SERVICE, [{ name: "app-1", host: "127.0.0.1", port: 7401 }]);
    server.setMode(mode);
    const failure = discovery.lookup("app-1");
    await expect(failure).rejects.toMatchObject({ code: "discovery_failed" });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(server.address);
  });

  it("that is silent is a failure, within the bound for each of the two steps", async () => {
    server.setMode("silent");
    const begun = performance.now();
    await expect(discovery.lookup("app-1")).rejects.toThrow("no answer in time");
    expect(performance.now() - begun).toBeLessThan(2 * DNS_TRIES * DNS_TIMEOUT_MS + 500);
    expect(server.queries("SRV")).toBe(DNS_TRIES);
  });

  it("that does not run is a failure", async () => {
    const gone = await startDnsServer();
    await gone.close();
    const other = createDnsDiscovery({
      service: SERVICE,
      defaultPort: 7400,
      expected: ["app-0", "app-1", "app-2"],
      server: gone.address,
    });
    await expect(other.lookup("app-1")).rejects.toMatchObject({ code: "discovery_failed" });
    other.close();
  });

  it("that denies every name gives an empty answer", async () => {
    server.setPeers(SERVICE, [{ name: "app-1", host: "127.0.0.1", port: 7401 }]);
    server.setMode("empty");
    expect(await discovery.lookup("app-1")).toEqual([]);
  });

  it("that knows a name, but not an address of it, gives an empty answer", async () => {
    const data = { target: "x.test", port: 1 };
    server.set([a(SRV_NAME, "127.0.0.1"), { type: "SRV", name: `app-1.${SERVICE}`, data }]);
    expect(await discovery.lookup("app-1")).toEqual([]);
  });

  it("that cuts every UDP answer is asked over TCP", async () => {
    server.setPeers(SERVICE, [{ name: "app-1", host: "127.0.0.1", port: 7401 }]);
    server.setMode("truncated");
    expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.1", port: 7401 }]);
  });

  it("that floods SRV answers does not hide the peer", async () => {
    server.setPeers(SERVICE, [{ name: "app-1", host: "127.0.0.1", port: 7401 }]);
    server.setMode("poisoned", ["SRV"]);
    expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.1", port: 7401 }]);
  });

  it("that floods every answer gets a bounded hearing", async () => {
    server.setMode("poisoned");
    server.setPeers(SERVICE, [{ name: "app-1", host: "127.0.0.1", port: 7401 }]);
    const known = await discovery.lookup("app-1");
    expect(known).toHaveLength(MAX_DNS_RECORDS);
    expect(known[0]).toEqual({ host: "127.0.0.1", port: 7401 });

    server.setPeers(SERVICE, []);
    server.setMode("normal", ["A", "AAAA"]);
    const before = server.queries();
    expect(await discovery.lookup("app-2")).toEqual([]);
    expect(server.queries() - before).toBeLessThanOrEqual(2 * (MAX_DNS_RECORDS + 2));
  });
});

describe("siblings where the server knows no SRV", () => {
  const HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
  const SIXES = ["fd00::1", "fd00::2", "fd00::3"];
  const aaaa = (name: string, data: string): DnsRecord => ({ type: "AAAA", name, data });
  /** What the service has, and which of the three expected pods have a record of their own. */
  const records = (service: readonly string[], pods: readonly string[] = HOSTS): readonly DnsRecord[] => [
    ...service.map((host) => (host.includes(":") ? aaaa(SERVICE, host) : a(SERVICE, host))),
    ...pods.map((host, at) => a(`app-${at}.${SERVICE}`, host)),
  ];

  beforeEach(() => server.setMode("servfail", ["SRV"]));

  it.each([
    ["none has an address", []],
    ["all of them are expected", records(HOSTS)],
    ["some of those that are expected are there", records(HOSTS.slice(1))],
    [
      "they have two families",
      [...records([...HOSTS, ...SIXES]), ...SIXES.map((host, at) => aaaa(`app-${at}.${SERVICE}`, host))],
    ],
  ])("are none where %s", async (_, known) => {
    server.set(known);
    expect(await discovery.siblings("app-0")).toEqual([]);
  });

  it.each([
    ["there is one address more", records([...HOSTS, "127.0.0.4"])],
    ["one is a stranger's, and one of those that are expected is away", records(["127.0.0.1", "127.0.0.4"])],
    ["only a stranger is there", records(["127.0.0.4"], [])],
    ["one of the other family is a stranger's", records([...HOSTS, "fd00::4"])],
  ])("are not known where %s", async (_, known) => {
    server.set(known);
    await expect(discovery.siblings("app-0")).rejects.toMatchObject({ code: "discovery_failed" });
  });

  it("are not known while the server fails altogether", async () => {
    server.setMode("servfail");
    await expect(discovery.siblings("app-0")).rejects.toMatchObject({ code: "discovery_failed" });
  });
});

describe("closing", () => {
  it("ends a look-up that is under way at once", async () => {
    server.setMode("silent");
    const failure = discovery.lookup("app-1");
    const begun = performance.now();
    discovery.close();
    await expect(failure).rejects.toThrow("closed");
    expect(performance.now() - begun).toBeLessThan(DNS_TIMEOUT_MS / 4);
  });
});

describe("names", () => {
  it("may be written with a trailing dot and in any case, service included", async () => {
    const other = createDnsDiscovery({
      service: "APP.test.",
      defaultPort: 7400,
      expected: ["app-0", "app-1", "app-2"],
      server: server.address,
    });
    server.setPeers("app.test", [{ name: "app-1", host: "127.0.0.1", port: 7401 }]);
    expect(await other.lookup("App-1.")).toEqual([{ host: "127.0.0.1", port: 7401 }]);
    other.close();
  });

  it("that DNS cannot hold are a failure with that reason", async () => {
    await expect(discovery.lookup("a".repeat(64))).rejects.toThrow("not a name that DNS can hold");
  });
});
