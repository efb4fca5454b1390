/**
 * The bundle by itself: one file, which needs no package beside it and no Kubernetes client to run.
 */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LocalGroup } from "../support/local-group.ts";
import { startGroup } from "../support/process-test.ts";
import { MAIN } from "../support/sidecar.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";

const ALONE = { size: 1, env: { TENURE_DRAIN_TIMEOUT: "0s" } };

describe("dist/main.js", () => {
  it("has no Kubernetes client in it", async () => {
    const text = await readFile(MAIN, "utf8");
    // The bundler names each module that it takes in.
    const modules = [...text.matchAll(/^ *\/\/ .*node_modules\/(?<name>(?:@[^/]+\/)?[^/]+)\//gmu)];
    const names = new Set(modules.map(({ groups }) => groups?.["name"]));
    expect(names).toContain("express");
    expect([...names].filter((name) => name?.startsWith("@kubernetes/"))).toStrictEqual([]);
  });

  it("runs the code of no command when it is a sidecar", async () => {
    const text = await readFile(MAIN, "utf8");
    const modules = new Set(
      [...text.matchAll(/^\/\/ (?<path>src\/cli\/.*)$/gmu)].map(({ groups }) => groups?.["path"]),
    );
    // What is loaded lazily stands in a function, called by whoever imports it.
    const lazy = [...text.matchAll(/^ {2}"(?<path>src\/cli\/[^"]+)"\(\) \{$/gmu)].map(({ groups }) => groups?.["path"]);
    expect(lazy).toContain("src/cli/run-command.ts");
    expect(lazy).toContain("src/cli/help.ts");
    expect([...modules].filter((path) => !lazy.includes(path))).toStrictEqual(["src/cli/faults.ts"]);
    const called = text.matchAll(/^init_(?<name>\w+)\(\);$/gmu);
    const names = new Set(lazy.map((path) => path?.replace(/^src\/cli\/|\.ts$/gu, "").replaceAll("-", "_")));
    expect([...called].filter(({ groups }) => names.has(groups?.["name"]))).toStrictEqual([]);
  });

  it("runs alone in a directory, with no package to be found", async () => {
    const directory = await createTemporaryDirectory();
    onTestFinished(() => directory.remove());
    const alone = join(directory.path, "main.js");
    for (const name of ["main.js", "package.json"]) {
      await copyFile(join(dirname(MAIN), name), join(directory.path, name));
    }
    const empty = join(directory.path, "elsewhere");
    await mkdir(empty);
    // The node of the command line, the bundle of this directory.
    const command = ["sh", "-c", `cd ${empty} && exec "$0" ${alone}`];
    await useAllOf(await startGroup({ ...ALONE, command: () => command }));
  });

  it("opens no file of the Kubernetes client, whatever it is asked", async (context) => {
    const probe = spawnSync("strace", ["-D", "-f", "-qq", "-e", "trace=openat", "-o", "/dev/null", "true"]);
    context.skip(probe.status !== 0, "needs strace");
    const directory = await createTemporaryDirectory();
    onTestFinished(() => directory.remove());
    const trace = join(directory.path, "opened");
    const command = ["strace", "-D", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", trace];
    const group = await startGroup({ ...ALONE, command: () => command });
    await useAllOf(group);
    const opened = [...(await readFile(trace, "utf8")).matchAll(/open\w*\(.*?"(?<path>[^"]+)"/gu)];
    const paths = opened.map(({ groups }) => groups?.["path"] ?? "");
    expect(paths).toContain(MAIN);
    expect(paths.filter((path) => path.includes("kubernetes"))).toStrictEqual([]);
  });

  /** Every path of both ports, and an orderly end. */
  async function useAllOf(group: LocalGroup): Promise<void> {
    const holder = await group.agreed();
    for (const path of ["/", "/leader", "/leader?index=0", "/cluster", "/history", "/eligibility"]) {
      expect((await holder.ask("GET", path)).status).toBe(200);
    }
    for (const path of ["/metrics", "/healthz", "/readyz"]) expect((await holder.ops(path)).status).toBe(200);
    expect((await holder.ask("POST", "/resign")).status).toBe(200);
    holder.kill("SIGTERM");
    expect(await holder.exited).toStrictEqual({ code: 0, signal: null });
    expect(holder.stderr).toBe("");
  }
});
