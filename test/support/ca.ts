/**
 * A private CA and certificates for tests: what a cluster's certificate issuer would put into TENURE_TLS_DIR.
 *
 * Invariant: keys are EC P-256 and fresh for every call; nothing is read from the machine.
 *
 * Deliberately absent: revocation, which tenure does not use (certificates are short-lived instead).
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import type { webcrypto } from "node:crypto";
import { join } from "node:path";
import "reflect-metadata"; // the library below resolves its parts through it, and expects its user to bring it
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** A certificate with its private key, both PEM. `certPem` may carry a chain, leaf first. */
export interface IssuedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface TestCa extends IssuedCertificate {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface IssueOptions {
  /** The subject alternative names; empty: none at all. */
  readonly dnsNames: readonly string[];
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in an hour. */
  readonly notAfter?: Date;
  /** Which uses the certificate names. Default: both. */
  readonly serverAuth?: boolean;
  readonly clientAuth?: boolean;
  /** Never looked at by tenure; to show just that. */
  readonly commonName?: string;
}

/** Valid from an hour ago to in an hour, unless `period` says otherwise. */
export async function makeCa(
  name = "tenure test CA",
  period: { readonly notBefore?: Date; readonly notAfter?: Date } = {},
): Promise<TestCa> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    serialNumber: serialNumber(),
    ...validity(period),
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys, certPem: certificate.toString("pem"), keyPem: await keyPemOf(keys) };
}

export async function issue(ca: TestCa, options: IssueOptions): Promise<IssuedCertificate> {
  const keys = await newKeys();
  const usages = [
    ...(options.serverAuth === false ? [] : [SERVER_AUTH]),
    ...(options.clientAuth === false ? [] : [CLIENT_AUTH]),
  ];
  const names = options.dnsNames.map((value) => ({ type: "dns" as const, value }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${options.commonName ?? "peer"}`,
    issuer: ca.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    serialNumber: serialNumber(),
    ...validity(options),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(usages)]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.keys.publicKey),
    ],
  });
  return { certPem: certificate.toString("pem"), keyPem: await keyPemOf(keys) };
}

/**
 * Writes `tls.crt`, `tls.key` and `ca.crt`, each replaced by a rename so that a reader never sees half a file. `ca` may
 * be several: a bundle, as during the rotation of a CA.
 */
export async function writeTlsDir(
  directory: string,
  ca: IssuedCertificate | readonly IssuedCertificate[],
  certificate: IssuedCertificate,
): Promise<void> {
  const bundle = (Array.isArray(ca) ? ca : [ca]).map((one: IssuedCertificate) => one.certPem).join("\n");
  await mkdir(directory, { recursive: true });
  await replace(join(directory, "ca.crt"), `${bundle}\n`);
  await replace(join(directory, "tls.key"), `${certificate.keyPem}\n`);
  await replace(join(directory, "tls.crt"), `${certificate.certPem}\n`);
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function validity(options: { readonly notBefore?: Date; readonly notAfter?: Date } = {}): {
  notBefore: Date;
  notAfter: Date;
} {
  return {
    notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + HOUR_MS),
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function keyPemOf(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/.{64}/g, "$&\n").trimEnd()}\n-----END PRIVATE KEY-----`;
}

function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return `01${Buffer.from(bytes).toString("hex")}`;
}
