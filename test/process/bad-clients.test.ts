/**
 * A running group whose HTTP ports are used badly: by web pages, by broken clients, by thousands that say nothing.
 *
 * Every refusal is JSON with its code and status. All along the holder keeps its tenure, without one 503, and no
 * process grows beyond a bound.
 *
 * Longer than 300 lines because all of it plays against one group, which takes longer to start than the cases take.
 */
import { readdir, readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HTTP_HEADERS_TIMEOUT_MS } from "../../src/base/limits.ts";
import { ask, wire } from "../support/http.ts";
import { LocalGroup } from "../support/local-group.ts";
import type { Leader, Sidecar } from "../support/sidecar.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.ts";
import { TenureGuard } from "../support/tenure-guard.ts";

const MANY = 2_000;
/** Node takes some 12 KiB for a connection that may yet send a request. */
const MAX_GROWTH_MIB = 48;

let group: LocalGroup;
let guard: TenureGuard;
let sockets: TemporaryDirectory;
/** Opened first and judged last, because their time is ten seconds and more. */
let slow: Sloth;

beforeAll(async () => {
  sockets = await createTemporaryDirectory();
  group = await LocalGroup.start({
    size: 3,
    leaseDuration: "2s",
    heartbeatInterval: "200ms",
    env: (name) => ({ TENURE_HTTP_SOCKET: socketOf(name) }),
  });
  await group.agreed();
  await Promise.all(group.members.map(warmUp));
  guard = await TenureGuard.of(group, MAX_GROWTH_MIB);
  slow = new Sloth(guard.holder);
});

afterEach(async () => {
  await guard.look();
  expect(await guard.complaints()).toStrictEqual([]);
});

afterAll(async () => {
  slow.stop();
  await guard.stop();
  await group.stop();
  await sockets.remove();
});

function socketOf(name: string): string {
  return join(sockets.path, `${name}.sock`);
}

async function warmUp(member: Sidecar): Promise<void> {
  for (let round = 0; round < 300; round += 1) {
    for (const path of ["/leader", "/cluster", "/nothing"]) await member.ask("GET", path);
    await member.ops("/metrics");
  }
}

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function send(method: string, path: string, body: string, type = "application/json"): Request {
  return { method, path, headers: { "content-type": type }, body };
}

const FOREIGN = { host: "evil.example:4040" };
const OTHER_SITE = { origin: "https://evil.example" };

const REFUSALS: readonly (readonly [what: string, request: Request, status: number, code: string])[] = [
  ["no JSON", send("POST", "/resign", "{"), 400, "body_not_json"],
  ["a form", send("POST", "/resign", "{}", "text/plain"), 400, "body_not_json"],
  ["a large body", send("POST", "/resign", " ".repeat(5_000)), 413, "body_too_large"],
  ["a wrong type", send("POST", "/resign", '{"to":1}'), 400, "body_invalid"],
  ["an unknown key", send("POST", "/resign", '{"too":"app-1"}'), 400, "body_invalid"],
  ["an array", send("PUT", "/eligibility", "[]"), 400, "body_invalid"],
  ["no body", send("PUT", "/eligibility", ""), 400, "body_invalid"],
  ["a text for a flag", send("PUT", "/eligibility", '{"eligible":"false"}'), 400, "body_invalid"],
  ["an unknown path", { path: "/admin" }, 404, "not_found"],
  ["an encoded path", { path: "/%2e%2e/%00" }, 404, "not_found"],
  ["GET of what changes", { path: "/resign" }, 405, "method_not_allowed"],
  ["DELETE", { method: "DELETE", path: "/leader" }, 405, "method_not_allowed"],
  ["a preflight", { method: "OPTIONS", path: "/eligibility" }, 405, "method_not_allowed"],
  ["an index that is none", { path: "/leader?index=-1" }, 400, "query_invalid"],
  ["a wait without its unit", { path: "/leader?index=1&wait=30" }, 400, "query_invalid"],
  ["an endless wait", { path: "/leader?index=1&wait=1000000s" }, 400, "query_invalid"],
  ["two waits", { path: "/leader?index=1&wait=1s&wait=2s" }, 400, "query_invalid"],
  ["a foreign Host", { path: "/leader", headers: FOREIGN }, 403, "host_forbidden"],
  ["a foreign Host that changes", { method: "POST", path: "/resign", headers: FOREIGN }, 403, "host_forbidden"],
  ["a page of another site", { method: "POST", path: "/resign", headers: OTHER_SITE }, 403, "host_forbidden"],
];

describe("the lock API", () => {
  it.for(REFUSALS)("refuses %s", async ([_what, request, status, code]) => {
    const answer = await ask({ port: guard.holder.ports.api, ...request });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toStrictEqual([]);
    const { error, ...more } = JSON.parse(answer.text) as { error: { code: string; message: string } };
    expect(more).toStrictEqual({});
    expect(Object.keys(error)).toStrictEqual(["code", "message"]);
    expect(error.code).toBe(code);
    expect(error.message.length).toBeGreaterThan(10);
    if (status === 405) expect(answer.headers["allow"]).toBeTruthy();
  });

  it("closes a connection that does not speak HTTP", async () => {
    const { api } = guard.holder.ports;
    const garbage = await (await wire(api, "\0\0\0\u0001x\r\n\r\n")).ended();
    const large = await (await wire(api, `GET /leader HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)).ended();
    expect(garbage).toMatch(/^HTTP\/1\.1 400 /u);
    expect(large).toMatch(/^HTTP\/1\.1 431 /u);
  });

  it("serves /leader on its Unix socket, to whatever Host", async () => {
    const answer = await ask({ socketPath: socketOf(guard.holder.name), path: "/leader", headers: { host: "any" } });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ isLeader: true, self: guard.holder.name });
  });

  it("is not on any address but the loopback's", async (context) => {
    const addresses = Object.values(networkInterfaces()).flatMap((rows) => rows ?? []);
    const outside = addresses.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
    context.skip(outside.length === 0, "needs an address that is not the loopback's");
    for (const { address } of outside) {
      const outcome = await new Promise((resolve) => {
        const socket = connect({ host: address, port: guard.holder.ports.api });
        socket.once("connect", () => resolve("connected"));
        socket.once("error", (error) => resolve("code" in error ? error.code : error.message));
      });
      expect(outcome).toBe("ECONNREFUSED");
    }
  });
});

describe("the operations port", () => {
  it.for([
    { method: "GET", path: "/", status: 404 },
    { method: "GET", path: "/leader", status: 404 },
    { method: "GET", path: "/metrics/../resign", status: 404 },
    { method: "POST", path: "/metrics", status: 405 },
    { method: "DELETE", path: "/healthz", status: 405 },
    { method: "HEAD", path: "/readyz", status: 200 },
  ])("answers $method $path with $status", async ({ method, path, status }) => {
    const answer = await ask({ port: guard.holder.ports.ops, method, path, headers: { host: "anyone.example" } });
    expect(answer.status).toBe(status);
    if (status === 405) expect(answer.headers["allow"]).toBe("GET, HEAD");
  });
});

describe("clients that say or read nothing", () => {
  it("two thousand idle connections to the lock API are no harm", async () => {
    const { holder } = guard;
    const before = await openFiles(holder);
    const idle: Socket[] = [];
    while (idle.length < MANY) {
      // Not more at once than the kernel holds until they are accepted.
      idle.push(...(await openMany(holder.ports.api, 250)));
      await group.until(`${idle.length} to be accepted`, async () =>
        (await openFiles(holder)) >= before + idle.length ? true : null,
      );
    }
    expect((await ask({ port: holder.ports.api, path: "/cluster" })).status).toBe(200);
    expect((await holder.ops("/healthz")).status).toBe(200);
    for (const socket of idle) socket.destroy();
    await group.until("all to be gone", async () => ((await openFiles(holder)) < before + MANY / 2 ? true : null));
  });

  it("more idle connections than the operations port takes do not keep a probe out, and are counted", async () => {
    const { holder } = guard;
    const idle = await openMany(holder.ports.ops, MANY);
    const openedAtMs = performance.now();
    await group.until("a probe to be answered", async () => {
      const answer = await ask({ port: holder.ports.ops, path: "/healthz" }).catch(() => null);
      return answer?.status === 200 ? true : null;
    });
    // Well before they would be closed for their silence.
    expect(performance.now() - openedAtMs).toBeLessThan(HTTP_HEADERS_TIMEOUT_MS / 2);
    await group.until("the flood to be counted", async () => {
      const count = await holder.faults("http_too_many").catch(() => 0);
      return count > 0 ? true : null;
    });
    for (const socket of idle) socket.destroy();
  });

  it("a watcher that never reads is cut off, while another one is told everything", async () => {
    const [follower] = group.othersThan(guard.holder);
    if (follower === undefined) throw new Error("there are three");
    const reading = await wire(follower.ports.api, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const path = socketOf(follower.name);
    // On a Unix socket, because the kernel takes at most some 200 KiB for it there.
    const deaf = connect(path);
    deaf.pause();
    deaf.on("error", () => undefined);
    deaf.write("GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await group.until("it to be connected", async () => ((await acceptedOn(path)) > 0 ? true : null));
    let index = 0;
    await group.until("it to be cut off", async () => {
      for (let change = 1; change <= 20; change += 1) {
        await follower.ask("PUT", "/eligibility", { body: { eligible: change % 2 === 0 } });
      }
      ({ index } = await follower.leader());
      return (await acceptedOn(path)) === 0 ? true : null;
    });
    expect(index).toBeGreaterThan(100);
    const told = await reading.until(new RegExp(`id: ${index}\n`, "u"));
    expect(told.match(/^event: leadership$/gmu)?.length).toBeGreaterThan(100);
    reading.socket.destroy();
    deaf.destroy();
  });

  it("more waiters than there is room for are refused, and have their room back", async () => {
    const { holder } = guard;
    const { index } = await holder.leader();
    const over = new AbortController();
    const path = `/leader?index=${index}&wait=300s`;
    const statuses: Promise<number>[] = [];
    for (let count = 0; count < 257; count += 1) {
      statuses.push(
        holder.ask("GET", path, { signal: over.signal }).then(
          ({ status }) => status,
          () => 0,
        ),
      );
    }
    expect(await Promise.race(statuses)).toBe(503);
    over.abort();
    await Promise.all(statuses);
    const again = await group.until("room for one more", async () => {
      const { status, text } = await holder.ask("GET", `/leader?index=${index}&wait=10ms`);
      return status === 200 ? text : null;
    });
    expect((JSON.parse(again) as Leader).index).toBe(index);
  });

  it("those that drip their headers are closed after their time", async () => {
    expect(await slow.ended()).toMatch(/^HTTP\/1\.1 408 /u);
  });
});

/** Sends one byte of a header every second. */
class Sloth {
  readonly #wire: ReturnType<typeof wire>;
  readonly #drip: NodeJS.Timeout;

  constructor(member: Sidecar) {
    this.#wire = wire(member.ports.api, "GET /leader HTTP/1.1\r\nHost: localhost\r\nX: ");
    this.#drip = setInterval(() => void this.#wire.then(({ socket }) => socket.write("x")), 1_000);
  }

  async ended(): Promise<string> {
    return (await this.#wire).ended();
  }

  stop(): void {
    clearInterval(this.#drip);
  }
}

async function openMany(port: number, count: number): Promise<readonly Socket[]> {
  const opened = Array.from({ length: count }, async () => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => undefined);
    await new Promise((resolve) => {
      socket.once("connect", resolve);
      socket.once("close", resolve);
    });
    return socket;
  });
  return Promise.all(opened);
}

/** Connections that a Unix socket's listener has accepted and not closed; Linux lists them under its path. */
async function acceptedOn(path: string): Promise<number> {
  const lines = (await readFile("/proc/net/unix", "utf8")).split("\n");
  const listener = 1;
  return lines.filter((line) => line.endsWith(` ${path}`)).length - listener;
}

async function openFiles(member: Sidecar): Promise<number> {
  return (await readdir(`/proc/${member.child.pid}/fd`)).length;
}
