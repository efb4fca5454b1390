/**
 * The lock API's answers, black-box over real HTTP: DESIGN, section 3.
 */
import { describe, expect, it } from "vitest";
import { TenureError } from "../../src/base/errors.ts";
import { eventually, json, wire } from "../support/http.ts";
import { startBench } from "../support/lock-api.ts";

const TOKEN = 251_301_442_093_057;
const FIELDS = [
  "isLeader",
  "name",
  "self",
  "group",
  "token",
  "term",
  "remainingMs",
  "deadlineMonotonicNs",
  "reason",
  "index",
];

describe("GET /leader", () => {
  it("is 503 with every field while another pod holds the lock", async () => {
    const { application, ask } = await startBench();
    application.follow("app-2");
    const answer = await ask("/leader");
    expect(answer.status).toBe(503);
    expect(answer.headers).not.toHaveProperty("fencing-token");
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(Object.keys(json(answer) as object)).toEqual(FIELDS);
    expect(json(answer)).toEqual({
      isLeader: false,
      name: "app-2",
      self: "app-1",
      group: "app",
      token: null,
      term: 12,
      remainingMs: 0,
      deadlineMonotonicNs: null,
      reason: "follower",
      index: 1,
    });
  });

  it("is 200 with the token, what remains and the deadline while this pod holds the lock", async () => {
    const { application, ask } = await startBench();
    application.hold(TOKEN, 5_000);
    const beforeNs = process.hrtime.bigint();
    const answer = await ask("/leader");
    expect(answer.status).toBe(200);
    expect(answer.headers["fencing-token"]).toBe(String(TOKEN));
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(Object.keys(json(answer) as object)).toEqual(FIELDS);
    const body = json(answer) as { remainingMs: number; deadlineMonotonicNs: string };
    expect(body).toMatchObject({ isLeader: true, name: "app-1", token: TOKEN, reason: "holder", index: 1 });
    expect(body.remainingMs).toBeGreaterThan(4_000);
    expect(body.remainingMs).toBeLessThanOrEqual(5_000);
    expect(Number(BigInt(body.deadlineMonotonicNs) - beforeNs) / 1e6).toBeGreaterThan(4_900);
  });

  it("asks the application anew for every request, also on one connection", async () => {
    const { application, api } = await startBench();
    const client = await wire(api.port);
    const get = "GET /leader HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.socket.write(get);
    await client.until(/503 Service Unavailable.*"index":0\}$/s);
    application.hold(TOKEN, 40);
    client.socket.write(get);
    await client.until(/200 OK.*"isLeader":true.*"index":1\}$/s);
    // The lease runs out without any change being told: the very same question is now answered by the clock alone.
    await eventually(() => !application.leader().isLeader);
    client.socket.write(get);
    await client.until(/200 OK.*503 Service Unavailable.*"isLeader":false[^}]*"index":1\}$/s);
    client.socket.destroy();
  });

  it("answers HEAD with the status and headers of GET and no body", async () => {
    const { application, api, ask } = await startBench();
    application.hold(TOKEN);
    const get = await ask("/leader");
    const client = await wire(api.port, "HEAD /leader HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const head = await client.ended();
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toContain(`Fencing-Token: ${TOKEN}\r\n`);
    expect(head).toContain(`Content-Length: ${get.headers["content-length"]}\r\n`);
    expect(head.endsWith("\r\n\r\n")).toBe(true);
    application.follow(null);
    expect((await ask({ path: "/leader", method: "HEAD" })).status).toBe(503);
    expect((await ask({ path: "/leader?index=0", method: "HEAD" })).status).toBe(503);
  });

  it("fails closed when the application's answer fails: 500, the fault is told, nothing of a leader", async () => {
    const { application, ask, faults } = await startBench();
    application.hold(TOKEN);
    application.breakWith(new Error("boom"));
    for (const path of ["/leader", "/leader?index=0", "/", "/cluster", "/history", "/watch"]) {
      const answer = await ask(path);
      expect(answer.status, path).toBe(500);
      expect(json(answer)).toEqual({ error: { code: "internal", message: "a fault of tenure; see its log" } });
      expect(answer.headers, path).not.toHaveProperty("fencing-token");
    }
    expect(faults).toHaveLength(6);
    expect(faults[0]).toEqual({ code: "internal", where: "/leader", message: "boom" });
    application.breakWith(null);
    expect((await ask("/leader")).status).toBe(200);
  });
});

describe("GET /", () => {
  it("is the old sidecar's answer: the holder's name, or an empty one", async () => {
    const { application, ask } = await startBench();
    expect((await ask("/")).text).toBe('{"name":""}');
    application.follow("app-2");
    expect((await ask("/")).text).toBe('{"name":"app-2"}');
    application.hold(TOKEN);
    const answer = await ask("/");
    expect(answer.text).toBe('{"name":"app-1"}');
    expect(answer.status).toBe(200);
  });
});

describe("GET /cluster and /history", () => {
  it("hands on what the application says", async () => {
    const { application, ask } = await startBench();
    application.follow("app-2");
    expect(json(await ask("/cluster"))).toEqual(application.cluster());
    expect(json(await ask("/history"))).toEqual(application.history());
    expect((await ask({ path: "/cluster", method: "HEAD" })).headers["content-length"]).toBe(
      String(JSON.stringify(application.cluster()).length),
    );
  });
});

describe("POST /resign", () => {
  it("answers once the lock is released, not before", async () => {
    const { application, ask } = await startBench();
    application.hold(TOKEN);
    const gate = Promise.withResolvers<void>();
    const targets: (string | null)[] = [];
    application.onResign((to) => {
      targets.push(to);
      return gate.promise;
    });
    let isAnswered = false;
    const pending = ask({ path: "/resign", method: "POST" }).finally(() => {
      isAnswered = true;
    });
    await eventually(() => targets.length === 1);
    await ask("/leader"); // a whole exchange later there is still no answer
    expect(isAnswered).toBe(false);
    gate.resolve();
    const answer = await pending;
    expect(answer.status).toBe(200);
    expect(json(answer)).toEqual({ released: true });
    expect(targets).toEqual([null]);
  });

  it("hands `to` on, and takes an empty body, {} and null for any", async () => {
    const { application, ask } = await startBench();
    const targets: (string | null)[] = [];
    application.onResign(async (to) => void targets.push(to));
    const headers = { "content-type": "application/json; charset=utf-8" };
    for (const body of ['{"to":"app-2"}', "{}", '{"to":null}', ""]) {
      expect((await ask({ path: "/resign", method: "POST", headers, body })).status, body).toBe(200);
    }
    // Without a content type, as of a client that sends the bytes and nothing else.
    expect((await ask({ path: "/resign", method: "POST", body: '{"to":"app-0"}' })).status).toBe(200);
    expect(targets).toEqual(["app-2", null, null, null, "app-0"]);
  });

  it("is 409 for a pod that is not the holder, and for a target that cannot take over", async () => {
    const { application, ask, faults } = await startBench();
    const refused = await ask({ path: "/resign", method: "POST" });
    expect(refused.status).toBe(409);
    expect(json(refused)).toEqual({ error: { code: "not_holder", message: "app-1 does not hold the lock" } });
    application.hold(TOKEN);
    const unknown = await ask({ path: "/resign", method: "POST", body: '{"to":"elsewhere"}' });
    expect(unknown.status).toBe(409);
    expect(json(unknown)).toMatchObject({ error: { code: "unknown_target" } });
    expect((await ask("/leader")).status).toBe(200);
    expect(faults).toEqual([]);
  });

  it("is 503 while the sidecar stops, and 500 for a fault of its own", async () => {
    const { application, ask, faults } = await startBench();
    application.onResign(() => Promise.reject(new TenureError("shutting_down", "the sidecar is stopping")));
    const stopping = await ask({ path: "/resign", method: "POST" });
    expect(stopping.status).toBe(503);
    expect(json(stopping)).toMatchObject({ error: { code: "shutting_down" } });
    expect(faults).toEqual([]);
    application.onResign(() => Promise.reject(new Error("boom")));
    expect((await ask({ path: "/resign", method: "POST" })).status).toBe(500);
    expect(faults).toEqual([{ code: "internal", where: "/resign", message: "boom" }]);
  });
});

describe("POST /transfer", () => {
  it("hands `to` on to the application, not as a resignation, and answers once the lock is released", async () => {
    const { application, ask } = await startBench();
    application.hold(TOKEN);
    const orders: (string | null)[] = [];
    const gate = Promise.withResolvers<void>();
    application.onTransfer((to) => {
      orders.push(to);
      return gate.promise;
    });
    let isAnswered = false;
    const pending = ask({ path: "/transfer", method: "POST", body: '{"to":"app-2"}' }).finally(() => {
      isAnswered = true;
    });
    await eventually(() => orders.length === 1);
    await ask("/leader"); // a whole exchange later there is still no answer
    expect(isAnswered).toBe(false);
    gate.resolve();
    const answer = await pending;
    expect(answer.status).toBe(200);
    expect(json(answer)).toEqual({ released: true });
    expect((await ask({ path: "/transfer", method: "POST" })).status).toBe(200);
    expect(orders).toEqual(["app-2", null]);
  });

  it("refuses a misspelt target", async () => {
    const { application, ask } = await startBench();
    application.hold(TOKEN);
    const answer = await ask({ path: "/transfer", method: "POST", body: '{"too":"app-2"}' });
    expect(answer.status).toBe(400);
    expect((await ask("/leader")).status).toBe(200);
  });
});

describe("POST /init and /rescue", () => {
  it("hand on what they were told", async () => {
    const { application, ask } = await startBench();
    expect(json(await ask({ path: "/init", method: "POST" }))).toEqual({ formed: true });
    for (const lost of [[], ["app-0", "app-2"]]) {
      const answer = await ask({ path: "/rescue", method: "POST", body: JSON.stringify({ confirm: "f00d", lost }) });
      expect(json(answer)).toEqual({ rescued: true });
    }
    await ask({ path: "/rescue", method: "POST", body: '{"confirm":"beef"}' });
    expect(application.orders).toEqual([
      "init",
      { confirm: "f00d", lost: [] },
      { confirm: "f00d", lost: ["app-0", "app-2"] },
      { confirm: "beef", lost: [] },
    ]);
  });

  it.each([
    ["/init", '{"force":true}'],
    ["/init", "[]"],
    ["/rescue", ""],
    ["/rescue", "{}"],
    ["/rescue", '{"confirm":""}'],
    ["/rescue", '{"confirm":null}'],
    ["/rescue", '{"confirm":"x","lost":"app-0"}'],
    ["/rescue", '{"confirm":"x","lost":[0]}'],
    ["/rescue", '{"confirm":"x","lost":[""]}'],
    ["/rescue", '{"confirm":"x","force":true}'],
  ])("refuse another body: %s %s", async (path, body) => {
    const { application, ask } = await startBench();
    const answer = await ask({ path, method: "POST", body });
    expect(answer.status).toBe(400);
    expect(json(answer)).toMatchObject({ error: { code: "body_invalid" } });
    expect(application.orders).toEqual([]);
  });
});

describe("/eligibility", () => {
  it("is set by PUT and read by GET", async () => {
    const { application, ask } = await startBench();
    expect(json(await ask("/eligibility"))).toEqual({ eligible: true });
    const answer = await ask({ path: "/eligibility", method: "PUT", body: '{"eligible":false}' });
    expect(answer.status).toBe(200);
    expect(json(answer)).toEqual({ eligible: false });
    expect(application.eligible()).toBe(false);
    expect(json(await ask("/eligibility"))).toEqual({ eligible: false });
    await ask({ path: "/eligibility", method: "PUT", body: '{"eligible":true}' });
    expect(application.eligible()).toBe(true);
  });
});
