/**
 * The closed set of error codes and the one error class of operating errors.
 *
 * Invariant: every error that a user, a log line, a metric or a peer can see carries a code of `ERRORS`; the table in
 * docs/reference/errors.md is generated from it. A programmer's error is an `AssertionError` instead.
 *
 * Deliberately absent: HTTP. The API maps codes to statuses through `status` below; 0 means "never an HTTP answer".
 */

interface ErrorRow {
  /** The status of an HTTP answer with this code; 0 where it never is one. */
  readonly status: number;
  /** What it means and what to do, for the reference. */
  readonly meaning: string;
}

export const ERRORS = {
  // Configuration and start
  config_invalid: { status: 0, meaning: "One or more settings are missing or impossible. Every fault is listed; exit status 2." },
  // Storage: each of these ends the process with status 1
  storage_in_use: { status: 0, meaning: "Another process uses this data directory. Give every pod a directory of its own." },
  storage_unreadable: { status: 0, meaning: "A file of the data directory cannot be opened, read or written. Check the mount, its permissions and its free space." },
  storage_corrupt: { status: 0, meaning: "A file fails its checksum or does not make sense. The process never goes on as if it were empty; repair the volume, or empty the whole directory so that the pod comes back as a new member. Never put a copy or a snapshot of it back." },
  storage_version: { status: 0, meaning: "The data directory was written by a version of tenure that this one does not read." },
  storage_sync_failed: { status: 0, meaning: "An fsync failed. What is on the disk is unknown, so the process ends and reads it again at its next start." },
  // Clock
  clock_backwards: { status: 0, meaning: "The monotonic clock went backwards, which no rule survives. The process ends." },
  // Peers
  frame_too_large: { status: 0, meaning: "A peer announced a frame above the limit. The connection is closed before the frame is read." },
  frame_malformed: { status: 0, meaning: "A peer's frame is not a message of this protocol. The connection is closed." },
  peer_protocol: { status: 0, meaning: "The other end speaks another version of the peer protocol, or none." },
  peer_group: { status: 0, meaning: "The other end belongs to another group. Check TENURE_GROUP and TENURE_SERVICE, or a reused address." },
  peer_name: { status: 0, meaning: "The other end is not the pod that was looked for: a reused address or a stale record." },
  peer_incarnation: { status: 0, meaning: "The other end is a newer incarnation of that pod: it came back with an empty directory." },
  peer_certificate: { status: 0, meaning: "The other end's certificate is missing, expired, from another CA, or not one of this service's peers." },
  peer_timeout: { status: 0, meaning: "The other end did not connect, finish the handshake or answer a ping in time." },
  peer_too_many: { status: 0, meaning: "More connections than the limit; the newest is refused." },
  peer_overflow: { status: 0, meaning: "A peer reads too slowly; messages to it are dropped (the protocol sends them again)." },
  peer_unreachable: { status: 0, meaning: "A connection to a peer could not be opened or was lost." },
  discovery_failed: { status: 0, meaning: "The DNS server did not answer, or knows no record of a peer." },
  tls_unusable: { status: 0, meaning: "The files of TENURE_TLS_DIR cannot be read or do not fit together." },
  // Ports
  listen_failed: { status: 0, meaning: "An address, port or socket path to listen on cannot be had: another process uses it, or it is not this machine's." },
  http_too_many: { status: 0, meaning: "More connections to an HTTP port than the limit: those that are idle are closed, and the newest is refused." },
  // Commands
  sidecar_unreachable: { status: 0, meaning: "A command found no sidecar where it looked, or something else there. Run it in the sidecar's container, or say where it listens." },
  // API
  not_found: { status: 404, meaning: "No such path." },
  method_not_allowed: { status: 405, meaning: "The path exists, the method does not. The Allow header names those that do." },
  host_forbidden: { status: 403, meaning: "The Host or Origin header is not a loopback name: refused, so that no web page can reach the API." },
  query_invalid: { status: 400, meaning: "A query parameter is out of range." },
  body_not_json: { status: 400, meaning: "The body is not JSON." },
  body_invalid: { status: 400, meaning: "The JSON of the body is not what this path takes." },
  body_too_large: { status: 413, meaning: "The body is larger than the limit." },
  too_many_waiters: { status: 503, meaning: "Too many long polls or watchers at once." },
  not_holder: { status: 409, meaning: "This pod does not hold the lock, so there is nothing to hand over." },
  rescue_refused: { status: 409, meaning: "A rescue is refused: voters that could still elect a leader, or pods that may have become voters unseen, are in the way, DNS does not answer, or it was not confirmed. The message says which pods and what to do." },
  init_refused: { status: 409, meaning: "A group exists already, or this pod is not the one that may form it alone." },
  unknown_target: { status: 409, meaning: "The pod named in `to` is not a voter of the group, is not reachable, or is not eligible; or nobody else is." },
  shutting_down: { status: 503, meaning: "The sidecar is stopping." },
  internal: { status: 500, meaning: "A fault of tenure itself; see its log." },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** An expected failure of the outside world: typed, coded, and with a message that says what to do next. */
export class TenureError extends Error {
  override readonly name = "TenureError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `errno` name of a system error (`ENOENT`, `ECONNREFUSED` …), or null. */
export function systemCodeOf(error: unknown): string | null {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return null;
}
