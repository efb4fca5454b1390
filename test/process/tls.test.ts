/**
 * Real sidecars with mutual TLS: who gets in, who does not, and new certificates under a running group.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { issue, type IssuedCertificate, makeCa, type TestCa, writeTlsDir } from "../support/ca.ts";
import { type GroupSettings, type LocalGroup, SERVICE } from "../support/local-group.ts";
import { createGroup, runSidecar, startGroup } from "../support/process-test.ts";
import { RawPeer } from "../support/raw-peer.ts";
import type { Sidecar } from "../support/sidecar.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";
import { TenureGuard } from "../support/tenure-guard.ts";

const HOUR_MS = 3_600_000;
const ANY_GROWTH_MIB = Infinity;

let ca: TestCa;
let otherCa: TestCa;

beforeAll(async () => {
  [ca, otherCa] = await Promise.all([makeCa(), makeCa("another CA")]);
});

function leafOf(name: string, from: TestCa = ca): Promise<IssuedCertificate> {
  return issue(from, { dnsNames: [`${name}.${SERVICE}`] });
}

interface Secured {
  readonly group: LocalGroup;
  tlsDir(name: string): string;
}

/** A group with a certificate for each name. */
async function securedGroup(settings: Omit<GroupSettings, "env" | "secure"> = { size: 3 }): Promise<Secured> {
  const directory = await createTemporaryDirectory();
  onTestFinished(() => directory.remove());
  const tlsDir = (name: string): string => join(directory.path, name);
  for (const name of ["app-0", "app-1", "app-2"]) await writeTlsDir(tlsDir(name), ca, await leafOf(name));
  const group = await startGroup({ ...settings, secure: true, env: (name) => ({ TENURE_TLS_DIR: tlsDir(name) }) });
  return { group, tlsDir };
}

async function guardOf(group: LocalGroup): Promise<TenureGuard> {
  const guard = await TenureGuard.of(group, ANY_GROWTH_MIB);
  onTestFinished(() => guard.stop());
  return guard;
}

function connected(from: Sidecar, to: Sidecar): Promise<number | null> {
  return from.metric(`tenure_peer_connected{peer="${to.name}"}`);
}

describe("a group with certificates", () => {
  it("forms, and replaces a holder that is killed", async () => {
    const { group } = await securedGroup();
    const first = await group.agreed();
    const { token } = await first.leader();
    await first.crash();
    const second = await group.agreed();
    expect((await second.leader()).token).toBeGreaterThan(token ?? Number.NaN);
    const back = await group.startMember(first.name);
    await group.agreed();
    expect(await second.faults("peer_certificate")).toBe(0);
    expect((await back.leader()).reason).toBe("follower");
  });

  it("refuses strangers, counts them, and keeps its holder", async () => {
    const { group } = await securedGroup({ size: 3, leaseDuration: "2s" });
    const guard = await guardOf(group);
    const { holder } = guard;
    const past = { notBefore: new Date(Date.now() - 2 * HOUR_MS), notAfter: new Date(Date.now() - HOUR_MS) };
    const dnsNames = [`app-1.${SERVICE}`];
    const strangers: readonly (readonly [string, IssuedCertificate | null])[] = [
      ["another CA", await leafOf("app-1", otherCa)],
      ["expired", await issue(ca, { dnsNames, ...past })],
      ["names nobody", await issue(ca, { dnsNames: [], commonName: `app-1.${SERVICE}` })],
      ["DNS:web\\.example", await issue(ca, { dnsNames: ["web.example"] })],
      ["DNS:app-2\\.", await leafOf("app-2")],
      ["extended key usage", await issue(ca, { dnsNames, clientAuth: false })],
      ["none was presented", null],
    ];
    const before = await holder.faults("peer_certificate");
    for (const [why, certificate] of strangers) {
      const own = certificate === null ? {} : { cert: certificate.certPem, key: certificate.keyPem };
      const stranger = RawPeer.dialTls(holder.ports.peers, { ca: ca.certPem, ...own });
      stranger.send(helloAs("app-1", holder.name));
      const refusal = await stranger.next();
      expect(refusal).toMatchObject({ kind: "refusal", code: "peer_certificate" });
      expect(refusal?.["message"]).toMatch(new RegExp(why, "u"));
      await stranger.closed;
    }
    await group.until("all to be counted", async () =>
      (await holder.faults("peer_certificate")) >= before + strangers.length ? true : null,
    );

    const plain = RawPeer.dial(holder.ports.peers).send(helloAs("app-1", holder.name));
    await plain.closed;
    await group.until("one without TLS to be counted", async () =>
      (await holder.faults("peer_protocol")) > 0 ? true : null,
    );
    await guard.look();
    expect(await guard.complaints()).toStrictEqual([]);
  });

  it("has no room for a member whose certificate is of another CA, until it gets a right one", async () => {
    const { group, tlsDir } = await securedGroup({ size: 3, leaseDuration: "2s" });
    const guard = await guardOf(group);
    const [outcast] = group.othersThan(guard.holder);
    if (outcast === undefined) throw new Error("there are three");
    await outcast.crash();
    await writeTlsDir(tlsDir(outcast.name), ca, await leafOf(outcast.name, otherCa));
    const wrong = await group.startMember(outcast.name);
    for (const other of [guard.holder, wrong]) {
      await group.until(`${other.name} to count it`, async () =>
        (await other.faults("peer_certificate")) > 0 ? true : null,
      );
    }
    expect(await connected(guard.holder, wrong)).toBe(0);
    expect((await wrong.leader()).reason).not.toBe("follower");
    expect((await guard.holder.leader()).isLeader).toBe(true);

    await writeTlsDir(tlsDir(outcast.name), ca, await leafOf(outcast.name));
    await group.until("it to follow, without a restart", async () =>
      (await wrong.leader()).reason === "follower" ? true : null,
    );
    expect(await guard.complaints()).toStrictEqual([]);
  });

  it("takes new certificates while it runs, without losing the tenure", async () => {
    const { group, tlsDir } = await securedGroup({ size: 3, leaseDuration: "2s" });
    const guard = await guardOf(group);
    const [follower] = group.othersThan(guard.holder);
    if (follower === undefined) throw new Error("there are three");
    const renewed = new Map<string, IssuedCertificate>();
    for (const name of group.names) {
      const leaf = await leafOf(name);
      renewed.set(name, leaf);
      await writeTlsDir(tlsDir(name), ca, leaf);
    }
    for (const member of group.members) {
      await group.until(`${member.name} to present its new certificate`, async () =>
        (await presentedBy(member)) === derOf(renewed.get(member.name)) ? true : null,
      );
    }

    // What the holder shows when it dials: to a listener in the follower's place.
    await follower.crash();
    const shown = await certificateOfDialler(group, follower.name, renewed.get(follower.name));
    const senders = group.members.map(({ name }) => derOf(renewed.get(name)));
    expect(senders).toContain(shown);
    const back = await group.startMember(follower.name);
    await group.until("it to follow again", async () => ((await back.leader()).reason === "follower" ? true : null));
    expect(await connected(guard.holder, back)).toBe(1);
    await guard.look();
    expect(await guard.complaints()).toStrictEqual([]);
  });

  /** The leaf that a dialler gets to see, as base64. */
  function presentedBy(member: Sidecar): Promise<string | null> {
    return new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: member.ports.peers, rejectUnauthorized: false });
      socket.once("secureConnect", () => {
        resolve(socket.getPeerX509Certificate()?.raw.toString("base64") ?? null);
        socket.destroy();
      });
      socket.on("error", () => undefined);
      socket.once("close", () => resolve(null));
    });
  }

  async function certificateOfDialler(group: LocalGroup, name: string, leaf?: IssuedCertificate): Promise<string> {
    const server = createServer({ cert: leaf?.certPem, key: leaf?.keyPem, ca: ca.certPem, requestCert: true });
    onTestFinished(() => void server.close());
    const shown = new Promise<string>((resolve) => {
      server.once("secureConnection", (socket) => {
        resolve(socket.getPeerX509Certificate()?.raw.toString("base64") ?? "none");
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const others = group.members.map((member) => ({ name: member.name, host: "127.0.0.1", port: member.ports.peers }));
    group.dns.setPeers(SERVICE, [...others, { name, host: "127.0.0.1", port }]);
    return shown;
  }
});

describe("certificates that cannot be used", () => {
  it.for([
    { what: "no key", spoil: (path: string) => rm(path) },
    { what: "a directory for a key", spoil: async (path: string) => rm(path).then(() => mkdir(path)) },
    { what: "a key that is none", spoil: (path: string) => writeFile(path, "not PEM") },
    { what: "the key of another", spoil: async (path: string) => writeFile(path, (await leafOf("app-0")).keyPem) },
  ])("$what: tls_unusable, exit 1", async ({ spoil }) => {
    const group = await createGroup({ size: 1, secure: true });
    const tls = join(group.directory, "tls");
    await writeTlsDir(tls, ca, await leafOf("app-0"));
    await spoil(join(tls, "tls.key"));
    const sidecar = runSidecar({ ...group.environment("app-0"), TENURE_TLS_DIR: tls });
    expect(await sidecar.exited).toStrictEqual({ code: 1, signal: null });
    expect(sidecar.log.at(-1)).toMatchObject({ event: "fatal", code: "tls_unusable" });
    expect(sidecar.log.at(-1)?.["message"]).toContain(join(tls, "tls.key"));
  });
});

function helloAs(name: string, to: string): Readonly<Record<string, unknown>> {
  const from = { id: "0123456789abcdef0123456789abcdef", name };
  return { kind: "hello", magic: "tenure", protocol: 2, version: "0", group: "app-peers", groupId: null, from, to };
}

function derOf(certificate: IssuedCertificate | undefined): string {
  const body = certificate?.certPem.replaceAll(/-----[A-Z ]+-----|\s/gu, "");
  if (body === undefined) throw new Error("there is no such certificate");
  return body;
}
