/**
 * Every bound of the program, with its name and its reason.
 *
 * Invariant: a queue, list, frame, body, connection count, retry delay or log line that could grow has its bound here.
 *
 * Deliberately absent: what users set (src/config) and the timing of the protocol (src/lease).
 */

/** The longest frame between peers. The largest legal one is an append of MAX_APPEND_ENTRIES small entries. */
export const MAX_FRAME_BYTES = 1_048_576;
/** Entries in one append: a follower far behind is caught up in steps, so that no frame comes near its limit. */
export const MAX_APPEND_ENTRIES = 128;
/**
 * The text of the entries in one append: below MAX_FRAME_BYTES by far, because a configuration of MAX_MEMBERS long
 * names takes 40 KiB and an append could have a hundred of them.
 */
export const MAX_APPEND_CHARACTERS = 262_144;
/**
 * Committed entries in the log before a snapshot stands for them: the log on disk and what a restart reads stay small,
 * and a snapshot (two syncs) is written once in so many changes of holder.
 */
export const COMPACT_AFTER_ENTRIES = 256;
/** Bytes that may wait for one slow peer before further messages to it are dropped; the protocol sends again. */
export const MAX_PEER_QUEUE_BYTES = 4 * MAX_FRAME_BYTES;
/** The longest frame before the handshake is done: a hello has four short names, and strangers get no more memory. */
export const MAX_HANDSHAKE_FRAME_BYTES = 4_096;
/** Handshaken connections on the peer port: room for each of 50 replicas twice over, and for a flood to be refused. */
export const MAX_PEER_CONNECTIONS = 128;
/**
 * Connections on the peer port that have not finished the handshake, on top of those that have: room for a whole group
 * that starts at once. A stranger that says nothing takes one of these, never one of a peer's.
 */
export const MAX_PEER_PENDING = 64;
/** Connections that the kernel holds until they are accepted: a burst of strangers must not make it drop a peer's. */
export const PEER_BACKLOG = 2_048;
/** How long a new connection may take to finish TLS and the handshake, either side. */
export const PEER_HANDSHAKE_TIMEOUT_MS = 2_000;
/**
 * How long a dialled address may take to accept: with the longest backoff below 2 s, so that a dead one is soon left.
 */
export const PEER_CONNECT_TIMEOUT_MS = 700;
/** No further address of a look-up is tried after this long: a poisoned answer must not hide a right one. */
export const PEER_ROUND_BUDGET_MS = 1_500;
/** How long an orderly close may take to flush what was sent before the connection is cut. */
export const PEER_CLOSE_TIMEOUT_MS = 500;
/**
 * The first and the longest wait before a peer is dialled again. 1 s keeps "found again within 2 s of a right record".
 */
export const PEER_BACKOFF_MIN_MS = 20;
export const PEER_BACKOFF_MAX_MS = 1_000;
/**
 * A connection is pinged this often, and closed when it was silent for PEER_SILENCE_MS: no FIN comes from a dead host.
 */
export const PEER_PING_INTERVAL_MS = 500;
export const PEER_SILENCE_MS = 1_500;
/**
 * How often the certificate files are compared with those in use; kubelet updates a mounted secret about once a
 * minute.
 */
export const TLS_RELOAD_INTERVAL_MS = 5_000;

/**
 * How long one DNS query may take, and how often it is tried: two tries stay below the 2 s within which peers are
 * found again.
 */
export const DNS_TIMEOUT_MS = 700;
export const DNS_TRIES = 2;
/** Records taken from one DNS answer: above any real group; the rest of a poisoned answer is dropped. */
export const MAX_DNS_RECORDS = 256;

/** The longest body of a request to the lock API: its largest legal body is one pod name. */
export const MAX_BODY_BYTES = 4_096;
/** Long polls and watchers at once. One application needs one of each; this leaves room for tools. */
export const MAX_WAITERS = 256;
/** The longest `wait` of a long poll, and the one taken when none is given. */
export const MAX_WAIT_MS = 300_000;
export const DEFAULT_WAIT_MS = 30_000;
/** A watcher that has not read this much is cut off. */
export const MAX_WATCH_QUEUE_BYTES = 65_536;
/** A comment line is sent to watchers this often, so that both ends notice a dead connection. */
export const WATCH_COMMENT_INTERVAL_MS = 15_000;
/** Connections to the lock API; those above are closed at once. An idle one costs 13 KiB. */
export const MAX_HTTP_CONNECTIONS = 4_096;
/** Connections to the operations port, which the whole cluster can reach: scrapers and probes, many times over. */
export const MAX_OPS_CONNECTIONS = 512;
/** How long a client may take to send its request's headers: an idle or dripping connection costs no more than this. */
export const HTTP_HEADERS_TIMEOUT_MS = 10_000;
/** How long an idle kept-alive HTTP connection stays: longer than the usual scrape and poll intervals. */
export const HTTP_KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How long a client may take to send a whole request, body included. It does not touch the wait for an answer. */
export const HTTP_REQUEST_TIMEOUT_MS = 10_000;
/** How often connections are checked against the two timeouts above: what a slow client can add to them. */
export const HTTP_TIMEOUT_CHECK_MS = 5_000;
/** The longest headers of a request: no client of these APIs sends a tenth of it. */
export const MAX_HTTP_HEADER_BYTES = 8_192;
/** How long a closing HTTP port waits for answers that are on their way; the connections are cut after it. */
export const HTTP_CLOSE_GRACE_MS = 1_000;

/** How long a command waits for an answer that waits for nothing: far above any pause of a healthy sidecar. */
export const COMMAND_TIMEOUT_MS = 5_000;
/** The longest answer that a command reads: `/cluster` of MAX_MEMBERS with the longest names is a tenth of it. */
export const MAX_COMMAND_ANSWER_BYTES = 1_048_576;
/** How long a command looks out for the next holder after a release, on top of three lease durations. */
export const SUCCESSOR_WATCH_MS = 5_000;

/** Past tenures kept for `/history`. */
export const MAX_HISTORY = 128;
/** The longest group or pod name: that of a DNS label or subdomain in Kubernetes. */
export const MAX_NAME_LENGTH = 253;
/** Voters of a group: five survive two failures, and more only make each commit slower. The rest are learners. */
export const MAX_VOTERS = 5;
/** Formation messages waiting for the disk: every pod of the largest group asks a few times a second. */
export const FORMATION_QUEUE = 512;
/**
 * The last second since 2025-01-01 whose token base leaves room for tokens below 2^53 (src/lease/token.ts): in 2093.
 * A pod whose clock shows a later one is waited for, like one that says nothing.
 */
export const MAX_WALL_SECONDS = 2 ** 31 - 2;
/** The largest token base: it leaves four million log entries below 2^53. */
export const MAX_TOKEN_BASE = 2 ** 53 - 2 ** 22;
/** The largest group that formation takes. */
export const MAX_FOUNDERS = 50;
/** Voters and learners of one configuration together: as many as can be connected. */
export const MAX_MEMBERS = 128;
/**
 * Removed incarnations that are remembered, so that one which comes back learns that it is out. A forgotten one is not
 * let in either: it stays alone until its directory is emptied.
 */
export const MAX_REMOVED = 256;
/** The longest version text of a peer, and the longest reason it may give for a refusal; both end up in logs. */
export const MAX_VERSION_LENGTH = 64;
export const MAX_REFUSAL_LENGTH = 512;
/** The longest text of a `command` entry: an append full of them stays below MAX_FRAME_BYTES, escapes included. */
export const MAX_COMMAND_LENGTH = 1_024;
/** Inputs waiting for the core. Peers are the only unbounded source; above this their messages are dropped. */
export const MAX_INPUT_QUEUE = 4_096;
/** Heartbeat rounds whose acknowledgement may still count; older ones cannot move a lease any more. */
export const MAX_OPEN_ROUNDS = 1_024;
/** A fault that repeats is logged once at `warn`, then at `debug` until this long has passed. */
export const REPEATED_FAULT_QUIET_MS = 60_000;
/** Faults told apart by the rule above: code and place. Beyond it the oldest is forgotten, and would warn anew. */
export const MAX_REPEATED_FAULTS = 256;
/** Log lines that wait for a slow reader of stdout; beyond it lines are dropped, because an observer never blocks. */
export const MAX_LOG_BUFFER_BYTES = 1_048_576;
/** The longest text of a log line that comes from outside (a message, an address); what is longer is cut. */
export const MAX_LOG_TEXT_LENGTH = 1_024;
/** Peers told apart in metrics between two scrapes: twice the largest group, for names that come and go. */
export const MAX_METRIC_PEERS = 100;
/** The event loop's delay is measured in this step: 0.1 % of CPU, and well below the shortest lease. */
export const EVENT_LOOP_STEP_MS = 50;
/**
 * A delay of the event loop is shown for at least this long. A scrape that timed out because of that very delay, or
 * another scraper's, must not take it along unseen.
 */
export const EVENT_LOOP_WINDOW_MS = 60_000;

/** The shortest lease duration: below it, timers and syncs of a busy machine cannot keep a lease. */
export const MIN_LEASE_DURATION_MS = 300;
/** The longest lease duration: a crash would stop the application for as long. */
export const MAX_LEASE_DURATION_MS = 3_600_000;
/** The shortest heartbeat interval: below it, timers and syncs decide when heartbeats go out, not the setting. */
export const MIN_HEARTBEAT_INTERVAL_MS = 10;
/** The longest drain: an hour is far above the grace period of any pod (30 s unless it says otherwise). */
export const MAX_DRAIN_TIMEOUT_MS = 3_600_000;
/** The largest priority. Candidates share one election window, so finer steps could not be told apart in time. */
export const MAX_PRIORITY = 100;

/** The longest path of a Unix socket: `sun_path` holds 108 bytes with its closing zero (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107;
/** The longest path of a directory: PATH_MAX of Linux with its closing zero. */
export const MAX_PATH_BYTES = 4_095;
/** The longest part of a faulty setting that a message repeats: enough to find it by. */
export const MAX_GIVEN_LENGTH = 120;
/** The longest word that is compared with the known ones for "did you mean": above it nobody mistyped one. */
export const MAX_SUGGESTION_LENGTH = 64;

/**
 * The log file is written anew by the append that would make it longer than this, if it is then several times as long
 * as when it was last written whole. Only hard states and entries that were cut off get it there: a log that commits is
 * compacted long before. It is some ten thousand elections that nobody won, and a start reads it in some tens of ms.
 */
export const WAL_REWRITE_BYTES = 1_048_576;
export const WAL_REWRITE_FACTOR = 4;
/**
 * The longest record of the log on disk: the entries of one frame, written as JSON with every character escaped at
 * worst. A longer one that is read is damage.
 */
export const MAX_WAL_RECORD_BYTES = 8 * MAX_FRAME_BYTES;
