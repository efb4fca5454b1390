/**
 * What every discovery keeps to (src/ports/discovery.ts), on DNS and on the table that tests use in its place.
 */
import { afterEach, describe, expect, it } from "vitest";
import { MAX_DNS_RECORDS } from "../../src/base/limits.ts";
import { createDnsDiscovery } from "../../src/discovery/dns-discovery.ts";
import type { Discovery } from "../../src/ports/discovery.ts";
import { startDnsServer, type DnsPeer } from "../support/dns-server.ts";
import { createStaticDiscovery } from "../support/static-discovery.ts";

/** A discovery together with the hand that turns its world. */
interface Subject {
  readonly discovery: Discovery;
  publish(peers: readonly DnsPeer[]): void;
  setFailing(failing: boolean): void;
  stop(): Promise<void>;
}

async function dns(): Promise<Subject> {
  const server = await startDnsServer();
  const discovery = createDnsDiscovery({
    service: "app.test",
    defaultPort: 7400,
    expected: ["app-0", "app-1", "app-2"],
    server: server.address,
  });
  return {
    discovery,
    publish: (peers) => server.setPeers("app.test", peers),
    setFailing: (failing) => server.setMode(failing ? "servfail" : "normal"),
    stop: async () => {
      discovery.close();
      await server.close();
    },
  };
}

async function table(): Promise<Subject> {
  const discovery = createStaticDiscovery();
  const names = new Set<string>();
  return {
    discovery,
    publish: (peers) => {
      for (const name of names) discovery.set(name, []);
      for (const { name } of peers) {
        names.add(name);
        discovery.set(
          name,
          peers.filter((peer) => peer.name === name).map(({ host, port }) => ({ host, port })),
        );
      }
    },
    setFailing: (failing) => discovery.setFailing(failing),
    stop: async () => discovery.close(),
  };
}

describe.each([
  ["dns", dns],
  ["static", table],
])("discovery: %s", (_name, start) => {
  let subject: Subject | null = null;
  afterEach(async () => {
    await subject?.stop();
    subject = null;
  });
  async function fresh(): Promise<Subject> {
    subject = await start();
    return subject;
  }

  it("gives address and port of the peer asked for, and of no other", async () => {
    const { discovery, publish } = await fresh();
    publish([
      { name: "app-1", host: "127.0.0.2", port: 7401 },
      { name: "app-10", host: "127.0.0.3", port: 7402 },
      { name: "app-2", host: "::1", port: 7403 },
    ]);
    expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.2", port: 7401 }]);
    expect(await discovery.lookup("app-2")).toEqual([{ host: "::1", port: 7403 }]);
  });

  it("does not care for the case of a name", async () => {
    const { discovery, publish } = await fresh();
    publish([{ name: "app-1", host: "127.0.0.2", port: 7401 }]);
    expect(await discovery.lookup("APP-1")).toEqual([{ host: "127.0.0.2", port: 7401 }]);
  });

  it("answers with nothing for a name without a record", async () => {
    const { discovery } = await fresh();
    expect(await discovery.lookup("app-9")).toEqual([]);
  });

  it("sees a changed record in the very next look-up", async () => {
    const { discovery, publish } = await fresh();
    publish([{ name: "app-1", host: "127.0.0.2", port: 7401 }]);
    await discovery.lookup("app-1");
    publish([{ name: "app-1", host: "127.0.0.9", port: 7409 }]);
    expect(await discovery.lookup("app-1")).toEqual([{ host: "127.0.0.9", port: 7409 }]);
  });

  it("rejects with discovery_failed while its source fails, and answers again after that", async () => {
    const { discovery, publish, setFailing } = await fresh();
    publish([{ name: "app-1", host: "127.0.0.2", port: 7401 }]);
    setFailing(true);
    await expect(discovery.lookup("app-1")).rejects.toMatchObject({ name: "TenureError", code: "discovery_failed" });
    setFailing(false);
    expect(await discovery.lookup("app-1")).toHaveLength(1);
  });

  it("bounds what it gives for one name", async () => {
    const { discovery, publish } = await fresh();
    const host = (n: number): string => `127.0.${n >> 8}.${n & 255}`;
    publish(Array.from({ length: MAX_DNS_RECORDS + 44 }, (_, n) => ({ name: "app-1", host: host(n), port: 7400 })));
    expect(await discovery.lookup("app-1")).toHaveLength(MAX_DNS_RECORDS);
  });

  it("answers look-ups that overlap", async () => {
    const { discovery, publish } = await fresh();
    const peers = Array.from({ length: 5 }, (_, n) => ({ name: `app-${n}`, host: `127.0.0.${n + 1}`, port: 7400 + n }));
    publish(peers);
    const answers = await Promise.all(peers.map((peer) => discovery.lookup(peer.name)));
    expect(answers).toEqual(peers.map(({ host, port }) => [{ host, port }]));
  });

  it("rejects with discovery_failed once it is closed", async () => {
    const { discovery } = await fresh();
    discovery.close();
    await expect(discovery.lookup("app-1")).rejects.toMatchObject({ code: "discovery_failed" });
    discovery.close();
  });

  it("tells who else of the set has a record, and nobody of another set", async () => {
    subject = await start();
    const at = { host: "10.0.0.1", port: 7400 };
    subject.publish(["app-0", "app-1", "app-7", "other-1"].map((name) => ({ name, ...at })));
    expect([...(await subject.discovery.siblings("app-0"))].toSorted()).toEqual(["app-1", "app-7"]);
    expect(await subject.discovery.siblings("lonely-0")).toEqual([]);
    subject.setFailing(true);
    await expect(subject.discovery.siblings("app-0")).rejects.toMatchObject({ code: "discovery_failed" });
  });
});
