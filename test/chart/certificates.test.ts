/**
 * Where certificates come from, and that a peer takes those that the chart makes.
 */
import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { objectionToCertificate } from "../../src/transport/certificate.ts";
import { at, environmentOf, type KubeObject, needs, podSpecOf, render, sidecarOf } from "./support/helm.ts";

const SERVICE = "app-tenure-peers.default.svc.cluster.local";
const CERT_MANAGER = ["--api-versions", "cert-manager.io/v1"];
const DAY_MS = 86_400_000;

function certificateOf(secret: KubeObject, key: string): X509Certificate {
  return new X509Certificate(Buffer.from(secret.data?.[key] ?? "", "base64"));
}

describe("a certificate of the chart", () => {
  needs("helm");

  it("is one that every peer of the group takes, for both ends", () => {
    const rendering = render({ values: { tls: { mode: "chart" } } });
    const secret = rendering.get("Secret", "app-tenure-peers-tls");
    const certificate = certificateOf(secret, "tls.crt");
    for (const name of ["app-tenure-0", "app-tenure-49"]) {
      expect(objectionToCertificate(certificate, name, SERVICE)).toBeNull();
    }
    expect(objectionToCertificate(certificate, "app-tenure-0", `other.${SERVICE}`)).not.toBeNull();
    expect(certificate.subjectAltName).toBe(`DNS:${SERVICE}, DNS:*.${SERVICE}`);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(certificate.ca).toBe(false);
  });

  it("comes from a CA of its own, which is kept beside it with its key", () => {
    const rendering = render({ values: { tls: { mode: "chart", chart: { validityDays: 30 } } } });
    const secret = rendering.get("Secret", "app-tenure-peers-tls");
    const kept = rendering.get("Secret", "app-tenure-peers-ca");
    const [certificate, ca] = [certificateOf(secret, "tls.crt"), certificateOf(kept, "tls.crt")];
    expect(ca.ca).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(secret.data?.["ca.crt"]).toBe(kept.data?.["tls.crt"]);
    expect(certificate.publicKey.asymmetricKeyType).toBe("ec");
    const validMs = (one: X509Certificate): number => Date.parse(one.validTo) - Date.parse(one.validFrom);
    expect(validMs(certificate)).toBe(30 * DAY_MS);
    expect(validMs(ca)).toBe(3650 * DAY_MS);
    const renewAfterMs = Number(secret.metadata.annotations?.["tenure/renew-after"]) * 1_000;
    expect(Math.abs(renewAfterMs - (Date.parse(certificate.validFrom) + 20 * DAY_MS))).toBeLessThan(60_000);
  });

  it("is mounted where the program looks", () => {
    const set = render().get("StatefulSet");
    expect(at(podSpecOf(set), "volumes", 1)).toEqual({
      name: "tenure-tls",
      secret: { secretName: "app-tenure-peers-tls" },
    });
    expect(at(sidecarOf(set), "volumeMounts", 1)).toEqual({
      name: "tenure-tls",
      mountPath: environmentOf(set, "a-0")["TENURE_TLS_DIR"],
      readOnly: true,
    });
  });
});

describe("the mode of TLS", () => {
  needs("helm");

  it("is, by itself, cert-manager where it is there and the chart where it is not", () => {
    expect(render({ args: CERT_MANAGER }).all("Secret")).toEqual([]);
    expect(render({ args: CERT_MANAGER }).all("Certificate")).toHaveLength(2);
    expect(render().all("Secret")).toHaveLength(2);
    expect(render().all("Certificate")).toEqual([]);
  });

  it("cert-manager has a CA that signs for this group only", () => {
    const rendering = render({ values: { tls: { mode: "cert-manager" } } });
    const ca = rendering.get("Certificate", "app-tenure-peers-issuer");
    expect(at(ca, "spec")).toMatchObject({ isCA: true, privateKey: { rotationPolicy: "Never" } });
    expect(at(rendering.get("Issuer", "app-tenure-peers"), "spec", "ca", "secretName")).toBe(
      at(ca, "spec", "secretName"),
    );
    expect(at(ca, "spec", "issuerRef", "name")).toBe(rendering.get("Issuer", "app-tenure-peers-root").metadata.name);
    expect(at(rendering.get("Certificate", "app-tenure-peers"), "spec")).toMatchObject({
      secretName: "app-tenure-peers-tls",
      dnsNames: [SERVICE, `*.${SERVICE}`],
      usages: ["digital signature", "server auth", "client auth"],
      issuerRef: { name: "app-tenure-peers", kind: "Issuer", group: "cert-manager.io" },
    });
  });

  it("cert-manager may be given an issuer", () => {
    const issuerRef = { name: "house", kind: "ClusterIssuer" };
    const rendering = render({ values: { tls: { mode: "cert-manager", certManager: { issuerRef } } } });
    expect(rendering.all("Issuer")).toEqual([]);
    expect(at(rendering.get("Certificate"), "spec", "issuerRef")).toEqual({ ...issuerRef, group: "cert-manager.io" });
  });

  it("secret makes nothing", () => {
    const rendering = render({ values: { tls: { mode: "secret", secretName: "mine" } }, args: CERT_MANAGER });
    expect(rendering.objects.filter(({ kind }) => /Secret|Certificate|Issuer/u.test(kind))).toEqual([]);
    expect(at(podSpecOf(rendering.get("StatefulSet")), "volumes", 1, "secret", "secretName")).toBe("mine");
  });

  it("none says so to the program, and mounts nothing", () => {
    const rendering = render({ values: { tls: { mode: "none" } } });
    const environment = environmentOf(rendering.get("StatefulSet"), "a-0");
    expect(environment).toMatchObject({ TENURE_INSECURE_PEERS: "true" });
    expect(environment).not.toHaveProperty("TENURE_TLS_DIR");
    expect(rendering.text).not.toContain("tenure-tls");
  });
});
