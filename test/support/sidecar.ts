/**
 * One real sidecar process: dist/main.js with its own data directory, and what a test asks of it.
 *
 * Invariant: everything started here is stopped by `stop` or at the latest when this process ends; ports are free ones
 * that the sidecar reports itself.
 *
 * Deliberately absent: any test framework: the demo and the benchmarks use this file too.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { request, Agent } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

export const MAIN = join(import.meta.dirname, "..", "..", "dist", "main.js");

export interface Leader {
  readonly isLeader: boolean;
  readonly name: string | null;
  readonly self: string;
  readonly group: string;
  readonly token: number | null;
  readonly term: number;
  readonly remainingMs: number;
  readonly deadlineMonotonicNs: string | null;
  readonly reason: string;
  readonly index: number;
}

export interface Ports {
  readonly api: number;
  readonly ops: number;
  readonly peers: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface AskOptions {
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface LogLine {
  readonly event?: string;
  readonly level?: number | string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** How many log lines are kept for messages of failed tests. */
const KEPT_LINES = 2_000;
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export class Sidecar {
  readonly name: string;
  readonly child: ChildProcess;
  readonly log: LogLine[] = [];
  readonly exited: Promise<Exit>;
  stderr = "";
  #ports: Ports | null = null;
  readonly #agent = new Agent({ keepAlive: true });
  #onLine: (() => void)[] = [];
  readonly #followers: ((line: LogLine) => void)[] = [];

  constructor(
    name: string,
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
    command: readonly string[] = [],
    main: string = MAIN,
  ) {
    this.name = name;
    const [program = process.execPath, ...rest] = [...command, process.execPath, main, ...args];
    const own = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("TENURE_")));
    this.child = spawn(program, rest, { env: { ...own, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    children.add(this.child);
    this.exited = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        children.delete(this.child);
        this.#agent.destroy();
        resolve({ code, signal });
        this.#wake();
      });
    });
    const { stdout } = this.child;
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.#read(line));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get ports(): Ports {
    if (this.#ports === null) throw new Error(`${this.name} has not reported its ports; stderr: ${this.stderr}`);
    return this.#ports;
  }

  /** Resolves once it listens; rejects if it ends before. */
  async listening(): Promise<Ports> {
    await this.logged((line) => line.event === "listening");
    return this.ports;
  }

  /** The first log line, past or future, that fits; rejects if the process ends without one. */
  async logged(fits: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.log.find(fits);
      if (found !== undefined) return found;
      if (!this.running) throw new Error(`${this.name} ended; stderr: ${this.stderr}\n${this.tail()}`);
      await new Promise<void>((resolve) => this.#onLine.push(resolve));
    }
  }

  /** Every log line, those of before first. */
  follow(follower: (line: LogLine) => void): void {
    for (const line of this.log) follower(line);
    this.#followers.push(follower);
  }

  async leader(): Promise<Leader> {
    const answer = await this.ask("GET", "/leader");
    return JSON.parse(answer.text) as Leader;
  }

  ask(method: string, path: string, options: AskOptions = {}): Promise<Answer> {
    return this.#http(this.ports.api, method, path, options);
  }

  ops(path: string, options: AskOptions = {}): Promise<Answer> {
    return this.#http(this.ports.ops, "GET", path, options);
  }

  /** The value of a metric line, such as `tenure_faults_total{code="peer_group"}`; null when there is no such line. */
  async metric(line: string): Promise<number | null> {
    const { text } = await this.ops("/metrics");
    const found = text.split("\n").find((row) => row.startsWith(`${line} `));
    return found === undefined ? null : Number(found.slice(line.length + 1).split(" ")[0]);
  }

  /** How often this fault was counted. */
  async faults(code: string): Promise<number> {
    return (await this.metric(`tenure_faults_total{code="${code}"}`)) ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGSTOP; resolves once the kernel has stopped the process. */
  async pause(): Promise<void> {
    this.kill("SIGSTOP");
    for (;;) {
      const stat = await readFile(`/proc/${this.child.pid}/stat`, "utf8");
      // The state follows the name, which may hold anything but ends at the last parenthesis (proc_pid_stat(5)).
      if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("T")) return;
      await delay(1);
    }
  }

  resume(): void {
    this.kill("SIGCONT");
  }

  /** kill -9; resolves once it is gone. */
  async crash(): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }

  /** What the process has in memory now, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
  }

  async stop(): Promise<void> {
    this.child.kill("SIGCONT");
    this.child.kill("SIGKILL");
    await this.exited;
  }

  tail(): string {
    return this.log
      .slice(-20)
      .map((line) => JSON.stringify(line))
      .join("\n");
  }

  #read(text: string): void {
    try {
      const line = JSON.parse(text) as LogLine;
      this.log.push(line);
      if (this.log.length > KEPT_LINES) this.log.shift();
      for (const follow of this.#followers) follow(line);
      if (line.event === "listening") {
        this.#ports = { api: Number(line["api"]), ops: Number(line["ops"]), peers: Number(line["peers"]) };
      }
    } catch {
      this.stderr += `not JSON on stdout: ${text}\n`;
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#onLine;
    this.#onLine = [];
    for (const wake of waiting) wake();
  }

  #http(port: number, method: string, path: string, { body, headers = {}, signal }: AskOptions): Promise<Answer> {
    const payload = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
    const sent = payload === null ? headers : { "content-type": "application/json", ...headers };
    return new Promise((resolve, reject) => {
      const req = request({
        host: "127.0.0.1",
        port,
        method,
        path,
        headers: sent,
        agent: this.#agent,
        ...(signal === undefined ? {} : { signal }),
      });
      req.setTimeout(60_000, () => req.destroy(new Error(`${this.name} ${path}: no answer in 60 s`)));
      req.once("error", reject);
      req.once("response", (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.once("error", reject);
        res.once("end", () => {
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString("utf8") });
        });
      });
      req.end(payload ?? undefined);
    });
  }
}
