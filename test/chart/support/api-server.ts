/**
 * A real kube-apiserver with its etcd, on loopback, for one file of tests.
 *
 * Invariant: nothing outlives `stop`, and everything is in a temporary directory.
 *
 * Deliberately absent: controllers and nodes. Objects are checked and stored; no pod ever starts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathOf } from "../../../scripts/tools.ts";
import type { KubeObject } from "./helm.ts";

const TOKEN = "an-administrator-of-this-test";
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

export interface Verdict {
  readonly status: number;
  /** What the server warns of, as it would tell a user of kubectl. */
  readonly warnings: readonly string[];
  readonly body: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

export class ApiServer {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly #port: number;
  readonly #children: readonly ChildProcess[];
  #said = "";

  private constructor(directory: string, port: number, children: readonly ChildProcess[]) {
    this.directory = directory;
    this.kubeconfig = join(directory, "kubeconfig");
    this.#port = port;
    this.#children = children;
    for (const child of children) child.stderr?.on("data", (bytes: Buffer) => (this.#said += bytes.toString()));
  }

  static async start(): Promise<ApiServer> {
    const directory = mkdtempSync(join(tmpdir(), "tenure-apiserver-"));
    const [port, clients, peers] = await Promise.all([freePort(), freePort(), freePort()]);
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = file("sa.key", privateKey.export({ type: "pkcs1", format: "pem" }).toString());
    const tokens = file("tokens.csv", `${TOKEN},admin,admin,system:masters\n`);
    const [etcdUrl, peerUrl] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`];
    const run = (program: "etcd" | "kube-apiserver", args: readonly string[]): ChildProcess =>
      spawn(pathOf(program), args, { stdio: ["ignore", "ignore", "pipe"] });
    const etcd = run("etcd", [
      `--data-dir=${join(directory, "etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
    ]);
    const api = run("kube-apiserver", [
      `--etcd-servers=${etcdUrl}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--cert-dir=${join(directory, "certificates")}`,
      "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      `--token-auth-file=${tokens}`,
      "--authorization-mode=RBAC",
    ]);
    const server = new ApiServer(directory, port, [api, etcd]);
    try {
      await server.#ready();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async #ready(): Promise<void> {
    const end = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const status = await this.ask("GET", "/readyz").then(
        (verdict) => verdict.status,
        () => 0,
      );
      if (status === 200) break;
      const hasEnded = this.#children.some(({ exitCode }) => exitCode !== null);
      if (hasEnded || performance.now() > end) throw new Error(`the API server does not start\n${this.#said}`);
      await delay(POLL_MS);
    }
    const cluster = {
      server: `https://127.0.0.1:${this.#port}`,
      "certificate-authority": join(this.directory, "certificates", "apiserver.crt"),
    };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "test", cluster }],
      users: [{ name: "admin", user: { token: TOKEN } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
      "current-context": "test",
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config), { mode: 0o600 });
  }

  async ask(method: string, path: string, body?: unknown): Promise<Verdict> {
    const ca = await readFile(join(this.directory, "certificates", "apiserver.crt"));
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.#port, method, path, headers, ca, agent: false } as const;
      const asked = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("end", () => {
          const { warning } = response.headers;
          resolve({ status: response.statusCode ?? 0, warnings: warning === undefined ? [] : [warning], body: text });
        });
      });
      asked.on("error", reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Creates it, or, as a dry run, does all but that. Unknown and double fields are faults. */
  create(object: KubeObject, namespace: string, { dryRun }: { readonly dryRun: boolean }): Promise<Verdict> {
    const query = `?fieldValidation=Strict${dryRun ? "&dryRun=All" : ""}`;
    return this.ask("POST", `${pathOfKind(object, namespace)}${query}`, object);
  }

  async stop(): Promise<void> {
    // The API server first: without its store it would only complain.
    for (const child of this.#children) {
      const ended = new Promise((resolve) => child.once("close", resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await ended;
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: "networkpolicies",
};
const CLUSTER_WIDE = new Set(["Namespace", "CustomResourceDefinition"]);

function pathOfKind({ apiVersion, kind }: KubeObject, namespace: string): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  return `${root}${CLUSTER_WIDE.has(kind) ? "" : `/namespaces/${namespace}`}/${plural}`;
}
