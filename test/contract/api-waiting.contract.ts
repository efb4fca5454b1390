/**
 * The two ways to wait for a change: long poll and watch.
 */
import { describe, expect, it } from "vitest";
import { eventually, json, wire } from "../support/http.ts";
import { startBench } from "../support/lock-api.ts";

const WATCH = "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** The events of a stream: id and data of each. */
function eventsOf(text: string): { readonly id: string; readonly data: Record<string, unknown> }[] {
  const events = text.matchAll(/event: leadership\nid: (\d+)\ndata: (\{.*\})\n\n/g);
  return [...events].map(([, id = "", data = ""]) => ({ id, data: JSON.parse(data) as Record<string, unknown> }));
}

describe("long poll", () => {
  it("answers at once when the client is behind", async () => {
    const { application, ask } = await startBench();
    application.follow("app-2");
    application.follow("app-0");
    for (const index of [0, 1]) {
      const answer = await ask(`/leader?index=${index}&wait=300s`);
      expect(json(answer), String(index)).toMatchObject({ index: 2, name: "app-0" });
    }
  });

  it("waits while the index does not exceed that of the client, however large it is", async () => {
    const { application, ask } = await startBench();
    application.follow("app-2");
    for (const index of [1, 2, Number.MAX_SAFE_INTEGER]) {
      const startMs = performance.now();
      expect(json(await ask(`/leader?index=${index}&wait=50ms`)), String(index)).toMatchObject({ index: 1 });
      expect(performance.now() - startMs, String(index)).toBeGreaterThanOrEqual(49);
    }
  });

  it("answers the next change to a client whose index is above all of this life", async () => {
    const { application, ask } = await startBench();
    const pending = ask(`/leader?index=${Number.MAX_SAFE_INTEGER}&wait=300s`);
    await eventually(() => application.asked() > 0);
    application.hold(7);
    expect(json(await pending)).toMatchObject({ isLeader: true, index: 1 });
  });

  it("waits for a change, and answers with what is then", async () => {
    const { application, ask } = await startBench();
    const pending = ask("/leader?index=0&wait=300s");
    await eventually(() => application.asked() > 0);
    application.notify();
    application.hold(7);
    const answer = await pending;
    expect(answer.status).toBe(200);
    expect(answer.headers["fencing-token"]).toBe("7");
    expect(json(answer)).toMatchObject({ isLeader: true, index: 1 });
  });

  it("answers when the wait is over, from the clock of that moment", async () => {
    const { application, ask } = await startBench();
    application.hold(7, 60);
    const startMs = performance.now();
    const answer = await ask("/leader?index=1&wait=120ms");
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(119);
    // The lease ran out during the wait, and no change was told: an answer kept from its begin would be 200.
    expect(answer.status).toBe(503);
    expect(json(answer)).toMatchObject({ isLeader: false, remainingMs: 0, index: 1 });
  });

  it("answers at once with wait=0s", async () => {
    const { ask } = await startBench();
    expect(json(await ask("/leader?index=0&wait=0s"))).toMatchObject({ index: 0 });
  });

  it.each([
    ["index=1&wait=30", "allowed: a duration such as 30s or 500ms, from 0s to 300s (the unit is missing)"],
    ["index=1&wait=abc", 'wait is "abc"; allowed: a duration'],
    ["index=1&wait=-1s", 'wait is "-1s"'],
    ["index=1&wait=301s", "from 0s to 300s"],
    ["index=1&wait=1.5s", 'wait is "1.5s"'],
    ["index=1&wait=", 'wait is ""'],
    ["index=-1&wait=1s", 'index is "-1"; allowed: an integer from 0 to 2^53 - 1'],
    ["index=9007199254740993", "index is"],
    ["index=", "index is"],
    ["index=1e3", "index is"],
    ["index=1&index=2", 'index is "1, 2"; allowed: one value'],
    ["wait=1s", 'wait is "1s"; allowed: to be given together with index'],
  ])("refuses ?%s", async (query, message) => {
    const { ask } = await startBench();
    const answer = await ask(`/leader?${query}`);
    expect(answer.status).toBe(400);
    const { error } = json(answer) as { error: { code: string; message: string } };
    expect(error.code).toBe("query_invalid");
    expect(error.message).toContain(message);
  });

  it("leaves nothing behind when the client goes away", async () => {
    const { application, api, ask } = await startBench({ maxWaiters: 1 });
    const client = await wire(api.port, "GET /leader?index=0&wait=300s HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await eventually(() => application.asked() === 1);
    const refused = await ask("/leader?index=0&wait=300s");
    expect(refused.status).toBe(503);
    expect(json(refused)).toMatchObject({ error: { code: "too_many_waiters" } });
    expect((await ask("/leader")).status).toBe(503);
    client.socket.destroy();
    const isFull = async (): Promise<boolean> =>
      (await ask("/leader?index=0&wait=1ms")).text.includes("too_many_waiters");
    while (await isFull()); // ends by the test's timeout if the place is never free
  });
});

describe("GET /watch", () => {
  it("sends the state at once and at each change, and nothing for what is no change", async () => {
    const { application, api } = await startBench();
    const client = await wire(api.port, WATCH);
    await client.until(/\n\n/);
    expect(client.received()).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\n/);
    expect(client.received()).toContain("Cache-Control: no-store\r\n");
    await client.until(/id: 0\n/);
    application.hold(7);
    application.renew(50_000);
    application.notify();
    application.follow("app-2");
    await client.until(/id: 2\ndata: .*\n\n/);
    const events = eventsOf(client.received());
    expect(events.map((event) => event.id)).toEqual(["0", "1", "2"]);
    expect(events[1]?.data).toMatchObject({ isLeader: true, token: 7, index: 1 });
    expect(events[2]?.data).toEqual(application.leader());
    client.socket.destroy();
  });

  it("sends comments in between", async () => {
    const { api } = await startBench({ watchCommentIntervalMs: 20 });
    const client = await wire(api.port, WATCH);
    await client.until(/\n:\n\n[^]*\n:\n\n/);
    expect(eventsOf(client.received())).toHaveLength(1);
    client.socket.destroy();
  });

  it("cuts off a reader that is too slow, and holds up no other", async () => {
    const { application, api, ask } = await startBench({ maxWatchQueueBytes: 4_096, maxWaiters: 2 });
    const slow = await wire(api.port, WATCH);
    await slow.until(/id: 0\n/);
    slow.socket.pause();
    const quick = await wire(api.port, WATCH);
    await quick.until(/id: 0\n/);
    // The kernel's buffers fill up first; the quick reader has read each event before the next one is made.
    const name = "n".repeat(60_000);
    const isFull = async (index: number): Promise<boolean> =>
      (await ask(`/leader?index=${index}&wait=1ms`)).text.includes("too_many_waiters");
    let changes = 0;
    let readBytes = 0;
    do {
      changes += 1;
      application.follow(name);
      await eventually(() => quick.received().length > readBytes + name.length);
      readBytes = quick.received().length;
    } while ((await isFull(changes)) && changes < 1_000);
    // Its place is free, though the slow reader itself has not noticed anything yet.
    expect(changes).toBeLessThan(1_000);
    expect(slow.socket.destroyed).toBe(false);
    await quick.until(new RegExp(`id: ${changes}\\n`));
    expect(eventsOf(quick.received())).toHaveLength(changes + 1);
    slow.socket.resume();
    await slow.ended();
    expect(slow.received()).not.toContain(`id: ${changes}\n`);
    quick.socket.destroy();
  });

  it("counts together with long polls, and makes room when a watcher leaves", async () => {
    const { api, ask } = await startBench({ maxWaiters: 1 });
    const first = await wire(api.port, WATCH);
    await first.until(/id: 0\n/);
    const refused = await ask("/watch");
    expect(refused.status).toBe(503);
    expect(json(refused)).toMatchObject({ error: { code: "too_many_waiters" } });
    expect(json(await ask("/leader?index=0&wait=1s"))).toMatchObject({ error: { code: "too_many_waiters" } });
    first.socket.destroy();
    let second = await wire(api.port, WATCH);
    while ((await second.until(/\n\n|\}$/)).includes("too_many_waiters")) second = await wire(api.port, WATCH);
    expect(second.received()).toContain("text/event-stream");
    second.socket.destroy();
  });
});
