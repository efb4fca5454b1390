/**
 * What the chart renders, run: its environment and its certificates in real sidecars, with its worker beside them, and
 * its `helm test`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CHART, environmentOf, type KubeObject, needs, render, type Rendering } from "../chart/support/helm.ts";
import { type LocalGroup, SERVICE } from "../support/local-group.ts";
import { createGroup, runSidecar } from "../support/process-test.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";

const HOSTS = join(import.meta.dirname, "..", "chart", "support", "hosts.mjs");
/** The service of LocalGroup. */
const NAMES = { fullnameOverride: "app" };

/** What differs on one machine: where things are, and who listens where. */
const PLACES = new Set([
  "TENURE_DATA_DIR",
  "TENURE_TLS_DIR",
  "TENURE_PEER_PORT",
  "TENURE_HTTP_PORT",
  "TENURE_OPS_PORT",
]);

function settingsOf(set: KubeObject, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(environmentOf(set, name)).filter(([key]) => !PLACES.has(key)));
}

/** The Secret of the peers as the kubelet would mount it. */
async function mount(rendering: Rendering, directory: string): Promise<void> {
  const { data = {} } = rendering.get("Secret", "app-peers-tls");
  await mkdir(directory, { recursive: true });
  for (const [key, value] of Object.entries(data)) await writeFile(join(directory, key), Buffer.from(value, "base64"));
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Script {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly output: () => string;
}

function runScript(name: string, env: Readonly<Record<string, string>>, options: readonly string[] = []): Script {
  const child = spawn(process.execPath, [...options, join(CHART, "scripts", name)], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return { child, exited, output: () => output };
}

/** A group as the chart would start it, and where its operations ports are. */
async function groupOf(rendering: Rendering, opsPort: number): Promise<LocalGroup> {
  const set = rendering.get("StatefulSet");
  const directory = await createTemporaryDirectory();
  onTestFinished(() => directory.remove());
  await mount(rendering, directory.path);
  const group = await createGroup({
    size: 3,
    secure: true,
    env: (name) => ({
      ...settingsOf(set, name),
      TENURE_TLS_DIR: directory.path,
      TENURE_OPS_HOST: `127.0.0.${Number(name.slice(-1)) + 1}`,
      TENURE_OPS_PORT: String(opsPort),
    }),
  });
  await Promise.all(group.names.map((name) => group.startMember(name)));
  return group;
}

/** The tokens with which a worker has said that it acted. */
function tokensOf(worker: Script): readonly number[] {
  return [...worker.output().matchAll(/holds the lock: step \d+ with token (?<token>\d+)/gu)].map(({ groups }) =>
    Number(groups?.["token"]),
  );
}

describe("what the chart renders", () => {
  needs("helm");

  it("is a group with one holder, beside which the worker acts, and `helm test` sees it", async () => {
    const opsPort = await freePort();
    const group = await groupOf(render({ values: NAMES }), opsPort);
    const first = await group.agreed();
    const workers = new Map(
      group.members.map((member) => [
        member.name,
        runScript("worker.mjs", { TENURE_URL: `http://127.0.0.1:${member.ports.api}` }),
      ]),
    );
    const acted = (name: string): readonly number[] => {
      const worker = workers.get(name);
      return worker === undefined ? [] : tokensOf(worker);
    };
    await group.until("the holder's worker to act", () => (acted(first.name).length > 1 ? true : null));
    for (const { name } of group.othersThan(first)) expect(acted(name)).toEqual([]);

    const test = (replicas: number, addresses: readonly string[], deadline = "20"): Script =>
      runScript(
        "holder.mjs",
        {
          SERVICE,
          PORT: String(opsPort),
          REPLICAS: String(replicas),
          DEADLINE_SECONDS: deadline,
          HOSTS: JSON.stringify({ [SERVICE]: addresses }),
        },
        ["--import", HOSTS],
      );
    const all = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    const good = test(3, all);
    expect(await good.exited, good.output()).toBe(0);
    expect(good.output()).toContain("1 of 3 pods that answered hold the lock; 3 are wanted");
    expect(good.output()).toContain(`holds, token ${acted(first.name)[0]}`);
    // A pod that does not answer, a pod too few, and no holder among those that were asked.
    const [silent, few, standby] = [
      test(3, [...all, "127.0.0.4"], "0"),
      test(4, all, "0"),
      test(1, [`127.0.0.${first.name === "app-0" ? 2 : 1}`], "0"),
    ];
    expect([await silent.exited, await few.exited, await standby.exited]).toEqual([1, 1, 1]);
    expect(silent.output()).toContain("127.0.0.4  no answer (ECONNREFUSED)");
    expect(standby.output()).toContain("0 of 1 pods");

    const [token = 0] = acted(first.name);
    first.child.kill("SIGKILL");
    const next = await group.agreed(first.name);
    await group.until("its worker to act", () => (acted(next.name).length > 0 ? true : null));
    expect(Math.min(...acted(next.name))).toBeGreaterThan(token);
  });

  it.each([
    ["as it is", {}],
    ["with volumes that outlive pods", { storage: { persistent: true } }],
    ["as a plain container", { sidecar: { native: false, logLevel: "debug" }, stopping: { drainTimeout: "0" } }],
    ["without TLS", { tls: { mode: "none" } }],
    ["with a lease of its own", { lease: { duration: "300ms", heartbeatInterval: "122ms", clockDrift: 0.1 } }],
  ])("is taken by the program: %s", async (_, values) => {
    const directory = await createTemporaryDirectory();
    onTestFinished(() => directory.remove());
    const rendering = render({ values: { ...NAMES, ...values, replicas: 1 } });
    const set = rendering.get("StatefulSet");
    const insecure = "tls" in values;
    if (!insecure) await mount(rendering, join(directory.path, "tls"));
    const sidecar = runSidecar({
      ...environmentOf(set, "app-0"),
      TENURE_DATA_DIR: join(directory.path, "data"),
      ...(insecure ? {} : { TENURE_TLS_DIR: join(directory.path, "tls") }),
      TENURE_PEER_PORT: "0",
      TENURE_HTTP_PORT: "0",
      TENURE_OPS_PORT: "0",
      TENURE_DNS_SERVER: "127.0.0.1:9",
    });
    await sidecar.listening();
    sidecar.child.kill("SIGTERM");
    expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  });

  it("would be refused by the program if it were wrong", async () => {
    const sidecar = runSidecar({ ...environmentOf(render().get("StatefulSet"), "app-0"), TENURE_STORAGE: "emptyDir" });
    expect(await sidecar.exited).toMatchObject({ code: 2 });
    expect(sidecar.stderr).toContain("TENURE_STORAGE");
  });
});
