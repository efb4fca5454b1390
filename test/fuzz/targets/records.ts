/**
 * What discovery makes of records, after they were parsed (src/discovery/dns-discovery.ts): the resolver is replaced.
 *
 * An input is `{"srv": [...] | "CODE", "a": {"<name>": [...] | "CODE"}, "aaaa": {...}}`. Promises: at most
 * MAX_DNS_RECORDS addresses, each of an answer and with the port of a record or the default one; nothing but
 * `discovery_failed`; and a peer that has usable records of its own is looked for nowhere else.
 */
import { promises as dns } from "node:dns";
import * as v from "valibot";
import { MAX_DNS_RECORDS } from "../../../src/base/limits.ts";
import type { Discovery } from "../../../src/ports/discovery.ts";
import { createDnsDiscovery } from "../../../src/discovery/dns-discovery.ts";
import { changeJson, parsed } from "../engine/json.ts";
import { refusal, require, type Target } from "../engine/target.ts";

const SERVICE = "app-peers.default.svc.cluster.local";
const DEFAULT_PORT = 7_400;

const word = v.pipe(
  v.number(),
  v.transform((value) => Math.abs(Math.trunc(value)) % 65_536),
);
const codeSchema = v.picklist(["ENOTFOUND", "ENODATA", "ETIMEOUT", "ESERVFAIL", "EBADRESP", "ECANCELLED"]);
const recordSchema = v.object({
  name: v.string(),
  port: v.fallback(word, 1),
  priority: v.fallback(word, 0),
  weight: v.fallback(word, 0),
});
const addressesSchema = v.fallback(v.record(v.string(), v.union([codeSchema, v.array(v.string())])), {});
const inputSchema = v.object({
  srv: v.fallback(v.union([codeSchema, v.array(recordSchema)]), []),
  a: addressesSchema,
  aaaa: addressesSchema,
});
type Answers = v.InferOutput<typeof inputSchema>;

const EMPTY: Answers = { srv: [], a: {}, aaaa: {} };
let answers: Answers = EMPTY;

function answerOf<T>(given: string | readonly T[] | undefined): Promise<readonly T[]> {
  if (typeof given === "object") return Promise.resolve(given);
  const code = given ?? "ENOTFOUND";
  return Promise.reject(Object.assign(new Error(code), { code }));
}

/** In the place of c-ares: answers what the input says. */
class FakeResolver {
  setServers(): void {}
  getServers(): readonly string[] {
    return [];
  }
  cancel(): void {}
  resolveSrv(): Promise<readonly unknown[]> {
    return answerOf<unknown>(answers.srv);
  }
  resolve4(host: string): Promise<readonly string[]> {
    return answerOf(Object.hasOwn(answers.a, host) ? answers.a[host] : undefined);
  }
  resolve6(host: string): Promise<readonly string[]> {
    return answerOf(Object.hasOwn(answers.aaaa, host) ? answers.aaaa[host] : undefined);
  }
}

async function lookedUp(discovery: Discovery, name: string): Promise<string> {
  const known = new Set([answers.a, answers.aaaa].flatMap((each) => Object.values(each).flat()));
  const records = typeof answers.srv === "string" ? [] : answers.srv;
  try {
    const found = await discovery.lookup(name);
    require(found.length <= MAX_DNS_RECORDS, "an answer is bounded");
    require(found.every(({ host }) => known.has(host)), "an address is one that DNS has told");
    const ports = new Set([DEFAULT_PORT, ...records.map(({ port }) => port)]);
    require(found.every(({ port }) => ports.has(port) && port !== 0), "a port is that of a record, or the default one");
    require(new Set(found.map(({ host, port }) => `${host} ${port}`)).size === found.length, "an address comes once");
    return `${Math.min(found.length, 3)} ${found.some(({ port }) => port === DEFAULT_PORT) ? "by name" : ""}`;
  } catch (error) {
    return refusal(error, ["discovery_failed"]);
  }
}

async function siblingsOf(discovery: Discovery): Promise<string> {
  try {
    const names = await discovery.siblings("app-0");
    require(names.length <= MAX_DNS_RECORDS && new Set(names).size === names.length, "siblings come once, and bounded");
    require(names.every((name) => /^app-\d+$/u.test(name) && name !== "app-0"), "a sibling is another pod of the set");
    return String(Math.min(names.length, 3));
  } catch (error) {
    return refusal(error, ["discovery_failed"]);
  }
}

export function open(): Target {
  const original = dns.Resolver;
  Reflect.set(dns, "Resolver", FakeResolver);
  const discovery = createDnsDiscovery({
    service: SERVICE,
    defaultPort: DEFAULT_PORT,
    expected: ["app-0", "app-1", "app-2"],
    server: null,
  });
  Reflect.set(dns, "Resolver", original);
  const record = (name: string, port = DEFAULT_PORT): unknown => ({ name, port, priority: 0, weight: 1 });
  const seed = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const pod = (at: number): string => `app-${at}.${SERVICE}`;
  return {
    covers: ["src/discovery/"],
    seeds: [
      seed({
        srv: [0, 1, 2].map((at) => record(pod(at), 7_000 + at)),
        a: { [pod(0)]: ["10.0.0.1"], [pod(1)]: ["10.0.0.2"] },
        aaaa: {},
      }),
      seed({ srv: "ENOTFOUND", a: { [pod(1)]: ["10.0.0.2"] }, aaaa: { [pod(1)]: ["fd00::2"] } }),
      seed({
        srv: [record("ip-10-0-0-9.test."), record(".", 1), record("APP-1.TEST", 0)],
        a: { "ip-10-0-0-9.test": ["10.0.0.9"] },
        aaaa: {},
      }),
      seed({ srv: "ETIMEOUT", a: { [pod(1)]: "ESERVFAIL" }, aaaa: { [pod(1)]: ["fd00::2"] } }),
    ],
    mutate: changeJson,
    async run(input) {
      const given = v.safeParse(inputSchema, parsed(input)?.value);
      answers = given.success ? given.output : EMPTY;
      const looked = await lookedUp(discovery, "app-1");
      return `${looked} / ${await lookedUp(discovery, "web-6d5f.")} / ${await siblingsOf(discovery)}`;
    },
  };
}
