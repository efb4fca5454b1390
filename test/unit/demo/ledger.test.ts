/** The fence of the demo's ledger, over HTTP, as workers use it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Entry, Stop } from "../../../demo/evidence.ts";
import { Ledger } from "../../../demo/ledger.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../../support/temporary-directory.ts";

describe("the ledger", () => {
  let directory: TemporaryDirectory;
  let ledger: Ledger;
  let seen: (Entry | Stop)[];

  beforeEach(async () => {
    seen = [];
    directory = await createTemporaryDirectory();
    ledger = await Ledger.open(join(directory.path, "ledger.jsonl"), {
      written: (entry) => seen.push(entry),
      stopped: (stop) => seen.push(stop),
    });
  });

  afterEach(async () => {
    await ledger.close();
    await directory.remove();
  });

  const post = async (path: string, body: unknown): Promise<{ status: number; body: unknown }> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(ledger.url + path, { method: "POST", body: text });
    return { status: response.status, body: await response.json() };
  };
  const attempt = (token: number, worker = "a"): object => ({ worker, token, decidedAtMs: 2, fromMs: 1, untilMs: 3 });

  it("takes equal and rising tokens, and refuses lower ones for good", async () => {
    expect(await post("/entries", attempt(5))).toEqual({ status: 201, body: { position: 1 } });
    expect(await post("/entries", attempt(5))).toEqual({ status: 201, body: { position: 2 } });
    expect(await post("/entries", attempt(7, "b"))).toEqual({ status: 201, body: { position: 3 } });
    const refusal = { status: 409, body: { refusal: "stale token", highestToken: 7 } };
    expect(await post("/entries", attempt(6))).toEqual(refusal);
    expect(await post("/entries", attempt(5))).toEqual(refusal);
    expect(await post("/entries", attempt(7, "b"))).toEqual({ status: 201, body: { position: 4 } });
    expect(ledger.refusals).toEqual(new Map([["stale token", 2]]));
    expect(seen.map((entry) => ("refusal" in entry ? entry.refusal : "?"))).toEqual([
      null,
      null,
      null,
      "stale token",
      "stale token",
      null,
    ]);
  });

  it.each([
    ["no JSON", "{"],
    ["a token above 2^53", attempt(2 ** 53)],
    ["a fraction", attempt(1.5)],
    ["a missing field", { worker: "a", token: 1 }],
    ["a long body", { ...attempt(1), more: "x".repeat(5_000) }],
  ])("refuses what is not a write: %s", async (_what, body) => {
    expect(await post("/entries", body)).toMatchObject({ status: 400, body: { refusal: "not a write" } });
    expect(ledger.refusals).toEqual(new Map([["not a write", 1]]));
    expect([ledger.length, ledger.highestToken, seen]).toEqual([0, 0, []]);
  });

  it("passes stops on, and knows no other path", async () => {
    expect(await post("/stops", { worker: "a", token: 5, atMs: 9 })).toMatchObject({ status: 200 });
    expect(await post("/stops", { worker: "a" })).toMatchObject({ status: 400 });
    expect(await post("/other", {})).toMatchObject({ status: 404 });
    expect(seen).toEqual([{ worker: "a", token: 5, atMs: 9 }]);
  });

  it("has each accepted write, and no refused one, as a line of its file", async () => {
    for (const token of [5, 4, 6]) await post("/entries", attempt(token));
    await ledger.close();
    const lines = (await readFile(join(directory.path, "ledger.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { position: 1, token: 5, worker: "a" },
      { position: 2, token: 6, worker: "a" },
    ]);
    // For afterEach to close.
    ledger = await Ledger.open(join(directory.path, "other"), { written: () => undefined, stopped: () => undefined });
  });
});
