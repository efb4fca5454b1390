/**
 * The operations port: metrics and probes, for scrapers and the kubelet.
 *
 * Invariant: GET and HEAD only, and nothing here changes anything; the port is open to the pod's network.
 *
 * `/healthz` says that the event loop turns and that the node lives. `/readyz` does not fall back when the quorum is
 * lost: that would take the application out of its Service for a fault that restarting cannot cure.
 *
 * Deliberately absent: express (used in src/api only; three paths need no router), and anything about the holder in
 * the probes. A standby is as healthy as a holder.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { bindAny } from "../base/any-address.ts";
import { type ErrorCode, messageOf, TenureError } from "../base/errors.ts";
import {
  HTTP_CLOSE_GRACE_MS,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_KEEP_ALIVE_TIMEOUT_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_TIMEOUT_CHECK_MS,
  MAX_OPS_CONNECTIONS,
  MAX_HTTP_HEADER_BYTES,
} from "../base/limits.ts";
import type { Metrics } from "./metrics.ts";

export interface OpsServerOptions {
  /** An address of this machine; `::` takes both families. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Latched: has been a member of a committed configuration. */
  readonly ready: () => boolean;
  readonly live: () => boolean;
  readonly metrics: Pick<Metrics, "render">;
  readonly onFault: (code: ErrorCode, where: string, message: string) => void;
}

export interface OpsServer {
  readonly port: number;
  /** Lets answers go out for up to HTTP_CLOSE_GRACE_MS, then cuts what is left. */
  close(): Promise<void>;
}

const TEXT = "text/plain; charset=utf-8";

/** Throws `listen_failed`. */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { host, port, onFault } = options;
  const server = createServer(
    {
      headersTimeout: HTTP_HEADERS_TIMEOUT_MS,
      requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
      keepAliveTimeout: HTTP_KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: HTTP_TIMEOUT_CHECK_MS,
      maxHeaderSize: MAX_HTTP_HEADER_BYTES,
    },
    (req, res) => {
      answer(req, res, options).catch((error: unknown) => {
        onFault("internal", req.url ?? "", messageOf(error));
        send(req, res, 500, TEXT, "a fault of tenure; see its log\n");
      });
    },
  );
  server.maxConnections = MAX_OPS_CONNECTIONS;
  // Whoever holds thousands of idle connections shall not keep the kubelet from its probe. Node counts those that have
  // not sent a request yet as busy.
  const silent = silentConnections(server);
  server.on("drop", () => {
    server.closeIdleConnections();
    for (const socket of silent) socket.destroy();
    onFault("http_too_many", "operations port", `more than ${MAX_OPS_CONNECTIONS} connections`);
  });
  await bindAny(host, (address) => listen(server, address, port));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () => close(server),
  };
}

/** Those on which no whole request has come yet. */
function silentConnections(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on("connection", (socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }) => silent.delete(socket));
  return silent;
}

async function answer(req: IncomingMessage, res: ServerResponse, options: OpsServerOptions): Promise<void> {
  const [path] = (req.url ?? "").split("?", 1);
  const handler = path === undefined ? undefined : HANDLERS.get(path);
  if (handler === undefined) {
    send(req, res, 404, TEXT, "not found; here are /metrics, /healthz and /readyz\n");
  } else if (req.method !== "GET" && req.method !== "HEAD") {
    res.setHeader("Allow", "GET, HEAD");
    send(req, res, 405, TEXT, "GET and HEAD only\n");
  } else {
    await handler(req, res, options);
  }
}

type Handler = (req: IncomingMessage, res: ServerResponse, options: OpsServerOptions) => void | Promise<void>;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["/healthz", (req, res, { live }) => probe(req, res, live(), "ok", "not live")],
  ["/readyz", (req, res, { ready }) => probe(req, res, ready(), "ok", "not yet a member of the group")],
  [
    "/metrics",
    async (req, res, { metrics }) => {
      const { contentType, body } = await metrics.render(req.headers.accept);
      send(req, res, 200, contentType, body);
    },
  ],
]);

function probe(req: IncomingMessage, res: ServerResponse, isWell: boolean, well: string, ill: string): void {
  send(req, res, isWell ? 200 : 503, TEXT, `${isWell ? well : ill}\n`);
}

function send(req: IncomingMessage, res: ServerResponse, status: number, contentType: string, body: string): void {
  res.statusCode = status;
  res.setHeader("Content-Type", contentType);
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("Content-Length", Buffer.byteLength(body));
  res.end(req.method === "HEAD" ? undefined : body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      const message = `cannot listen on ${host}:${port}: ${messageOf(error)}`;
      reject(new TenureError("listen_failed", message, { cause: error }));
    };
    server.once("error", refuse);
    server.listen({ host, port }, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), HTTP_CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
