/**
 * The lock API: what the application asks on localhost (DESIGN, section 3).
 *
 * A plain `GET /leader` is answered right here, without express: it is the one request that applications send all the
 * time, and express has a fifth of the throughput of node:http. Everything else is in routes.ts.
 *
 * Invariant: an answer is computed from the clocks when it is written; no answer is ever kept. A thousand idle or
 * slow connections cost memory up to the limits of src/base/limits.ts and nothing else.
 *
 * Deliberately absent: TLS and users. The port is on the loopback interface of a pod; Host and Origin are checked
 * because a browser on the same machine would send what any page tells it to.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  HTTP_CLOSE_GRACE_MS,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_KEEP_ALIVE_TIMEOUT_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_TIMEOUT_CHECK_MS,
  MAX_HTTP_CONNECTIONS,
  MAX_HTTP_HEADER_BYTES,
  MAX_WAITERS,
  MAX_WATCH_QUEUE_BYTES,
  WATCH_COMMENT_INTERVAL_MS,
} from "../base/limits.ts";
import type { Application } from "../ports/application.ts";
import { fail, type OnFault } from "./failure.ts";
import { createHostCheck, isLoopbackAuthority } from "./host.ts";
import { closeServer, listen, listenSocket, silentConnections } from "./listen.ts";
import { sendError, sendLeader } from "./reply.ts";
import { createWaiters, type Waiters } from "./waiters.ts";

/** The bounds of the API. Tests make them small; everything else takes those of src/base/limits.ts. */
export interface LockApiLimits {
  readonly maxConnections: number;
  readonly maxWaiters: number;
  readonly maxWatchQueueBytes: number;
  readonly watchCommentIntervalMs: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly timeoutCheckMs: number;
}

const LIMITS: LockApiLimits = {
  maxConnections: MAX_HTTP_CONNECTIONS,
  maxWaiters: MAX_WAITERS,
  maxWatchQueueBytes: MAX_WATCH_QUEUE_BYTES,
  watchCommentIntervalMs: WATCH_COMMENT_INTERVAL_MS,
  headersTimeoutMs: HTTP_HEADERS_TIMEOUT_MS,
  requestTimeoutMs: HTTP_REQUEST_TIMEOUT_MS,
  keepAliveTimeoutMs: HTTP_KEEP_ALIVE_TIMEOUT_MS,
  timeoutCheckMs: HTTP_TIMEOUT_CHECK_MS,
};

export interface LockApiOptions {
  readonly application: Application;
  /** An address of this machine; 127.0.0.1 unless there is a reason. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The path of a Unix socket to listen on as well, or null. */
  readonly socketPath: string | null;
  /** Told of everything that is not the client's doing. A code without a status comes before the process's end. */
  readonly onFault: OnFault;
  readonly limits?: Partial<LockApiLimits>;
}

export interface LockApi {
  readonly port: number;
  /** Ends every wait with the present state, lets answers go out, cuts what is left after HTTP_CLOSE_GRACE_MS. */
  close(): Promise<void>;
}

/** Long enough for the first heartbeats and polls of a new tenure. */
const WARM_DELAY_MS = 500;

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/** Throws `listen_failed` when an address, port or path cannot be had; nothing stays open then. */
export async function startLockApi(options: LockApiOptions): Promise<LockApi> {
  const limits = { ...LIMITS, ...options.limits };
  const waiters = createWaiters(options.application, limits.maxWaiters);
  const slow = createSlowPath(options, limits, waiters);
  const tcp = createHttpServer(createListener(options, createHostCheck(), slow.listener), options, limits);
  const local = createHttpServer(
    createListener(options, () => true, slow.listener),
    options,
    limits,
  );
  const stopWarming = warmWhenHolder(options.application, slow.warm);
  const close = async (): Promise<void> => {
    stopWarming();
    waiters.close();
    await Promise.all([tcp, local].map((server) => closeServer(server, HTTP_CLOSE_GRACE_MS)));
  };
  try {
    const port = await listen(tcp, options);
    if (options.socketPath !== null) await listenSocket(local, options.socketPath);
    return { port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createHttpServer(listener: Listener, { onFault }: LockApiOptions, limits: LockApiLimits): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.timeoutCheckMs,
      maxHeaderSize: MAX_HTTP_HEADER_BYTES,
      // The check of Host answers for its absence: 403 on TCP; on a Unix socket there is no name to give.
      requireHostHeader: false,
    },
    listener,
  );
  server.maxConnections = limits.maxConnections;
  // Whoever holds thousands of idle connections shall not keep the application from its answer.
  const silent = silentConnections(server);
  server.on("drop", () => {
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
    onFault("http_too_many", "lock API", `more than ${limits.maxConnections} connections`);
  });
  return server;
}

/** The listener of one server; `isHostAllowed` is the difference between TCP and a Unix socket. */
function createListener(
  { application, onFault }: LockApiOptions,
  isHostAllowed: (host: string | undefined) => boolean,
  slow: Listener,
): Listener {
  return (req, res) => {
    if (!isHostAllowed(req.headers.host)) {
      sendError(res, "host_forbidden", "the Host header is not a loopback name, such as localhost");
    } else if (req.url === "/leader" && isPlainLook(req)) {
      try {
        sendLeader(res, application.leader());
      } catch (error) {
        fail(error, "/leader", res, onFault);
      }
    } else {
      slow(req, res);
    }
  };
}

/** What needs no express: neither a method that could be wrong, nor a page's origin that is to be judged. */
function isPlainLook({ method, headers }: IncomingMessage): boolean {
  return (method === "GET" || method === "HEAD") && headers.origin === undefined;
}

/**
 * Only a holder is ever asked to resign, and a handover should not wait for express to load: it is loaded a moment
 * after the lock was won, when nobody waits for anything. Returns the way out.
 */
function warmWhenHolder(application: Application, warm: () => void): () => void {
  let timer: NodeJS.Timeout | null = null;
  const unsubscribe = application.onChange(() => {
    if (timer === null && application.leader().isLeader) timer = setTimeout(warm, WARM_DELAY_MS).unref();
  });
  return () => {
    unsubscribe();
    if (timer !== null) clearTimeout(timer);
  };
}

interface SlowPath {
  readonly listener: Listener;
  /** Loads now what the first request would load. */
  readonly warm: () => void;
}

/** Express, loaded when it is first needed. */
function createSlowPath(options: LockApiOptions, limits: LockApiLimits, waiters: Waiters): SlowPath {
  const { application, onFault } = options;
  const watchLimits = {
    maxQueueBytes: limits.maxWatchQueueBytes,
    commentIntervalMs: limits.watchCommentIntervalMs,
  };
  let routes: Promise<(req: IncomingMessage, res: ServerResponse) => void> | null = null;
  const load = async (): Promise<(req: IncomingMessage, res: ServerResponse) => void> => {
    const { createRoutes } = await import("./routes.ts");
    return createRoutes({ application, waiters, watchLimits, onFault });
  };
  const loaded = (): NonNullable<typeof routes> => (routes ??= load());
  const listener: Listener = (req, res) => {
    if (!toOriginForm(req)) {
      sendError(res, "host_forbidden", "the request target names a host that is not a loopback name");
      return;
    }
    loaded().then(
      (handle) => handle(req, res),
      (error: unknown) => fail(error, "lock API", res, onFault),
    );
  };
  return { listener, warm: () => void loaded().catch(() => undefined) };
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * A request target may be a whole URL (RFC 9112, 3.2.2), whose host then counts instead of the Host header. Brings it
 * to the usual form; false when its host is not a loopback name.
 */
function toOriginForm(req: IncomingMessage): boolean {
  const [, authority, rest] = ABSOLUTE_FORM.exec(req.url ?? "") ?? [];
  if (authority === undefined || rest === undefined) return true;
  req.url = rest.startsWith("/") ? rest : `/${rest}`;
  return isLoopbackAuthority(authority);
}
