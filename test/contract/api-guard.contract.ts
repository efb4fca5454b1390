/**
 * What the lock API refuses, and what it survives: strange hosts, methods, bodies, slow and many clients, its own end.
 *
 * Longer than 300 lines because every guard of one server is asked over the same wire.
 */
import { once } from "node:events";
import { link, lstat, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startLockApi } from "../../src/api/lock-api.ts";
import { HTTP_CLOSE_GRACE_MS, MAX_BODY_BYTES } from "../../src/base/limits.ts";
import { createFakeApplication } from "../support/fake-application.ts";
import { ask as askAt, eventually, json, wire, type Wire } from "../support/http.ts";
import { startBench } from "../support/lock-api.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.ts";

const GET = "GET /leader HTTP/1.1\r\nHost: localhost\r\n\r\n";
const POLL = "GET /leader?index=0&wait=300s HTTP/1.1\r\nHost: localhost\r\n\r\n";

describe("Host and Origin", () => {
  it.each(["/leader", "/cluster", "/resign", "/nowhere"])("refuses %s under a name of another", async (path) => {
    const { application, ask } = await startBench();
    application.hold(7);
    const method = path === "/resign" ? "POST" : "GET";
    for (const host of ["evil.example", "evil.example:4040", "127.0.0.1.evil.example", "localhost.evil.example"]) {
      const answer = await ask({ path, method, headers: { host } });
      expect(answer.status, host).toBe(403);
      expect(json(answer)).toMatchObject({ error: { code: "host_forbidden" } });
    }
    expect(application.leader().isLeader).toBe(true);
    for (const host of ["localhost", "LOCALHOST:4040", "localhost.:1", "127.0.0.1", "127.8.9.10:80", "[::1]:4040"]) {
      expect((await ask({ path: "/leader", headers: { host } })).status, host).toBe(200);
    }
  });

  it("refuses a request without Host, and one whose target names another host", async () => {
    const { api } = await startBench();
    for (const request of [
      "GET /leader HTTP/1.0\r\n\r\n",
      "GET /leader HTTP/1.1\r\nConnection: close\r\n\r\n",
      "GET /leader HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
      "GET http://evil.example/leader HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ]) {
      expect(await (await wire(api.port, request)).ended(), request).toMatch(/^HTTP\/1\.1 403 /);
    }
    const absolute = "GET http://localhost:1/leader HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    expect(await (await wire(api.port, absolute)).ended()).toMatch(/503 .*"isLeader":false/s);
  });

  it("refuses pages of other sites, and offers them nothing", async () => {
    const { application, ask } = await startBench();
    application.hold(7);
    for (const origin of ["https://evil.example", "http://localhost.evil.example", "null", "file://"]) {
      const answer = await ask({ path: "/resign", method: "POST", headers: { origin } });
      expect(answer.status, origin).toBe(403);
      expect((await ask({ path: "/leader", headers: { origin } })).status, origin).toBe(403);
    }
    expect(application.leader().isLeader).toBe(true);
    const preflight = await ask({ path: "/resign", method: "OPTIONS", headers: { origin: "http://localhost:3000" } });
    expect(preflight.status).toBe(405);
    const answer = await ask({ path: "/leader?index=0", headers: { origin: "http://localhost:3000" } });
    expect(answer.status).toBe(200);
    for (const { headers } of [preflight, answer]) {
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control") || name === "etag")).toEqual([]);
      expect(headers).not.toHaveProperty("x-powered-by");
    }
  });
});

describe("paths and methods", () => {
  it.each([
    ["/", "GET, HEAD"],
    ["/leader", "GET, HEAD"],
    ["/watch", "GET"],
    ["/cluster", "GET, HEAD"],
    ["/history", "GET, HEAD"],
    ["/resign", "POST"],
    ["/eligibility", "GET, HEAD, PUT"],
  ])("%s takes %s and answers any other method with 405", async (path, allowed) => {
    const { application, ask } = await startBench();
    application.hold(7);
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) {
      if (allowed.split(", ").includes(method)) continue;
      const answer = await ask({ path, method });
      expect(answer.status, method).toBe(405);
      expect(answer.headers.allow).toBe(allowed);
      if (method !== "HEAD") expect(json(answer)).toMatchObject({ error: { code: "method_not_allowed" } });
    }
    expect(application.leader()).toMatchObject({ isLeader: true, index: 1 });
  });

  it.each(["/nowhere", "/leader/", "/LEADER", "/leader/x", "//leader", "/%6Ceader", "/__proto__", "/watch%00"])(
    "knows no %s",
    async (path) => {
      const { ask } = await startBench();
      const answer = await ask(path);
      expect(answer.status).toBe(404);
      expect(json(answer)).toMatchObject({ error: { code: "not_found" } });
    },
  );
});

describe("bodies", () => {
  const asJson = { "content-type": "application/json" };

  it.each([
    ["text/plain", '{"to":"app-2"}', "body_not_json"],
    ["application/x-www-form-urlencoded", "to=app-2", "body_not_json"],
    ["application/jsonp", "{}", "body_not_json"],
    ["application/json", "{", "body_not_json"],
    ["application/json", Buffer.from([0x22, 0xff, 0x22]), "body_not_json"],
    ["application/json", "[]", "body_invalid"],
    ["application/json", '"app-2"', "body_invalid"],
    ["application/json", "null", "body_invalid"],
    ["application/json", '{"to":7}', "body_invalid"],
    ["application/json", '{"to":""}', "body_invalid"],
    ["application/json", `{"to":"${"a".repeat(254)}"}`, "body_invalid"],
    ["application/json", '{"target":"app-2"}', "body_invalid"],
  ])("POST /resign refuses %s %s", async (type, body, code) => {
    const { application, ask } = await startBench();
    application.hold(7);
    const answer = await ask({ path: "/resign", method: "POST", headers: { "content-type": type }, body });
    expect(answer.status).toBe(400);
    expect(json(answer)).toMatchObject({ error: { code } });
    expect(application.leader().isLeader).toBe(true);
  });

  it.each(["", "{}", '{"eligible":"false"}', '{"eligible":0}', '{"eligible":false,"x":1}', "false"])(
    "PUT /eligibility refuses %j",
    async (body) => {
      const { application, ask } = await startBench();
      const answer = await ask({ path: "/eligibility", method: "PUT", headers: asJson, body });
      expect(answer.status).toBe(400);
      expect(json(answer)).toMatchObject({ error: { code: "body_invalid" } });
      expect(application.eligible()).toBe(true);
    },
  );

  it("refuses a compressed body, and one above the limit, announced or not, and stays usable", async () => {
    const { api, ask } = await startBench();
    const encoded = { ...asJson, "content-encoding": "gzip" };
    expect((await ask({ path: "/resign", method: "POST", headers: encoded, body: "x" })).status).toBe(400);
    const large = JSON.stringify({ to: "a".repeat(MAX_BODY_BYTES) });
    const announced = await ask({ path: "/resign", method: "POST", headers: asJson, body: large });
    expect(announced.status).toBe(413);
    expect(json(announced)).toMatchObject({ error: { code: "body_too_large" } });
    const client = await wire(
      api.port,
      "POST /resign HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    client.socket.write(`${large.length.toString(16)}\r\n${large}\r\n`);
    await client.until(/^HTTP\/1\.1 413 /);
    // What still comes is thrown away, and the connection goes on with the next request.
    client.socket.write(`2000\r\n${"b".repeat(0x2000)}\r\n0\r\n\r\n${GET}`);
    await client.until(/503 Service Unavailable/);
    client.socket.destroy();
  });
});

describe("many and slow clients", () => {
  it("cuts off a client that does not finish its request, but never a wait for an answer", async () => {
    const { api } = await startBench({ headersTimeoutMs: 40, requestTimeoutMs: 80, timeoutCheckMs: 10 });
    const dripping = await startBench({ headersTimeoutMs: 40, requestTimeoutMs: 60_000, timeoutCheckMs: 10 });
    const poll = await wire(api.port, POLL);
    const watcher = await wire(api.port, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const body = await wire(api.port, "POST /resign HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{");
    const headers = await wire(dripping.api.port, "GET /leader HTTP/1.1\r\nHost: loc");
    const silent = await wire(api.port);
    await Promise.all([headers.ended(), body.ended(), silent.ended()]);
    expect(poll.socket.closed).toBe(false);
    expect(watcher.socket.closed).toBe(false);
    poll.socket.destroy();
    watcher.socket.destroy();
  });

  it("closes idle connections after a while", async () => {
    const { api } = await startBench({ keepAliveTimeoutMs: 30 });
    const client = await wire(api.port, GET);
    expect(await client.ended()).toContain("Connection: keep-alive");
  });

  it("makes room for the application when others hold all connections", async () => {
    const { api, ask, faults } = await startBench({ maxConnections: 8 });
    const poll = await wire(api.port, POLL);
    const idle: Wire[] = [];
    for (let n = 0; n < 7; n += 1) {
      const client = await wire(api.port, GET);
      await client.until(/503/);
      idle.push(client);
    }
    await expect(ask("/leader")).rejects.toThrow(/hang up|ECONNRESET/);
    expect((await ask("/leader")).status).toBe(503);
    expect(faults[0]).toMatchObject({ code: "http_too_many" });
    await Promise.all(idle.map((client) => client.ended()));
    expect(poll.socket.closed).toBe(false);
    poll.socket.destroy();
  });

  it("makes room for the application when others hold all connections and say nothing or half of it", async () => {
    const { api, ask } = await startBench({ maxConnections: 8 });
    const silent = [await wire(api.port), await wire(api.port, "GET /leader HT")];
    for (let n = 0; n < 6; n += 1) silent.push(await wire(api.port));
    await expect(ask("/leader")).rejects.toThrow(/hang up|ECONNRESET/);
    expect((await ask("/leader")).status).toBe(503);
    await Promise.all(silent.map((client) => client.ended()));
  });

  it("answers beside a thousand silent connections", async () => {
    const { api, ask } = await startBench();
    const silent = await Promise.all(Array.from({ length: 1_000 }, () => wire(api.port)));
    expect((await ask("/leader")).status).toBe(503);
    expect((await ask("/cluster")).status).toBe(200);
    for (const client of silent) client.socket.destroy();
  });
});

describe("close", () => {
  it("ends every wait with the present state, lets answers go out, and frees the port", async () => {
    const { application, api } = await startBench();
    const gate = Promise.withResolvers<void>();
    let isAsked = false;
    application.onResign(() => {
      isAsked = true;
      return gate.promise;
    });
    const poll = await wire(api.port, POLL);
    const watcher = await wire(api.port, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const idle = await wire(api.port, GET);
    const resign = await wire(api.port, "POST /resign HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    await Promise.all([watcher.until(/id: 0\n/), idle.until(/503/), eventually(() => isAsked)]);
    expect(application.listeners(), "one for all waiters, one that loads express in time").toBe(2);
    const closed = api.close();
    expect(await poll.ended()).toMatch(/^HTTP\/1\.1 503 .*"index":0\}$/s);
    expect(await watcher.ended()).toMatch(/\r\n0\r\n\r\n$/);
    await idle.ended();
    expect(application.listeners()).toBe(0);
    const startMs = performance.now();
    gate.resolve();
    expect(await resign.ended()).toMatch(/^HTTP\/1\.1 200 OK/);
    await closed;
    // Its connection could be used again, and is closed as soon as the answer is out.
    expect(performance.now() - startMs).toBeLessThan(HTTP_CLOSE_GRACE_MS / 2);
    await expect(askAt({ port: api.port, path: "/leader" })).rejects.toThrow("ECONNREFUSED");
  });

  it("cuts what does not end by itself", async () => {
    const { application, api } = await startBench();
    let isAsked = false;
    application.onResign(() => {
      isAsked = true;
      return new Promise(() => {});
    });
    const resign = await wire(api.port, "POST /resign HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    await eventually(() => isAsked);
    await api.close();
    expect(await resign.ended()).toBe("");
  });
});

describe("the ports", () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await createTemporaryDirectory();
  });
  afterEach(() => directory.remove());

  const start = (port: number, socketPath: string | null) =>
    startLockApi({ application: createFakeApplication(), host: "127.0.0.1", port, socketPath, onFault: () => {} });

  it("says which port cannot be had", async () => {
    const { api } = await startBench();
    const refused = start(api.port, null);
    await expect(refused).rejects.toMatchObject({ code: "listen_failed" });
    await expect(refused).rejects.toThrow(`cannot listen on 127.0.0.1:${api.port}: `);
  });

  it("serves a Unix socket too, to every user and under any Host, and takes over a leftover one only", async () => {
    const path = join(directory.path, "lock.sock");
    const { api } = await startBench({}, path);
    expect((await lstat(path)).mode & 0o777).toBe(0o666);
    for (const host of ["localhost", "evil.example", "%2Frun%2Flock.sock"]) {
      expect((await askAt({ socketPath: path, path: "/leader", headers: { host } })).status).toBe(503);
      expect((await askAt({ socketPath: path, path: "/cluster", headers: { host } })).status).toBe(200);
    }
    await expect(start(0, path)).rejects.toMatchObject({ code: "listen_failed" });
    expect((await askAt({ socketPath: path, path: "/leader" })).status).toBe(503);
    await api.close();
    await expect(lstat(path)).rejects.toThrow("ENOENT");

    const file = join(directory.path, "a-file");
    await writeFile(file, "mine");
    await expect(start(0, file)).rejects.toMatchObject({ code: "listen_failed" });
    expect((await lstat(file)).size).toBe(4);
  });

  it("takes over the socket that a killed process left", async () => {
    const path = join(directory.path, "left.sock");
    const killed = createServer().listen(path);
    await once(killed, "listening");
    // What a SIGKILL leaves: the file, and nobody behind it. Node would remove the file in an orderly close.
    await link(path, `${path}.kept`);
    killed.close();
    await rename(`${path}.kept`, path);
    const api = await start(0, path);
    expect((await askAt({ socketPath: path, path: "/leader" })).status).toBe(503);
    await api.close();
  });
});
