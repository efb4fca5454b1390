/**
 * Asks the sidecar of this pod, one request on a connection of its own.
 *
 * Invariant: what comes back has been checked against its schema, or is a `TenureError` that says what to do. Answers
 * are bounded in size, and in time unless the question is one that waits.
 *
 * Deliberately absent: retries, redirects, proxies. It is one hop on this machine.
 */
import { type IncomingMessage, request } from "node:http";
import * as v from "valibot";
import { type ErrorCode, ERRORS, messageOf, systemCodeOf, TenureError } from "../base/errors.ts";
import { COMMAND_TIMEOUT_MS, MAX_COMMAND_ANSWER_BYTES } from "../base/limits.ts";
import { type Address, nameOf } from "./address.ts";
import { ErrorSchema } from "./answers.ts";

export interface Question {
  readonly method?: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** How long the answer may take, in ms; null: as long as it takes. COMMAND_TIMEOUT_MS if not given. */
  readonly timeoutMs?: number | null;
}

/** Throws `sidecar_unreachable`, or the sidecar's own refusal. */
export async function ask<Schema extends v.GenericSchema>(
  address: Address,
  schema: Schema,
  question: Question,
): Promise<v.InferOutput<Schema>> {
  const text = await exchange(address, question);
  const value = parsed(text);
  // `/leader` answers 503 with the same JSON as 200, so the body decides, not the status.
  const answer = v.safeParse(schema, value);
  if (answer.success) return answer.output;
  const refusal = v.safeParse(ErrorSchema, value);
  if (!refusal.success) {
    throw new TenureError("sidecar_unreachable", `what answers at ${nameOf(address)} is no sidecar of this version`);
  }
  const { code, message } = refusal.output.error;
  throw isErrorCode(code) ? new TenureError(code, message) : new TenureError("internal", `${code}: ${message}`);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function exchange(address: Address, { method = "GET", path, body, timeoutMs }: Question): Promise<string> {
  const where = address.kind === "socket" ? { socketPath: address.path } : { host: address.host, port: address.port };
  const limitMs = timeoutMs === undefined ? COMMAND_TIMEOUT_MS : timeoutMs;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = payload === undefined ? {} : { "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(unreachable(address, error));
    const signal = limitMs === null ? {} : { signal: AbortSignal.timeout(limitMs) };
    const req = request({ ...where, ...signal, method, path, headers, agent: false }, (res) => {
      readBounded(res).then(resolve, fail);
    });
    req.once("error", fail);
    req.end(payload);
  });
}

async function readBounded(res: IncomingMessage): Promise<string> {
  let text = "";
  res.setEncoding("utf8");
  for await (const chunk of res) {
    text += String(chunk);
    if (text.length > MAX_COMMAND_ANSWER_BYTES) throw new Error("its answer is longer than any of a sidecar");
  }
  return text;
}

/** Why, in words for who has typed the command. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOENT: "there is no such socket",
  EACCES: "this user may not use it",
  ECONNRESET: "it closed the connection without an answer",
};

function unreachable(address: Address, error: unknown): TenureError {
  const isLate = error instanceof Error && error.name === "AbortError";
  const late = `no answer in ${COMMAND_TIMEOUT_MS / 1_000} s; the process hangs or is stopped`;
  const why = isLate ? late : (REASONS[systemCodeOf(error) ?? ""] ?? messageOf(error));
  return new TenureError("sidecar_unreachable", `cannot reach the sidecar at ${nameOf(address)}: ${why}`, {
    cause: error,
  });
}
