/** Mutual TLS between peers: who is let in, who is not, and what each end is told. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionOptions, TlsOptions } from "node:tls";
import { TLSSocket } from "node:tls";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../../src/base/errors.ts";
import { MAX_PEER_PENDING } from "../../../src/base/limits.ts";
import { issue, makeCa, writeTlsDir } from "../../support/ca.ts";
import type { IssueOptions, TestCa } from "../../support/ca.ts";
import { rawListener, RawPeer } from "../../support/raw-peer.ts";
import { GROUP_ID, idOf, localPeer, Recorder } from "../../support/transport-recorder.ts";
import { SERVICE, SocketWorld } from "../../support/transport-world.ts";

const HOUR_MS = 3_600_000;
const HELLO = {
  kind: "hello",
  magic: "tenure",
  protocol: 2,
  version: "0.1.0",
  group: "app",
  groupId: GROUP_ID,
  from: { id: idOf(2), name: "app-1" },
  to: "app-0",
};

let ca: TestCa;
let otherCa: TestCa;
let world: SocketWorld;

beforeAll(async () => {
  ca = await makeCa();
  otherCa = await makeCa();
});
beforeEach(() => {
  world = new SocketWorld(null);
});
afterEach(async () => {
  await world.close();
});

interface Sides {
  readonly one: Recorder;
  readonly two: Recorder;
}

/** app-0 and app-1, each with the certificates in its directory; null: plain TCP. */
async function two(dirOfOne: string | null, dirOfTwo: string | null): Promise<Sides> {
  const sides = { one: new Recorder(), two: new Recorder() };
  const first = await world.start(localPeer("app-0", 1), sides.one, { tlsDir: dirOfOne });
  const second = await world.start(localPeer("app-1", 2), sides.two, { tlsDir: dirOfTwo });
  first.setPeers(["app-1"]);
  second.setPeers(["app-0"]);
  return sides;
}

/** Has been told these faults on a connection that it accepted, and on one that it dialled: those name an address. */
async function untilBoth(seen: Recorder, accepting: ErrorCode, dialling: ErrorCode): Promise<void> {
  const isTold = (code: ErrorCode, isDialled: boolean): boolean =>
    seen.faults(code).some(({ message }) => message.startsWith("127.0.0.1:") === isDialled);
  await seen.until(() => isTold(accepting, false) && isTold(dialling, true), "a fault as acceptor and as dialler");
}

function optionsOf(directory: string): ConnectionOptions & TlsOptions {
  const read = (file: string): Buffer => readFileSync(join(directory, file));
  return { cert: read("tls.crt"), key: read("tls.key"), ca: read("ca.crt"), minVersion: "TLSv1.3" };
}

/** One node with a good certificate, and how to dial it with any other. */
async function port(): Promise<{ readonly seen: Recorder; dial(options: ConnectionOptions): RawPeer }> {
  const seen = new Recorder();
  const transport = await world.start(localPeer("app-0", 1), seen, { tlsDir: await world.tlsDir(ca) });
  return { seen, dial: (options) => RawPeer.dialTls(transport.port, options) };
}

describe("a certificate is a peer's when it names", () => {
  it.each([
    ["every pod of the service", [`*.${SERVICE}`]],
    ["this pod", [`app-1.${SERVICE}`]],
    ["the service itself", [SERVICE]],
    ["this pod, in capitals", [`APP-1.${SERVICE.toUpperCase()}`]],
    ["this pod among others", ["localhost", `app-1.${SERVICE}`]],
  ])("%s", async (_what, dnsNames) => {
    const { one, two: other } = await two(await world.tlsDir(ca), await world.tlsDir(ca, { dnsNames }));
    await one.untilConnected("app-1");
    await other.untilConnected("app-0");
    expect([...one.faults(), ...other.faults()]).toEqual([]);
  });
});

describe("a certificate is not a peer's, and both ends say so, when it", () => {
  const bad: readonly (readonly [string, Partial<IssueOptions>, string])[] = [
    ["names another pod", { dnsNames: [`app-2.${SERVICE}`] }, `app-2.${SERVICE}`],
    ["names another service", { dnsNames: ["*.other.default.svc.cluster.local"] }, "other"],
    ["covers the service by a wildcard above it", { dnsNames: ["*.default.svc.cluster.local"] }, "*.default"],
    ["names a pod below this pod", { dnsNames: [`x.app-1.${SERVICE}`] }, "x.app-1"],
    ["has the name in its CN only", { dnsNames: [], commonName: `app-1.${SERVICE}` }, "nobody"],
    ["has the name in its CN, and another name", { dnsNames: ["x.test"], commonName: `app-1.${SERVICE}` }, "x.test"],
    ["has expired", { notAfter: new Date(Date.now() - HOUR_MS / 2) }, "CERT_HAS_EXPIRED"],
    ["is not valid yet", { notBefore: new Date(Date.now() + HOUR_MS / 2) }, "CERT_NOT_YET_VALID"],
  ];

  it.each(bad)("%s", async (_what, options, text) => {
    const good = await world.tlsDir(ca);
    const sides = await two(good, await world.tlsDir(ca, options));
    await untilBoth(sides.one, "peer_certificate", "peer_certificate");
    await sides.two.untilFault("peer_certificate");
    for (const { message } of sides.one.faults()) expect(message).toContain(text);
    expect(sides.two.faults("peer_certificate").some(({ message }) => message.includes(text))).toBe(true);
    expect(sides.one.of("connected")).toEqual([]);
    expect(sides.two.of("connected")).toEqual([]);
  });

  it("comes from another CA", async () => {
    const good = await world.tlsDir(ca);
    const sides = await two(good, await world.tlsDir(otherCa, {}, ca));
    await untilBoth(sides.one, "peer_certificate", "peer_certificate");
    await sides.two.untilFault("peer_certificate");
    for (const { message } of sides.one.faults()) expect(message).toContain("another CA");
    expect(sides.one.of("connected")).toEqual([]);
    expect(sides.two.of("connected")).toEqual([]);
  });

  it("is not for clients", async () => {
    const { seen, dial } = await port();
    const peer = dial(optionsOf(await world.tlsDir(ca, { clientAuth: false }))).send(HELLO);
    expect(await peer.next()).toMatchObject({ kind: "refusal", code: "peer_certificate" });
    await seen.untilFault("peer_certificate");
    expect(seen.faults()[0]?.message).toContain("clientAuth");
  });

  it("is not there", async () => {
    const { seen, dial } = await port();
    const { ca: trusted } = optionsOf(await world.tlsDir(ca));
    const peer = dial({ ca: trusted, minVersion: "TLSv1.3" }).send(HELLO, { kind: "formQuery", nonce: "" });
    expect(await peer.next()).toMatchObject({ kind: "refusal", code: "peer_certificate" });
    await peer.closed;
    await seen.untilFault("peer_certificate");
    expect(seen.faults()[0]?.peer).toBe("127.0.0.1");
    expect(seen.faults()[0]?.message).toContain("none was presented");
    expect(seen.messages()).toEqual([]);
  });

  it("is another pod's, though both are peers", async () => {
    const { seen, dial } = await port();
    const peer = dial(optionsOf(await world.tlsDir(ca, { dnsNames: [`app-2.${SERVICE}`] }))).send(HELLO);
    expect(await peer.next()).toMatchObject({ kind: "refusal", code: "peer_certificate" });
    await seen.untilFault("peer_certificate");
    expect(seen.faults()[0]?.peer).toBe("app-1");
  });
});

describe("a connection", () => {
  it("is never a resumed one", async () => {
    const { dial } = await port();
    const options = optionsOf(await world.tlsDir(ca));
    const first = dial(options);
    const session = new Promise<Buffer>((resolve) => first.socket.once("session", resolve));
    first.send(HELLO);
    expect(await first.next()).toMatchObject({ kind: "welcome" });
    const again = dial({ ...options, session: await session }).send(HELLO);
    expect(await again.next()).toMatchObject({ kind: "welcome" });
    expect(again.socket instanceof TLSSocket && again.socket.isSessionReused()).toBe(false);
  });

  it("speaks TLS 1.3 and nothing older", async () => {
    const { seen, dial } = await port();
    const peer = dial({ ...optionsOf(await world.tlsDir(ca)), minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
    expect(await peer.closed).toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
    await seen.untilFault("peer_protocol");
  });

  it("is refused by a dialler when the acceptor shows no peer's certificate, before it is told who dials", async () => {
    const stranger = await rawListener(optionsOf(await world.tlsDir(otherCa)));
    const seen = new Recorder();
    const transport = await world.start(localPeer("app-0", 1), seen, { tlsDir: await world.tlsDir(ca) });
    world.addresses.set("app-1", [{ host: "127.0.0.1", port: stranger.port }]);
    transport.setPeers(["app-1"]);
    await seen.untilFault("peer_certificate");
    expect(seen.faults()[0]?.peer).toBe("app-1");
    expect(seen.faults()[0]?.message).toContain("another CA");
    expect(stranger.accepted()).toBe(0);
    await stranger.close();
  });

  it("between TLS and plain TCP fails with words that help, at both ends and either way", async () => {
    const sides = await two(await world.tlsDir(ca), null);
    await untilBoth(sides.one, "peer_protocol", "peer_protocol");
    for (const { message } of sides.one.faults()) expect(message).toContain("does not speak TLS");
    await untilBoth(sides.two, "frame_too_large", "peer_unreachable");
    expect(sides.two.faults("frame_too_large")[0]?.message).toContain("look like TLS");
    expect(sides.two.faults("peer_unreachable")[0]?.message).toContain("does it want TLS?");
  });

  it("of a plain client with nonsense is closed, and the port goes on", async () => {
    const { seen, dial } = await port();
    const options = optionsOf(await world.tlsDir(ca));
    const transportPort = world.addresses.get("app-0")?.[0]?.port ?? 0;
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\0\0\0\x05hello", "\x16\x03\x01\0\x05hello"]) {
      await RawPeer.dial(transportPort).bytes(bytes).closed;
    }
    expect(seen.faults().length).toBeGreaterThan(0);
    expect(await dial(options).send(HELLO).next()).toMatchObject({ kind: "welcome" });
  });

  it("of a probe that opens and closes the port is no fault; one that breaks off TLS is", async () => {
    const { seen, dial } = await port();
    const transportPort = world.addresses.get("app-0")?.[0]?.port ?? 0;
    const probe = RawPeer.dial(transportPort);
    probe.socket.once("connect", () => probe.socket.end());
    await probe.closed;
    expect(
      await dial(optionsOf(await world.tlsDir(ca)))
        .send(HELLO)
        .next(),
    ).toMatchObject({ kind: "welcome" });
    expect(seen.faults()).toEqual([]);
    const distrustful = dial({ ...optionsOf(await world.tlsDir(otherCa)), rejectUnauthorized: true });
    expect(await distrustful.closed).toMatchObject({ code: "SELF_SIGNED_CERT_IN_CHAIN" });
    await seen.untilFault("peer_unreachable");
    expect(seen.faults()).toHaveLength(1);
    expect(seen.faults()[0]?.message).toContain("may not accept this node's certificate");
  });

  it("that never begins TLS takes no peer's place", async () => {
    const { seen, dial } = await port();
    const options = optionsOf(await world.tlsDir(ca));
    const transportPort = world.addresses.get("app-0")?.[0]?.port ?? 0;
    const strangers = Array.from({ length: 2 * MAX_PEER_PENDING }, () => RawPeer.dial(transportPort));
    await seen.untilFault("peer_too_many");
    expect(await dial(options).send(HELLO).next()).toMatchObject({ kind: "welcome" });
    for (const { socket } of strangers) socket.destroy();
  });
});

describe("rotation", () => {
  it("uses new files for new connections, and keeps the old ones while the new are unusable", async () => {
    const dir = await world.tlsDir(ca, { notAfter: new Date(Date.now() + HOUR_MS) });
    const seen = new Recorder();
    const transport = await world.start(localPeer("app-0", 1), seen, { tlsDir: dir });
    const before = transport.certificateNotAfterMs() ?? 0;
    const stray = await issue(ca, { dnsNames: [`*.${SERVICE}`] });

    await writeFile(join(dir, "tls.key"), stray.keyPem);
    await seen.untilFault("tls_unusable");
    expect(seen.faults()).toMatchObject([{ peer: dir }]);
    expect(seen.faults()[0]?.message).toContain("tls.key is not the key");
    expect(transport.certificateNotAfterMs()).toBe(before);
    const good = optionsOf(await world.tlsDir(ca));
    expect(await RawPeer.dialTls(transport.port, good).send(HELLO).next()).toMatchObject({ kind: "welcome" });

    // The CA is replaced: the bundle trusts both, the node's own certificate is the new CA's.
    const renewed = await issue(otherCa, { dnsNames: [`*.${SERVICE}`], notAfter: new Date(Date.now() + 3 * HOUR_MS) });
    await writeTlsDir(dir, [ca, otherCa], renewed);
    const other = new Recorder();
    const second = await world.start(localPeer("app-1", 2), other, {
      tlsDir: await world.tlsDir(otherCa, {}, otherCa),
    });
    second.setPeers(["app-0"]);
    transport.setPeers(["app-1"]);
    await other.untilConnected("app-0");
    await seen.untilConnected("app-1");
    expect(transport.certificateNotAfterMs()).toBeGreaterThan(before);
  }, 30_000);
});
