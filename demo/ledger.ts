/**
 * The shared resource: an append-only ledger on loopback that knows one rule, the fence. A write with a token below the
 * highest it has seen is refused.
 *
 * Invariant: the highest token never falls; each accepted write is one line of the file, in the order of acceptance.
 *
 * Deliberately absent: any knowledge of leases or sidecars. A resource needs to understand tokens and nothing else.
 */
import { createWriteStream, type WriteStream } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as v from "valibot";
import type { Attempt, Entry, Refusal, Stop } from "./evidence.ts";
import { machineMs } from "./machine-clock.ts";

const MAX_BODY_BYTES = 4_096;

const instant = v.pipe(v.number(), v.finite());
const common = {
  worker: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  token: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
};
const attemptSchema = v.object({ ...common, decidedAtMs: instant, fromMs: instant, untilMs: instant });
const stopSchema = v.object({ ...common, atMs: instant });

export interface LedgerEvents {
  written(entry: Entry): void;
  stopped(stop: Stop): void;
}

export class Ledger {
  readonly #events: LedgerEvents;
  readonly #file: WriteStream;
  readonly #server: Server;
  readonly refusals = new Map<Refusal, number>();
  #highest = 0;
  #length = 0;

  private constructor(path: string, events: LedgerEvents) {
    this.#events = events;
    this.#file = createWriteStream(path, { flags: "a" });
    this.#server = createServer((req, res) => void this.#serve(req, res));
  }

  /** Listens at a free port of 127.0.0.1 and appends to the file at `path`. */
  static async open(path: string, events: LedgerEvents): Promise<Ledger> {
    const ledger = new Ledger(path, events);
    await new Promise<void>((resolve, reject) => {
      ledger.#server.once("error", reject);
      ledger.#file.once("error", reject);
      ledger.#server.listen(0, "127.0.0.1", resolve);
    });
    return ledger;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the ledger does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  get highestToken(): number {
    return this.#highest;
  }

  /** Writes accepted so far. */
  get length(): number {
    return this.#length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => void this.#file.end(() => resolve()));
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const body = await readJson(req);
      const { url } = req;
      if (req.method !== "POST" || (url !== "/entries" && url !== "/stops")) return answer(res, 404, {});
      if (url === "/entries") this.#append(body, res);
      else this.#stop(body, res);
    } catch {
      // The worker is gone in the middle of its request: there is nobody to answer.
      res.destroy();
    }
  }

  #append(body: unknown, res: ServerResponse): void {
    const parsed = v.safeParse(attemptSchema, body);
    if (!parsed.success) return this.#refuse("not a write", null, res);
    const attempt = parsed.output;
    if (attempt.token < this.#highest) return this.#refuse("stale token", attempt, res);
    this.#highest = attempt.token;
    this.#length += 1;
    const entry: Entry = { ...attempt, atMs: machineMs(), refusal: null };
    this.#file.write(`${JSON.stringify({ position: this.#length, ...entry })}\n`);
    this.#events.written(entry);
    answer(res, 201, { position: this.#length });
  }

  #refuse(refusal: Refusal, attempt: Attempt | null, res: ServerResponse): void {
    this.refusals.set(refusal, (this.refusals.get(refusal) ?? 0) + 1);
    if (attempt !== null) this.#events.written({ ...attempt, atMs: machineMs(), refusal });
    answer(res, attempt === null ? 400 : 409, { refusal, highestToken: this.#highest });
  }

  #stop(body: unknown, res: ServerResponse): void {
    const parsed = v.safeParse(stopSchema, body);
    if (!parsed.success) return answer(res, 400, {});
    this.#events.stopped(parsed.output);
    answer(res, 200, {});
  }
}

/** Undefined for what is too long or no JSON: it fails the schemas like everything else that is no write. */
async function readJson(req: IncomingMessage): Promise<unknown> {
  let text = "";
  req.setEncoding("utf8");
  for await (const chunk of req) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function answer(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(JSON.stringify(body));
}
