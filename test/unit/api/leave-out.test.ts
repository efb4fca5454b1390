/** A bundle without the parts of express that are never called (scripts/leave-out.ts) answers as the sources do. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leaveOut } from "../../../scripts/leave-out.ts";
import * as sources from "../../support/fake-lock-api.ts";
import { ask, type Ask } from "../../support/http.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../../support/temporary-directory.ts";

const ENTRY = new URL("../../support/fake-lock-api.ts", import.meta.url).pathname;
const evil = { host: "evil.example" };

const POLLS = ["/leader?index=9&wait=0s", "/leader?index=x"];

const QUESTIONS: readonly Ask[] = [
  ...["/", "/leader", ...POLLS, "/cluster", "/history", "/eligibility", "/%zz"].flatMap((path) =>
    ["GET", "HEAD", "POST", "DELETE", "OPTIONS"].map((method) => ({ path, method })),
  ),
  ...["/", "/leader", "/cluster"].map((path) => ({ path, headers: evil })),
  ...["", "{}", "{", "[]", '{"to":"elsewhere"}', " ".repeat(5_000)].map((body) => ({
    path: "/resign",
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  })),
  { path: "/resign", method: "POST", headers: { "content-type": "text/plain" }, body: "x" },
  { path: "/transfer", method: "POST", body: '{"to":"elsewhere"}' },
  { path: "/eligibility", method: "PUT", body: '{"eligible":false}' },
  { path: "/cluster", headers: { "if-none-match": "*", range: "bytes=0-1", accept: "a/b", "x-forwarded-for": "1" } },
];

describe("a bundle without what express never needs", () => {
  let directory: TemporaryDirectory;
  let metafile: Metafile;
  let apis: readonly sources.FakeLockApi[];

  beforeAll(async () => {
    directory = await createTemporaryDirectory();
    const outfile = join(directory.path, "bundle.cjs");
    const options = { bundle: true, platform: "node", format: "cjs", metafile: true, logLevel: "silent" } as const;
    ({ metafile } = await build({ ...options, entryPoints: [ENTRY], outfile, plugins: [leaveOut()] }));
    const bundled = createRequire(import.meta.url)(outfile) as typeof sources;
    apis = [await sources.startFakeLockApi(), await bundled.startFakeLockApi()];
  });

  afterAll(async () => {
    await Promise.all(apis.map((api) => api.close()));
    await directory.remove();
  });

  it("has none of it", () => {
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.some((path) => path.includes("node_modules/express/"))).toBe(true);
    const unwanted = /node_modules\/(?:body-parser|iconv-lite|mime-db|mime-types|qs|send|serve-static)\//u;
    expect(inputs.filter((path) => unwanted.test(path))).toEqual([]);
  });

  it("answers as the sources do, byte for byte", async () => {
    expect(apis).toHaveLength(2);
    for (const question of QUESTIONS) {
      const [fromSources, fromBundle] = await Promise.all(
        apis.map(async ({ port }) => {
          const { status, text, headers } = await ask({ port, ...question });
          return { status, text, headers: { ...headers, date: "" } };
        }),
      );
      expect(fromBundle, `${question.method} ${question.path}`).toEqual(fromSources);
    }
    expect(apis.map((api) => api.faults)).toEqual([[], []]);
  });
});
