/**
 * A real Prometheus on loopback: Debian's package, started for the pictures and asked over its HTTP API.
 *
 * Invariant: it ends when `stop` resolves, and what it has collected stays in its directory.
 *
 * Deliberately absent: an installation. Without the program `start` fails and says what is missing.
 */
import { spawn } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";

export const SCRAPE_SECONDS = 5;
/** What a monitor of the chart adds, beside the pod. */
const LABELS = { namespace: "default", group: "app" };
const START_LIMIT_MS = 30_000;

export interface Target {
  readonly pod: string;
  readonly port: number;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds since the epoch, and the value as text. */
  readonly values: readonly (readonly [number, string])[];
}

export interface Range {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
}

export class Prometheus {
  readonly #directory: string;
  readonly #url: string;
  readonly #child: ReturnType<typeof spawn>;
  readonly #ended: Promise<void>;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#url = `http://127.0.0.1:${port}`;
    this.#child = spawn(
      "prometheus",
      [
        `--config.file=${join(directory, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(directory, "data")}`,
        "--storage.tsdb.retention.time=10y",
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=warn",
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", reject);
    });
  }

  /** @param rulesFile absolute path of rules to evaluate, or null to read what is there and collect nothing */
  static async start(directory: string, rulesFile: string | null): Promise<Prometheus> {
    mkdirSync(directory, { recursive: true });
    const every = `${SCRAPE_SECONDS}s`;
    const files = [join(directory, "targets.json")];
    const scraping = { scrape_configs: [{ job_name: "tenure", file_sd_configs: [{ files, refresh_interval: "1s" }] }] };
    const config = {
      global: { scrape_interval: every, scrape_timeout: "2s", evaluation_interval: every },
      ...(rulesFile === null ? {} : { ...scraping, rule_files: [rulesFile] }),
    };
    writeFileSync(join(directory, "prometheus.yml"), stringify(config));
    const prometheus = new Prometheus(directory, await freePort());
    await Promise.race([prometheus.#ready(), prometheus.#ended]);
    return prometheus;
  }

  /** The pods to scrape from now on. */
  watch(targets: readonly Target[]): void {
    const rows = targets.map(({ pod, port }) => ({
      targets: [`127.0.0.1:${port}`],
      labels: { ...LABELS, pod },
    }));
    // In one step: Prometheus reads the file whenever it changes.
    const path = join(this.#directory, "targets.json");
    writeFileSync(`${path}.tmp`, JSON.stringify(rows));
    renameSync(`${path}.tmp`, path);
  }

  async queryRange(query: string, { startSeconds, endSeconds, stepSeconds }: Range): Promise<readonly Series[]> {
    const body = new URLSearchParams({
      query,
      start: String(startSeconds),
      end: String(endSeconds),
      step: String(stepSeconds),
    });
    const response = await fetch(`${this.#url}/api/v1/query_range`, { method: "POST", body });
    const answer = (await response.json()) as { status: string; error?: string; data: { result: Series[] } };
    if (answer.status !== "success") throw new Error(`${query}: ${answer.error ?? response.status}`);
    return answer.data.result;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  async #ready(): Promise<void> {
    const endMs = performance.now() + START_LIMIT_MS;
    for (;;) {
      const answer = await fetch(`${this.#url}/-/ready`).catch(() => null);
      if (answer?.ok === true) return;
      if (performance.now() > endMs) throw new Error("Prometheus did not become ready");
      await delay(100);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
