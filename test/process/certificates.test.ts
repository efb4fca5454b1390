/**
 * The openssl commands of docs/how-to/operate.md make certificates that a real group takes.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { missingProgram } from "../support/example-worker.ts";
import { startGroup } from "../support/process-test.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";

const PAGE = join(import.meta.dirname, "..", "..", "docs", "how-to", "operate.md");

describe("certificates by openssl", () => {
  it("as the guide makes them, are those of peers", async (context) => {
    context.skip(missingProgram(["openssl"]) !== null, "needs openssl");
    const directory = await createTemporaryDirectory();
    onTestFinished(() => directory.remove());
    const [, commands = ""] = /<!-- run: certificates -->\n```sh\n([^]*?)```/u.exec(readFileSync(PAGE, "utf8")) ?? [];
    const made = spawnSync("sh", ["-euc", commands], { cwd: directory.path, encoding: "utf8" });
    expect(commands).toContain("openssl");
    expect(made.status, made.stderr).toBe(0);

    const group = await startGroup({ size: 3, secure: true, env: { TENURE_TLS_DIR: directory.path } });
    const holder = await group.agreed();
    expect((await holder.leader()).token).toBeGreaterThan(0);
    expect(await holder.faults("peer_certificate")).toBe(0);
  });
});
