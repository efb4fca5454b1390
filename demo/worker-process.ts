/**
 * A worker as the demo sees it: a child process that can be ordered, stopped and killed.
 *
 * Invariant: no worker outlives the demo, whatever ends it.
 *
 * Deliberately absent: restarts; see pod.ts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Order, Report } from "./worker-talk.ts";

const SCRIPT = join(import.meta.dirname, "worker.ts");

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export interface WorkerOptions {
  readonly name: string;
  /** Of the pod's own sidecar. */
  readonly apiPort: number;
  readonly ledgerUrl: string;
  readonly reported: (report: Report) => void;
  readonly ended: (worker: WorkerProcess) => void;
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<void>;
  stderr = "";

  constructor({ name, apiPort, ledgerUrl, reported, ended }: WorkerOptions) {
    const env = { ...process.env, NAME: name, LOCK_API: `http://127.0.0.1:${apiPort}`, LEDGER: ledgerUrl };
    const child = spawn(process.execPath, [SCRIPT], { env, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child = child;
    children.add(child);
    // The other end is worker.ts, which sends nothing but reports.
    child.on("message", (report) => reported(report as Report));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    // An order to a worker that has just ended is lost, which is no fault.
    child.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      child.once("exit", () => {
        children.delete(child);
        resolve();
        ended(this);
      });
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  order(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Leaves it to itself, as the end of the demo's process does. */
  disconnect(): void {
    this.#child.disconnect();
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}
