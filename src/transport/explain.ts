/**
 * Socket and TLS errors in words: what was seen, and what to look at.
 *
 * Invariant: the text of one cause is always the same: no port of ours, no time, no address of OpenSSL's memory.
 *
 * Deliberately absent: faults that a peer tells in a refusal; they come with their words. And any memory of faults:
 * each is told, because they are counted; how often a person should read of one is the log's business.
 */
import { systemCodeOf, TenureError } from "../base/errors.ts";
import type { ErrorCode } from "../base/errors.ts";
import { isVerificationCode, objectionToChain } from "./certificate.ts";

/** A fault without its place. */
export interface Cause {
  readonly code: ErrorCode;
  readonly message: string;
}

const SYSTEM_TEXTS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused: nothing listens there"],
  ["EHOSTUNREACH", "no route to this host: a stale record, or a network policy"],
  ["ENETUNREACH", "no route to this network: a stale record, or no IPv6 here"],
  ["ETIMEDOUT", "no answer from this host: a stale record, or a network policy"],
  ["ECONNRESET", "the connection was reset"],
  ["EPIPE", "the connection was reset"],
  ["EMFILE", "too many open files in this process"],
  ["ENFILE", "too many open files on this machine"],
]);

/** Alerts by which TLS says that a certificate was not accepted. */
const CERTIFICATE_ALERT = /ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|PEER_DID_NOT_RETURN_A_CERTIFICATE/;

export function explain(error: Error): Cause {
  if (error instanceof TenureError) return { code: error.code, message: error.message };
  const code = systemCodeOf(error);
  if (code === null) return { code: "peer_unreachable", message: error.message };
  if (isVerificationCode(code)) return objectionToChain(code);
  if (code.startsWith("ERR_SSL_")) return explainTls(code);
  return { code: "peer_unreachable", message: SYSTEM_TEXTS.get(code) ?? code };
}

function explainTls(code: string): Cause {
  if (CERTIFICATE_ALERT.test(code)) {
    const message = code.includes("ALERT")
      ? "the other end did not accept this node's certificate"
      : "the other end presented no certificate";
    return { code: "peer_certificate", message: `${message} (${code})` };
  }
  if (/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION/.test(code)) {
    return { code: "peer_protocol", message: `the ends share no version of TLS; peers speak 1.3 (${code})` };
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_TOO_SMALL|UNKNOWN_PROTOCOL/.test(code)) {
    return { code: "peer_protocol", message: `the other end does not speak TLS: is it --insecure-peers? (${code})` };
  }
  return { code: "peer_unreachable", message: `TLS failed: ${code}` };
}
