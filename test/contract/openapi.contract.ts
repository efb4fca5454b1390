/**
 * openapi.yaml and the lock API, bound both ways: every path, method and status of the document is a real answer here,
 * and every real answer is as the document says, headers included.
 */
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MAX_BODY_BYTES, MAX_HISTORY, MAX_NAME_LENGTH, MAX_WAIT_MS } from "../../src/base/limits.ts";
import { ERRORS, TenureError } from "../../src/base/errors.ts";
import { REASONS } from "../../src/ports/application.ts";
import { json, wire, type Ask } from "../support/http.ts";
import { startBench, type Bench } from "../support/lock-api.ts";

interface Media {
  readonly schema: object;
  readonly example?: unknown;
}
interface Response {
  readonly headers?: Readonly<Record<string, { readonly required: boolean; readonly schema: object }>>;
  readonly content?: Readonly<Record<string, Media>>;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object & { readonly example?: unknown }>> };
}

const TEXT = readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8");
const RAW = parse(TEXT) as Document;
const SPEC = resolve(RAW) as Document;
const ajv = new Ajv2020.default({ strict: true, allowUnionTypes: true, strictRequired: false, keywords: ["example"] });

/** The document with every reference replaced by what it names; nothing in it is recursive. */
function resolve(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(resolve);
  if (typeof node !== "object" || node === null) return node;
  if (!("$ref" in node)) return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolve(value)]));
  const path = String(node.$ref);
  let target: unknown = RAW;
  for (const step of path.replace(/^#\//, "").split("/")) target = (target as Record<string, unknown>)[step];
  if (target === undefined) throw new Error(`openapi.yaml: ${path} names nothing`);
  return resolve(target);
}

/** What is wrong with `value`; null when it fits. */
function faultOf(schema: object, value: unknown): string | null {
  const isValid = ajv.validate(schema, value);
  return isValid ? null : ajv.errorsText();
}

function operations(): { path: string; method: string; operation: Operation }[] {
  return Object.entries(SPEC.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

interface Case {
  readonly status: number;
  readonly ask: Ask;
  readonly prepare?: (bench: Bench) => void | Promise<void>;
}

const asJson = { "content-type": "application/json" };
const evil = { host: "evil.example" };
const holds = ({ application }: Bench): void => application.hold(251_301_442_093_057);
const breaks = ({ application }: Bench): void => application.breakWith(new Error("boom"));
const stops = ({ application }: Bench): void =>
  application.breakWith(new TenureError("shutting_down", "the sidecar is stopping"));
/** Takes the only place of a waiter. */
const waits = async ({ api }: Bench): Promise<void> => {
  const client = await wire(api.port, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await client.until(/id: 0\n/);
};

function cases(): Case[] {
  const list: Case[] = [];
  const both = (status: number, path: string, how: Pick<Case, "prepare"> & Pick<Ask, "headers"> = {}): void => {
    const { headers = {}, ...rest } = how;
    for (const method of ["GET", "HEAD"]) list.push({ ...rest, status, ask: { path, method, headers } });
  };
  for (const path of ["/", "/cluster", "/history", "/eligibility"]) {
    both(200, path);
    both(200, path, { prepare: holds });
    both(403, path, { headers: evil });
    both(500, path, { prepare: breaks });
  }
  both(200, "/leader", { prepare: holds });
  both(200, "/leader?index=0&wait=1s", { prepare: holds });
  both(400, "/leader?index=x");
  both(403, "/leader", { headers: evil });
  both(500, "/leader", { prepare: breaks });
  both(503, "/leader");
  both(503, "/leader?index=0&wait=5m", { prepare: waits });
  for (const [status, method, path, good] of [
    [200, "POST", "/resign", "{}"],
    [200, "POST", "/transfer", "{}"],
    [200, "POST", "/init", "{}"],
    [200, "POST", "/rescue", '{"confirm":"00112233445566778899aabbccddeeff","lost":["app-0"]}'],
    [200, "PUT", "/eligibility", '{"eligible":false}'],
  ] as const) {
    const ask = { method, path, headers: asJson };
    list.push(
      { status, ask: { ...ask, body: good }, prepare: holds },
      { status: 400, ask: { ...ask, body: "{" } },
      { status: 400, ask: { ...ask, body: '{"x":1}' } },
      { status: 403, ask: { ...ask, headers: { ...asJson, ...evil }, body: good } },
      { status: 413, ask: { ...ask, body: " ".repeat(MAX_BODY_BYTES + 1) } },
      { status: 500, ask: { ...ask, body: good }, prepare: breaks },
      { status: 503, ask: { ...ask, body: good }, prepare: stops },
    );
  }
  for (const path of ["/resign", "/transfer"]) {
    list.push(
      { status: 409, ask: { path, method: "POST" } },
      { status: 409, ask: { path, method: "POST", body: '{"to":"elsewhere"}' }, prepare: holds },
    );
  }
  const refuses = (bench: Bench): void => bench.application.refuse(new TenureError("rescue_refused", "no"));
  list.push(
    { status: 409, ask: { path: "/init", method: "POST" }, prepare: refuses },
    { status: 409, ask: { path: "/rescue", method: "POST", body: '{"confirm":"x"}' }, prepare: refuses },
    { status: 403, ask: { path: "/watch", headers: evil } },
    { status: 500, ask: { path: "/watch" }, prepare: breaks },
    { status: 503, ask: { path: "/watch" }, prepare: waits },
  );
  return list;
}

describe("answers", () => {
  it.each(cases())("$status $ask.method $ask.path is as documented", async ({ status, ask, prepare }) => {
    const bench = await startBench({ maxWaiters: 1 });
    await prepare?.(bench);
    const { method = "GET" } = ask;
    const [path = ""] = ask.path.split("?");
    const answer = await bench.ask(ask);
    expect(answer.status).toBe(status);
    const documented = SPEC.paths[path]?.[method.toLowerCase()]?.responses[status];
    expect(documented, "documented").toBeDefined();
    for (const [name, { required, schema }] of Object.entries(documented?.headers ?? {})) {
      const value = answer.headers[name.toLowerCase()];
      if (required || value !== undefined) expect(faultOf(schema, value), `header ${name}`).toBeNull();
    }
    const isDocumented = Object.keys(documented?.headers ?? {}).includes("Fencing-Token");
    expect("fencing-token" in answer.headers, "Fencing-Token").toBe(isDocumented);
    const type = answer.headers["content-type"] ?? "";
    if (method === "HEAD") {
      expect(answer.text).toBe("");
      expect(documented?.content).toBeUndefined();
    } else {
      expect(Object.keys(documented?.content ?? {})).toEqual([type]);
      expect(faultOf(documented?.content?.[type]?.schema ?? {}, json(answer))).toBeNull();
    }
  });

  it("of a watch are a stream of documented events", async () => {
    const { api, application } = await startBench();
    application.hold(7);
    const client = await wire(api.port, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const text = await client.until(/\n\n/);
    const [, data = ""] = /^event: leadership\nid: 1\ndata: (.*)$/m.exec(text) ?? [];
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(Object.keys(SPEC.paths["/watch"]?.["get"]?.responses["200"]?.content ?? {})).toEqual(["text/event-stream"]);
    expect(faultOf(SPEC.components.schemas["Leader"] ?? {}, JSON.parse(data))).toBeNull();
    client.socket.destroy();
  });

  it("are all documented, and all that is documented is an answer above", () => {
    const documented = operations().flatMap(({ path, method, operation }) =>
      Object.keys(operation.responses).map((status) => `${method} ${path} ${status}`),
    );
    const answered = new Set(["GET /watch 200"]);
    for (const { status, ask } of cases()) answered.add(`${ask.method ?? "GET"} ${ask.path.split("?")[0]} ${status}`);
    expect([...answered].toSorted()).toEqual(documented.toSorted());
  });
});

describe("the document", () => {
  it("is OpenAPI 3.1 with unique operations and sound examples", () => {
    expect(SPEC.openapi).toBe("3.1.0");
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const media = operations().flatMap(({ operation }) =>
      [operation.requestBody ?? {}, ...Object.values(operation.responses)].flatMap((part) =>
        Object.values((part as Response).content ?? {}),
      ),
    );
    const schemas = Object.values(SPEC.components.schemas).map((schema) => ({ schema, example: schema.example }));
    const examples = [...media, ...schemas].filter(({ example }) => example !== undefined);
    expect(examples.length).toBeGreaterThan(20);
    for (const { schema, example } of examples) expect(faultOf(schema, example), JSON.stringify(example)).toBeNull();
  });

  it("says what the code says: reasons, error codes, limits", () => {
    const { schemas } = SPEC.components;
    expect(schemas["Reason"]).toMatchObject({ enum: REASONS });
    const codes = Object.entries(ERRORS).flatMap(([code, { status }]) => (status === 0 ? [] : [code]));
    const error = schemas["Error"] as { properties: { error: { properties: { code: { enum: string[] } } } } };
    expect(error.properties.error.properties.code.enum.toSorted()).toEqual(codes.toSorted());
    expect(schemas["ResignRequest"]).toMatchObject({ properties: { to: { maxLength: MAX_NAME_LENGTH } } });
    expect(schemas["History"]).toMatchObject({ properties: { tenures: { maxItems: MAX_HISTORY } } });
    expect(TEXT).toContain(`The body is larger than ${MAX_BODY_BYTES} bytes`);
    expect(TEXT).toContain(`from 0s to ${MAX_WAIT_MS / 1_000}s`);
  });

  it("is judged strictly: a field more, a field less, or another type does not fit", () => {
    const schema = SPEC.components.schemas["Leader"] ?? {};
    const response = SPEC.paths["/leader"]?.["get"]?.responses["200"];
    const example = response?.content?.["application/json"]?.example;
    expect(faultOf(schema, example)).toBeNull();
    const { index: _index, ...less } = example as { index: number };
    for (const wrong of [less, { ...(example as object), more: 1 }, { ...(example as object), token: "7" }]) {
      expect(faultOf(schema, wrong)).not.toBeNull();
    }
  });
});
