/** The operations port, black-box over real HTTP. */
import { afterEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../../src/base/errors.ts";
import { createMetrics } from "../../../src/ops/metrics.ts";
import { startOpsServer, type OpsServer } from "../../../src/ops/server.ts";
import { ask as askAt, wire, type Answer, type Ask } from "../../support/http.ts";
import { nodeSample } from "../../support/node-sample.ts";
import { watchOptions } from "../../support/watch-options.ts";

interface Bench {
  readonly server: OpsServer;
  readonly faults: [ErrorCode, string, string][];
  readonly state: { isReady: boolean; isLive: boolean; isBroken: boolean };
  ask(what: Ask): Promise<Answer>;
}

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function start(host = "127.0.0.1"): Promise<Bench> {
  const state = { isReady: false, isLive: true, isBroken: false };
  const faults: Bench["faults"] = [];
  const metrics = createMetrics({
    sample() {
      if (state.isBroken) throw new Error("boom");
      return nodeSample();
    },
    ready: () => state.isReady,
    version: "1.2.3",
    watch: watchOptions(),
  });
  const server = await startOpsServer({
    host,
    port: 0,
    ready: () => state.isReady,
    live: () => state.isLive,
    metrics,
    onFault: (...fault) => faults.push(fault),
  });
  ends.push(
    () => server.close(),
    () => metrics.close(),
  );
  return { server, faults, state, ask: (what) => askAt({ port: server.port, ...what }) };
}

describe("probes", () => {
  it("/healthz is 200 while the node lives, with or without a group", async () => {
    const { ask, state } = await start();
    expect(await ask({ path: "/healthz" })).toMatchObject({ status: 200, text: "ok\n" });
    state.isLive = false;
    expect((await ask({ path: "/healthz" })).status).toBe(503);
  });

  it("/readyz follows the node", async () => {
    const { ask, state } = await start();
    expect((await ask({ path: "/readyz" })).status).toBe(503);
    state.isReady = true;
    expect(await ask({ path: "/readyz?verbose" })).toMatchObject({ status: 200, text: "ok\n" });
  });

  it("takes any Host: the kubelet and scrapers come by address", async () => {
    const { ask } = await start();
    expect((await ask({ path: "/healthz", headers: { host: "10.1.2.3:9464" } })).status).toBe(200);
  });
});

describe("/metrics", () => {
  it("speaks both formats", async () => {
    const { ask } = await start();
    const plain = await ask({ path: "/metrics" });
    expect(plain.status).toBe(200);
    expect(plain.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(plain.text).toContain("\ntenure_is_leader 1\n");
    const open = await ask({ path: "/metrics", headers: { accept: "application/openmetrics-text" } });
    expect(open.headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(open.text.endsWith("# EOF\n")).toBe(true);
  });

  it("is 500 when the node cannot be sampled; the fault is told, the probes go on", async () => {
    const { ask, state, faults } = await start();
    state.isBroken = true;
    const answer = await ask({ path: "/metrics" });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("boom");
    expect(faults).toEqual([["internal", "/metrics", "boom"]]);
    expect((await ask({ path: "/healthz" })).status).toBe(200);
  });
});

describe("everything else", () => {
  it("HEAD has the headers of GET and no body; other methods and paths are refused", async () => {
    const { ask, server } = await start();
    const get = await ask({ path: "/healthz" });
    const client = await wire(server.port, "HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const head = await client.ended();
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toContain(`Content-Length: ${get.headers["content-length"]}\r\n`);
    expect(head.endsWith("\r\n\r\n")).toBe(true);
    for (const path of ["/metrics", "/healthz", "/readyz"]) {
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
        const answer = await ask({ path, method });
        expect(answer.status, `${method} ${path}`).toBe(405);
        expect(answer.headers.allow).toBe("GET, HEAD");
      }
    }
    for (const path of ["/", "/leader", "/metrics/", "/healthz/x", "/constructor"]) {
      expect((await ask({ path })).status, path).toBe(404);
    }
  });

  it("says which port cannot be had", async () => {
    const { server } = await start();
    const second = startOpsServer({
      host: "127.0.0.1",
      port: server.port,
      ready: () => true,
      live: () => true,
      metrics: { render: () => Promise.reject(new Error("unused")) },
      onFault: () => {},
    });
    await expect(second).rejects.toMatchObject({ code: "listen_failed" });
    await expect(second).rejects.toThrow(`cannot listen on 127.0.0.1:${server.port}: `);
  });

  it("closes at once, also with idle and silent connections", async () => {
    const { server } = await start();
    const idle = await wire(server.port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await idle.until(/ok\n$/);
    const silent = await wire(server.port);
    await server.close();
    await Promise.all([idle.ended(), silent.ended()]);
    await expect(askAt({ port: server.port, path: "/healthz" })).rejects.toThrow("ECONNREFUSED");
  });
});
