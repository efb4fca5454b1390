/**
 * Answers of the lock API: JSON, never cached, with exact length.
 *
 * Invariant: every answer goes out through here or through `openEvents` of watch.ts; each carries
 * `Cache-Control: no-store` and none a CORS header.
 *
 * Deliberately absent: express. These take a plain `ServerResponse`, so that the fast path shares them.
 */
import type { ServerResponse } from "node:http";
import { ERRORS, type ErrorCode } from "../base/errors.ts";
import type { LeaderAnswer } from "../ports/application.ts";

/** The body and the headers of `/leader`, from an answer computed at this moment. Ends `res`. */
export function sendLeader(res: ServerResponse, answer: LeaderAnswer): void {
  const body = JSON.stringify(answer);
  const headers = [
    "Content-Type",
    "application/json",
    "Cache-Control",
    "no-store",
    "Content-Length",
    String(Buffer.byteLength(body)),
  ];
  if (!answer.isLeader) {
    res.writeHead(503, headers);
  } else {
    if (answer.token !== null) headers.push("Fencing-Token", String(answer.token));
    res.writeHead(200, headers);
  }
  res.end(body);
}

export function sendJson(res: ServerResponse, status: number, value: unknown, headers: readonly string[] = []): void {
  const body = JSON.stringify(value);
  res.writeHead(status, [
    "Content-Type",
    "application/json",
    "Cache-Control",
    "no-store",
    "Content-Length",
    String(Buffer.byteLength(body)),
    ...headers,
  ]);
  res.end(body);
}

/** An error as JSON with the status of its code; a code that is no answer of its own is a fault of ours: 500. */
export function sendError(
  res: ServerResponse,
  code: ErrorCode,
  message: string,
  headers: readonly string[] = [],
): void {
  const status = ERRORS[code].status === 0 ? ERRORS.internal.status : ERRORS[code].status;
  sendJson(res, status, { error: { code, message } }, headers);
}
