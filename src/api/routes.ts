/**
 * The paths of the lock API, as an express application. Loaded at the first request that is not a plain
 * `GET /leader`: express costs memory and 20 ms that most sidecars never need to spend.
 *
 * Invariant: a path answers exactly the methods of its row; GET and HEAD change nothing.
 *
 * Deliberately absent: express's body parsers, query parser, `res.json` and ETags. Bodies have their own bound
 * (body.ts), and no answer here may be a cached one.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import express from "express";
import { TenureError } from "../base/errors.ts";
import type { Application } from "../ports/application.ts";
import { readJson } from "./body.ts";
import { fail, type OnFault } from "./failure.ts";
import { isLoopbackOrigin } from "./host.ts";
import { longPoll } from "./long-poll.ts";
import { parseLongPoll } from "./query.ts";
import { sendError, sendJson, sendLeader } from "./reply.ts";
import { parseEligibility, parseNothing, parseRescue, parseTarget } from "./requests.ts";
import type { Waiters } from "./waiters.ts";
import { watch, type WatchLimits } from "./watch.ts";

export interface RouteContext {
  readonly application: Application;
  readonly waiters: Waiters;
  readonly watchLimits: WatchLimits;
  readonly onFault: OnFault;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;
/** What a path answers. GET stands for HEAD too: Node leaves the body out. */
type Row = Readonly<Partial<Record<"GET" | "HEAD" | "POST" | "PUT", Handler>>>;

/** Everything but the fast path. Requests have passed the check of Host. */
export function createRoutes(context: RouteContext): (req: IncomingMessage, res: ServerResponse) => void {
  const app = express();
  // Should the error handler below fail itself, express's own shall not show a stack.
  app.set("env", "production");
  for (const setting of ["x-powered-by", "etag", "query parser"]) app.disable(setting);
  for (const setting of ["case sensitive routing", "strict routing"]) app.enable(setting);
  app.use((req, _res, next) => {
    const { origin } = req.headers;
    if (origin !== undefined && !isLoopbackOrigin(origin)) {
      throw new TenureError("host_forbidden", "a page of another site may not use this API");
    }
    next();
  });
  for (const [path, row] of Object.entries(rows(context))) {
    app.all(path, (req, res) => dispatch(row, req, res));
  }
  app.use((req, _res, next) => next(new TenureError("not_found", `no such path: ${req.path.slice(0, 128)}`)));
  app.use((error: unknown, req: express.Request, res: express.Response, _next: express.NextFunction) => {
    fail(error, req.path, res, context.onFault);
  });
  return (req, res) => {
    app(req, res);
  };
}

function rows({ application, waiters, watchLimits }: RouteContext): Readonly<Record<string, Row>> {
  const get = (answer: () => unknown): Row => {
    const handler: Handler = (_req, res) => sendJson(res, 200, answer());
    return { GET: handler, HEAD: handler };
  };
  const leader: Handler = (req, res) => {
    const query = parseLongPoll(queryOf(req));
    if (query === null) sendLeader(res, application.leader());
    else longPoll(res, query, application, waiters);
  };
  return {
    "/": get(() => ({ name: application.leader().name ?? "" })),
    "/leader": { GET: leader, HEAD: leader },
    "/watch": { GET: (_req, res) => watch(res, application, waiters, watchLimits) },
    "/cluster": get(() => application.cluster()),
    "/history": get(() => application.history()),
    "/resign": {
      async POST(req, res) {
        await application.resign(parseTarget(await readJson(req)));
        sendJson(res, 200, { released: true });
      },
    },
    "/transfer": {
      async POST(req, res) {
        await application.transfer(parseTarget(await readJson(req)));
        sendJson(res, 200, { released: true });
      },
    },
    "/init": {
      async POST(req, res) {
        parseNothing(await readJson(req));
        await application.init();
        sendJson(res, 200, { formed: true });
      },
    },
    "/rescue": {
      async POST(req, res) {
        const { confirm, lost } = parseRescue(await readJson(req));
        await application.rescue(confirm, lost);
        sendJson(res, 200, { rescued: true });
      },
    },
    "/eligibility": {
      ...get(() => ({ eligible: application.eligible() })),
      async PUT(req, res) {
        const eligible = parseEligibility(await readJson(req));
        await application.setEligible(eligible);
        sendJson(res, 200, { eligible });
      },
    },
  };
}

function dispatch(row: Row, req: IncomingMessage, res: ServerResponse): void | Promise<void> {
  for (const [method, handler] of Object.entries(row)) if (method === req.method) return handler(req, res);
  const allowed = Object.keys(row).join(", ");
  sendError(res, "method_not_allowed", `allowed here: ${allowed}`, ["Allow", allowed]);
}

function queryOf(req: IncomingMessage): string {
  const url = req.url ?? "";
  const mark = url.indexOf("?");
  return mark < 0 ? "" : url.slice(mark + 1);
}
