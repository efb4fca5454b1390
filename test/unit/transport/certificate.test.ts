/** Which names make a certificate a peer's. test/unit/transport/tls.test.ts has the same with real connections. */
import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { objectionToCertificate } from "../../../src/transport/certificate.ts";
import { issue, makeCa } from "../../support/ca.ts";
import type { TestCa } from "../../support/ca.ts";

const SERVICE = "app.test.svc";

let ca: TestCa;
beforeAll(async () => {
  ca = await makeCa();
});

async function isPeers(dnsNames: readonly string[], name: string, service = SERVICE): Promise<boolean> {
  const { certPem } = await issue(ca, { dnsNames });
  return objectionToCertificate(new X509Certificate(certPem), name, service) === null;
}

describe("a certificate", () => {
  it("that is not there is nobody's", () => {
    expect(objectionToCertificate(undefined, "app-0", SERVICE)).toMatchObject({ code: "peer_certificate" });
  });

  it.each([
    [["app-0.app.test.svc"], "app-0", true],
    [["app-0.app.test.svc"], "app-1", false],
    [["app-0.app.test.svc"], "x.app-0", false],
    [["*.app.test.svc"], "app-1", true],
    [["*.app.test.svc"], "a.b", false],
    [["app-*.app.test.svc"], "app-1", false],
    [["a*.app.test.svc"], "app-1", false],
    [["app.test.svc"], "app-1", true],
    [["*.test.svc"], "app-1", false],
    [["*.*.test.svc"], "app-1", false],
    [["app-1"], "app-1", false],
    [["app-1.app.test.svc.evil.test"], "app-1", false],
  ])("for %j is %s's: %s", async (dnsNames, name, expected) => {
    expect(await isPeers(dnsNames, name)).toBe(expected);
  });

  it("is the same for a service that is written with the dot of the root", async () => {
    expect(await isPeers(["*.app.test.svc"], "app-1", `${SERVICE}.`)).toBe(true);
    expect(await isPeers([SERVICE], "app-1", `${SERVICE}.`)).toBe(true);
  });
});
