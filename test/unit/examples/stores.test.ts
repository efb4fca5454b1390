/**
 * The stores of examples/store: an older token is refused and changes nothing, an equal one is accepted, and none of
 * that is forgotten.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Fenced, FencedFile } from "../../../examples/store/fenced-file.ts";
import { createStore } from "../../../examples/store/http-store.ts";
import { SqlStore } from "../../../examples/store/sql-store.ts";
import { missingProgram } from "../../support/example-worker.ts";
import { type Ask, type Answer, ask } from "../../support/http.ts";
import { createTemporaryDirectory } from "../../support/temporary-directory.ts";

const STORES = join(import.meta.dirname, "..", "..", "..", "examples", "store");

/** Writes in this order; what each must come to, and the value afterwards. */
const WRITES = [
  [5, "a", "accepted", "a"],
  [5, "b", "accepted", "b"],
  [4, "c", "refused", "b"],
  [2 ** 53 - 2, "d", "accepted", "d"],
  [2 ** 53 - 3, "e", "refused", "d"],
  [2 ** 53 - 1, "f", "accepted", "f"],
  [2 ** 53 - 2, "g", "refused", "f"],
] as const;

interface Store {
  read(): Fenced;
  write(token: number, value: string): boolean;
}

async function pathIn(): Promise<string> {
  const directory = await createTemporaryDirectory();
  onTestFinished(() => directory.remove());
  return join(directory.path, "store");
}

const OPEN: readonly (readonly [name: string, open: (path: string) => Store])[] = [
  ["the fenced file", (path) => new FencedFile(path)],
  [
    "SQLite from Node",
    (path) => {
      const store = new SqlStore(path);
      onTestFinished(() => store.close());
      return store;
    },
  ],
];

describe.each(OPEN)("%s", (_, open) => {
  it("refuses a token below the highest, and accepts an equal one", async () => {
    const store = open(await pathIn());
    for (const [token, value, outcome, after] of WRITES) {
      expect(store.write(token, value) ? "accepted" : "refused").toBe(outcome);
      expect(store.read().value).toBe(after);
    }
  });

  it("remembers the highest token across a restart", async () => {
    const path = await pathIn();
    open(path).write(2 ** 53 - 1, "kept");
    const again = open(path);
    expect(again.read()).toStrictEqual({ token: 2 ** 53 - 1, value: "kept" });
    expect(again.write(2 ** 53 - 2, "late")).toBe(false);
  });
});

describe("the fenced file", () => {
  it.each(["", "{}", '{"token":"5","value":""}', '{"token":0.5,"value":""}'])("is damaged: %j", async (text) => {
    const path = await pathIn();
    writeFileSync(path, text);
    expect(() => new FencedFile(path)).toThrow(/damaged|JSON/u);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])("takes no token %d", async (token) => {
    const store = new FencedFile(await pathIn());
    expect(() => store.write(token, "")).toThrow("not a fencing token");
  });
});

describe("SQLite from Python", () => {
  it("refuses a token below the highest, and accepts an equal one", async (context) => {
    context.skip(missingProgram(["python3"]) !== null, "needs python3");
    const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
from sql_store import StaleToken, open_store, read, write
for token, value, _, _ in json.loads(sys.argv[3]):
    store = open_store(sys.argv[2])
    try:
        write(store, token, value)
        print("accepted", read(store))
    except StaleToken:
        print("refused", read(store))
    store.close()
`;
    const args = ["-B", "-c", script, STORES, await pathIn(), JSON.stringify(WRITES)];
    const { stdout, stderr } = spawnSync("python3", args, { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toStrictEqual(WRITES.map(([, , outcome, after]) => `${outcome} ${after}`));
  });
});

describe("the statements", () => {
  const marked = (file: string, mark: string): string => {
    const text = readFileSync(join(STORES, file), "utf8");
    const [, inside = ""] = new RegExp(String.raw`\[${mark}\]\n([^]*?)\n[^\n]*\[/${mark}\]`, "u").exec(text) ?? [];
    return inside;
  };

  it("of the programs are those of fence.sql", () => {
    expect(marked("fence.sql", "take")).toContain("RETURNING token;");
    expect(marked("sql_store.py", "take")).toBe(`TAKE = """\n${marked("fence.sql", "take")}\n"""`);
    expect(marked("fence.sql", "row")).toContain("AND token <= :token");
    expect(marked("sql-store.ts", "row")).toBe(`const WRITE = "${marked("fence.sql", "row")}";`);
  });
});

describe("the store over HTTP", () => {
  async function start(): Promise<(request: Partial<Ask>) => Promise<Answer>> {
    const server = createStore(new FencedFile(await pathIn()));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("it does not listen");
    return (request) => ask({ port: address.port, path: "/", ...request });
  }

  const put = (token: string, body: string): Partial<Ask> => {
    return { method: "PUT", headers: { "Fencing-Token": token }, body };
  };

  it("writes, refuses, and tells the token that wrote", async () => {
    const send = await start();
    expect((await send(put("5", "a"))).status).toBe(204);
    expect(await send(put("4", "b"))).toMatchObject({ status: 409, text: "token 4 is stale: 5 was here\n" });
    const { status, text, headers } = await send({});
    expect([status, text, headers["fencing-token"]]).toStrictEqual([200, "a", "5"]);
  });

  it.each(["", "x", "0", "-1", "1e3", "9007199254740992", "5, 6"])("takes no write with token %j", async (token) => {
    const send = await start();
    expect((await send(put(token, "a"))).status).toBe(428);
    expect((await send({ method: "PUT", body: "a" })).status).toBe(428);
    expect((await send({})).text).toBe("");
  });

  it("takes no other method and no value that is too long", async () => {
    const send = await start();
    expect((await send({ method: "DELETE" })).status).toBe(405);
    expect((await send(put("5", "x".repeat(65_537)))).status).toBe(413);
    expect((await send({})).text).toBe("");
  });
});
