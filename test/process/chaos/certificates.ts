/**
 * The group's own CA, certificates for its pods, and bad ones.
 *
 * Invariant: good ones are valid for hours before and after, so that a wall clock stepped by an hour finds them good.
 *
 * Deliberately absent: when they are used; see certificate-faults.ts.
 */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { issue, type IssuedCertificate, makeCa, type TestCa, writeTlsDir } from "../../support/ca.ts";
import { SERVICE } from "../../support/local-group.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type Quality = "good" | "expired" | "foreign";

export class Certificates {
  readonly #directory: string;
  #ca: TestCa | null = null;
  #foreign: TestCa | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  directoryOf(name: string): string {
    return join(this.#directory, name);
  }

  async create(names: readonly string[]): Promise<void> {
    const period = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
    this.#ca = await makeCa("chaos", period);
    this.#foreign = await makeCa("another CA", period);
    for (const name of names) await this.give(name, "good");
  }

  /** Writes a fresh one into the pod's directory; resolves to its fingerprint. */
  async give(name: string, quality: Quality): Promise<string> {
    if (this.#ca === null || this.#foreign === null) throw new Error("there is no CA yet");
    const issuer = quality === "foreign" ? this.#foreign : this.#ca;
    const untilMs = quality === "expired" ? -3 * HOUR_MS : 6 * HOUR_MS;
    const certificate: IssuedCertificate = await issue(issuer, {
      dnsNames: [`${name}.${SERVICE}`],
      notBefore: new Date(Date.now() - 6 * HOUR_MS),
      notAfter: new Date(Date.now() + untilMs),
    });
    await writeTlsDir(this.directoryOf(name), this.#ca, certificate);
    return new X509Certificate(certificate.certPem).fingerprint256;
  }
}
