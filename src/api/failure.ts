/**
 * What becomes of an error in a handler.
 *
 * Invariant: a client gets an answer, which never is a leader's: refusals with their own code and status, anything
 * else `internal`. An error that makes the whole process untrustworthy is answered, then thrown again where nothing
 * catches it: the process ends and the lease lapses (base/assert.ts).
 *
 * Deliberately absent: stack traces in answers. They go to the log.
 */
import type { ServerResponse } from "node:http";
import { AssertionError } from "../base/assert.ts";
import { type ErrorCode, ERRORS, messageOf, TenureError } from "../base/errors.ts";
import { sendError } from "./reply.ts";

export type OnFault = (code: ErrorCode, where: string, message: string) => void;

/** Answers `error` on `res`, or cuts the connection when an answer has begun. `path` is for the fault's report. */
export function fail(error: unknown, path: string, res: ServerResponse, onFault: OnFault): void {
  const refusal = error instanceof TenureError && ERRORS[error.code].status !== 0 ? error : null;
  if (refusal === null) {
    onFault(error instanceof TenureError ? error.code : "internal", path, messageOf(error));
    // A TenureError without a status, such as clock_backwards, is never a request's: it is the node's end.
    if (error instanceof AssertionError || error instanceof TenureError) {
      setImmediate(() => {
        throw error;
      });
    }
  }
  if (res.headersSent) res.destroy();
  else if (refusal !== null) sendError(res, refusal.code, refusal.message);
  else sendError(res, "internal", "a fault of tenure; see its log");
}
