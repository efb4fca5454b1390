/**
 * Whether a certificate is a peer's.
 *
 * Invariant: a certificate of the right CA is not enough; it must name the pod that its owner says it is, or the
 * service whose peers these are. The address that was dialled plays no part, and the subject's CN is never looked at.
 *
 * Deliberately absent: the chain, the dates and the purpose, which TLS itself has checked by then.
 */
import type { X509Certificate } from "node:crypto";
import type { Objection } from "./handshake.ts";

/**
 * Valid are: a DNS name that covers `<name>.<service>` (a wildcard stands for one whole label; RFC 9525, 6.3), and the
 * DNS name `<service>` itself, letter by letter: a wildcard above the service is not a peer's. Null: it is a peer's.
 */
export function objectionToCertificate(
  certificate: X509Certificate | undefined,
  name: string,
  service: string,
): Objection | null {
  if (certificate === undefined) return objection("none was presented");
  const zone = service.replace(/\.$/, "");
  const full = `${name}.${zone}`;
  if (certificate.checkHost(full, { subject: "never", partialWildcards: false }) !== undefined) return null;
  if (certificate.checkHost(zone, { subject: "never", wildcards: false }) !== undefined) return null;
  return objection(`names ${certificate.subjectAltName ?? "nobody"}; a peer's has DNS:${full} or DNS:${zone}`);
}

/** What is wrong with a chain that TLS did not accept, from the code of its verification. */
export function objectionToChain(verificationCode: string): Objection {
  return objection(`${verificationCode}: ${REASONS.get(verificationCode) ?? "TLS does not accept it"}`);
}

export function isVerificationCode(code: string): boolean {
  return REASONS.has(code);
}

function objection(why: string): Objection {
  return { code: "peer_certificate", message: `the certificate is not a peer's: ${why}`.slice(0, 500) };
}

const OTHER_CA = "it comes from another CA than those in ca.crt";

/** The results of OpenSSL's verification that people meet, with what to look at. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "it has expired"],
  ["CERT_NOT_YET_VALID", "it is not valid yet; are the clocks right?"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", OTHER_CA],
  ["SELF_SIGNED_CERT_IN_CHAIN", OTHER_CA],
  ["UNABLE_TO_GET_ISSUER_CERT", OTHER_CA],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", OTHER_CA],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", OTHER_CA],
  ["CERT_SIGNATURE_FAILURE", OTHER_CA],
  ["CERT_UNTRUSTED", OTHER_CA],
  ["CERT_REJECTED", OTHER_CA],
  ["INVALID_CA", "a certificate of its chain is not a CA's"],
  ["CERT_CHAIN_TOO_LONG", "its chain is too long"],
  ["PATH_LENGTH_EXCEEDED", "its chain is longer than its CA allows"],
  ["INVALID_PURPOSE", "its extended key usage lacks serverAuth or clientAuth; a peer needs both"],
  ["CERT_REVOKED", "it is revoked"],
  ["UNSPECIFIED", "none was presented"],
]);
