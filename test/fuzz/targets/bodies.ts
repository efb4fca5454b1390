/**
 * The bodies of requests to the lock API (src/api/body.ts, requests.ts), in chunks as a socket would bring them.
 *
 * An input is the headers, a line each, an empty line, and the body; `x-chunk` says how long its chunks are. Promises:
 * a body is refused with the code of its fault or taken as exactly what it says; nothing above the bound is kept.
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { readJson } from "../../../src/api/body.ts";
import { parseEligibility, parseNothing, parseRescue, parseTarget } from "../../../src/api/requests.ts";
import { MAX_BODY_BYTES } from "../../../src/base/limits.ts";
import { bytesMutator, either } from "../engine/bytes.ts";
import { changeJson } from "../engine/json.ts";
import { type Mutator, refusal, require, same, type Target } from "../engine/target.ts";

const CODES = ["body_not_json", "body_invalid", "body_too_large"] as const;
const END = "\n\n";

function requestOf(input: Buffer): { readonly request: IncomingMessage; readonly body: Buffer } {
  const end = input.indexOf(END);
  const head = input.toString("latin1", 0, Math.max(0, end));
  const body = end < 0 ? input : input.subarray(end + END.length);
  const headers: Record<string, string> = {};
  for (const line of head.split("\n")) {
    const [name = "", ...value] = line.split(":");
    if (["content-type", "content-length", "content-encoding", "x-chunk"].includes(name))
      headers[name] = value.join(":").trim();
  }
  const size = Math.max(1, Math.floor(Number(headers["x-chunk"] ?? 0)) || body.length);
  const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, at) =>
    body.subarray(at * size, (at + 1) * size),
  );
  // The reader asks a request for its headers and its bytes, and for nothing else.
  return { request: Object.assign(Readable.from(chunks), { headers }) as unknown as IncomingMessage, body };
}

/** A byte order mark may stand before JSON (RFC 8259, 8.1: a reader may ignore it), and is no part of it. */
function textOf(body: Buffer): string {
  return body.toString().replace(/^\uFEFF/u, "");
}

/** What each path makes of the body. */
function ordersOf(value: unknown): string {
  const orders = [
    (): string => {
      const to = parseTarget(value);
      require(to === null || same(value, { to }), "a target is the one that was named");
      return `to ${to === null ? "anyone" : "one"}`;
    },
    (): string => {
      const { confirm, lost } = parseRescue(value);
      const { lost: given = [], ...rest } = value as { readonly lost?: unknown };
      require(same(rest, { confirm }) && same(given, lost), "a rescue is the one that was ordered");
      return "rescue";
    },
    (): string => {
      parseNothing(value);
      require(value === undefined || value === null || same(value, {}), "nothing is nothing");
      return "nothing";
    },
    (): string => {
      const eligible = parseEligibility(value);
      require(same(value, { eligible }), "an eligibility is the one that was given");
      return `eligible ${eligible}`;
    },
  ];
  return orders
    .map((order) => {
      try {
        return order();
      } catch (error) {
        return refusal(error, CODES);
      }
    })
    .join(", ");
}

/** Changes what stands behind the headers. */
const changeBody: Mutator = (input, dice, others) => {
  const end = input.indexOf(END);
  const from = end < 0 ? 0 : end + END.length;
  const bodies = others.slice(-20).map((other) => other.subarray(Math.max(0, other.indexOf(END) + END.length)));
  return Buffer.concat([input.subarray(0, from), changeJson(input.subarray(from), dice, bodies)]);
};

export function open(): Target {
  const seed = (head: string, body: string): Buffer => Buffer.from(`${head}${END}${body}`);
  return {
    covers: ["src/api/body.ts", "src/api/requests.ts"],
    seeds: [
      seed("content-type: application/json", '{"to":"app-2"}'),
      seed("content-type: application/json; charset=utf-8\nx-chunk: 3", '{"eligible":false}'),
      seed(`content-encoding: identity\nx-chunk: 1`, `{"confirm":"${"5".repeat(32)}","lost":["app-1","app-2"]}`),
      seed("content-length: 4097", "{}"),
      seed("x-chunk: 1000", JSON.stringify({ to: "x".repeat(MAX_BODY_BYTES) })),
      seed("content-encoding: gzip", ""),
    ],
    mutate: either(
      [3, changeBody],
      [1, bytesMutator(["content-type: ", "content-length: ", "x-chunk: 1", "null", "{}", END])],
    ),
    sample: 150,
    async run(input) {
      const { request, body } = requestOf(input);
      try {
        const value = await readJson(request);
        require(body.length <= MAX_BODY_BYTES, "a body above the bound is refused");
        require(value === undefined
          ? body.length === 0
          : same(value, JSON.parse(textOf(body))), "a body is what it says");
        return ordersOf(value);
      } catch (error) {
        return refusal(error, CODES);
      }
    },
  };
}
