/**
 * The workers of examples/ against real sidecars: each acts while its sidecar says so and stops in time, through a
 * drain, its own end, a crash of its sidecar, and a step that outlasts its deadline.
 */
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFailed, onTestFinished } from "vitest";
import { createStore } from "../../examples/store/http-store.ts";
import { ActingRecord } from "../support/acting-record.ts";
import { ExampleWorker, LANGUAGES, type Language, missingProgram } from "../support/example-worker.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { LockRelay } from "../support/lock-relay.ts";
import { LEASE_MS, monotonicMs, startGroup } from "../support/process-test.ts";
import type { Sidecar } from "../support/sidecar.ts";

/** What sockets and two busy cores may add to an instant: far less than a worker that goes on would show. */
const SLACK_MS = LEASE_MS / 4;
/** A drain that nobody confirms lasts this long, 10 s by default. A confirmed one is over in a twentieth. */
const CONFIRMED_WITHIN_MS = 5 * LEASE_MS;

class Stage {
  readonly record = new ActingRecord();
  readonly group: LocalGroup;
  readonly #command: readonly string[];
  readonly #workers = new Map<string, ExampleWorker>();
  readonly #relays = new Map<string, LockRelay>();
  #store: Server | null = null;
  #highest = 0;
  /** Writes of this worker get no answer. */
  #held: string | null = null;

  constructor(group: LocalGroup, command: readonly string[]) {
    this.group = group;
    this.#command = command;
  }

  async start(): Promise<void> {
    const store = createStore({ now: { token: 0, value: "" }, write: (token, value) => this.#write(token, value) });
    this.#store = store;
    store.prependListener("request", (_req, res) => {
      res.once("close", () => {
        const open = this.record.wrote.find(({ endedMs }) => endedMs === null);
        if (open !== undefined) open.endedMs = monotonicMs();
      });
    });
    await new Promise<void>((resolve) => void store.listen(0, "127.0.0.1", resolve));
    for (const name of this.group.names) {
      const relay = await LockRelay.start(name, this.record, () => this.group.member(name).ports.api);
      this.#relays.set(name, relay);
      this.startWorker(name);
    }
  }

  startWorker(name: string): void {
    const address = this.#store?.address();
    if (address === null || typeof address !== "object") throw new Error("the store does not listen");
    const env = {
      TENURE_URL: this.#relays.get(name)?.url ?? "",
      STORE_URL: `http://127.0.0.1:${address.port}/`,
    };
    this.#workers.set(name, new ExampleWorker(name, this.#command, env));
  }

  worker(name: string): ExampleWorker {
    const worker = this.#workers.get(name);
    if (worker === undefined) throw new Error(`no worker of ${name} was started`);
    return worker;
  }

  /** Waits for writes of a holder with a token above `token`, and returns that holder with its token. */
  async acting(token: number): Promise<{ readonly holder: Sidecar; readonly token: number }> {
    const last = await this.group.until("a next holder's worker to write", () => {
      const newer = this.record.wrote.filter((write) => write.token > token);
      return newer.length >= 3 ? (newer.at(-1) ?? null) : null;
    });
    return { holder: this.group.member(last.worker), token: last.token };
  }

  /** Waits for a write of this worker that gets no answer, from now on. */
  async hold(worker: string): Promise<(typeof this.record.wrote)[number]> {
    this.#held = worker;
    return this.group.until("a write that hangs", () => {
      const last = this.record.wrote.at(-1);
      return last?.worker === worker && last.endedMs === null && this.#hanging > 0 ? last : null;
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
    this.#store?.closeAllConnections();
    await new Promise<void>((resolve) => void this.#store?.close(() => resolve()));
  }

  logs(): string {
    return [...this.#workers.values()].map(({ name, output }) => `--- worker of ${name}\n${output}`).join("\n");
  }

  #hanging = 0;

  #write(token: number, value: string): boolean | Promise<boolean> {
    const [worker = ""] = value.split(" ");
    this.record.wrote.push({ worker, token, atMs: monotonicMs(), endedMs: null });
    if (worker === this.#held) {
      this.#hanging += 1;
      return new Promise(() => {}); // until the worker gives up
    }
    const isAccepted = token >= this.#highest;
    this.#highest = Math.max(this.#highest, token);
    return isAccepted;
  }
}
