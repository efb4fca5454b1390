/**
 * A group with an example worker beside each sidecar, and the store of examples/store that they write to.
 *
 * Invariant: everything that workers hear and do passes through here and is on the record.
 *
 * Deliberately absent: an order of events; the test decides.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { join } from "node:path";
import { FencedFile } from "../../examples/store/fenced-file.ts";
import { createStore } from "../../examples/store/http-store.ts";
import { ActingRecord, type Wrote } from "./acting-record.ts";
import { ExampleWorker } from "./example-worker.ts";
import type { LocalGroup } from "./local-group.ts";
import { LockRelay } from "./lock-relay.ts";
import { monotonicMs } from "./process-test.ts";
import type { Sidecar } from "./sidecar.ts";

/** Writes that show that a worker is at work, and not only beginning. */
const WRITES = 3;

export class ExampleStage {
  readonly record = new ActingRecord();
  readonly group: LocalGroup;
  readonly #command: readonly string[];
  readonly #file: FencedFile;
  readonly #workers = new Map<string, ExampleWorker>();
  readonly #relays = new Map<string, LockRelay>();
  readonly #server: Server;
  /** Writes of this worker get no answer. */
  #held: string | null = null;

  private constructor(group: LocalGroup, command: readonly string[]) {
    this.group = group;
    this.#command = command;
    const file = new FencedFile(join(group.directory, "fenced.json"));
    this.#file = file;
    this.#server = createStore({ read: () => file.read(), write: (token, value) => this.#write(token, value) });
    this.#server.prependListener("request", (req: IncomingMessage, res: ServerResponse) => {
      res.once("close", () => this.#ended(req.url?.slice(1) ?? ""));
    });
  }

  static async start(group: LocalGroup, command: readonly string[]): Promise<ExampleStage> {
    const stage = new ExampleStage(group, command);
    await new Promise<void>((resolve) => void stage.#server.listen(0, "127.0.0.1", resolve));
    for (const name of group.names) {
      stage.#relays.set(name, await LockRelay.start(name, stage.record, () => group.member(name).ports.api));
      stage.startWorker(name);
    }
    return stage;
  }

  startWorker(name: string): void {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the store does not listen");
    const tenureUrl = this.#relays.get(name)?.url ?? "";
    const storeUrl = `http://127.0.0.1:${address.port}/${name}`;
    const worker = new ExampleWorker(name, this.#command, { TENURE_URL: tenureUrl, STORE_URL: storeUrl });
    this.#workers.set(name, worker);
  }

  worker(name: string): ExampleWorker {
    const worker = this.#workers.get(name);
    if (worker === undefined) throw new Error(`no worker of ${name} was started`);
    return worker;
  }

  /** Waits until a worker is at work with a token above `token`. */
  async acting(token: number): Promise<{ readonly holder: Sidecar; readonly token: number }> {
    const last = await this.group.until(`a worker at work with a token above ${token}`, () => {
      const newer = this.record.wrote.filter((write) => write.token > token);
      return newer.length >= WRITES ? (newer.at(-1) ?? null) : null;
    });
    return { holder: this.group.member(last.worker), token: last.token };
  }

  /** Waits for a next write of this worker, which hangs. */
  hold(worker: string): Promise<Wrote> {
    this.#held = worker;
    const known = this.record.wrote.length;
    return this.group.until(`a write of ${worker} that hangs`, () => {
      const fresh = this.record.wrote.slice(known);
      return fresh.find((write) => write.worker === worker && write.endedMs === null) ?? null;
    });
  }

  letGo(): void {
    this.#held = null;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  /** What the workers printed, for a person. */
  logs(): string {
    return [...this.#workers.values()].map(({ name, output }) => `--- worker of ${name}\n${output}`).join("\n");
  }

  #write(token: number, value: string): boolean | Promise<boolean> {
    const [worker = ""] = value.split(" ");
    this.record.wrote.push({ worker, token, atMs: monotonicMs(), endedMs: null });
    // A write that is held gets no answer; it ends when the worker gives it up.
    return worker === this.#held ? new Promise(() => {}) : this.#file.write(token, value);
  }

  /** A worker has one write under way at most. */
  #ended(worker: string): void {
    const open = this.record.wrote.findLast((write) => write.worker === worker);
    if (open !== undefined) open.endedMs ??= monotonicMs();
  }
}
