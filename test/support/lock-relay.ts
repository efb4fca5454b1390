/**
 * Stands between a worker and its sidecar's lock API, passes everything on, and notes what the worker is told.
 *
 * Invariant: an answer is noted before it is handed on. The relay's port stays while the sidecar's changes with each
 * start; a sidecar that is not there is a connection that breaks.
 *
 * Deliberately absent: faults of its own.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { ActingRecord } from "./acting-record.ts";
import type { Leader } from "./sidecar.ts";

const NS_PER_MS = 1_000_000;

export class LockRelay {
  readonly #worker: string;
  readonly #record: ActingRecord;
  readonly #apiPort: () => number;
  readonly #server: Server;

  private constructor(worker: string, record: ActingRecord, apiPort: () => number) {
    this.#worker = worker;
    this.#record = record;
    this.#apiPort = apiPort;
    this.#server = createServer((req, res) => this.#pass(req, res));
  }

  /** `apiPort` throws while the sidecar is not there. */
  static async start(worker: string, record: ActingRecord, apiPort: () => number): Promise<LockRelay> {
    const relay = new LockRelay(worker, record, apiPort);
    await new Promise<void>((resolve) => void relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the relay does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #pass(req: IncomingMessage, res: ServerResponse): void {
    const breakOff = (): void => {
      res.destroy();
    };
    let port: number;
    try {
      port = this.#apiPort();
    } catch {
      return breakOff();
    }
    const { method, url: path, headers } = req;
    const askedMs = nowMs();
    const upstream = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (answer) => {
      answer.on("error", breakOff);
      if (path === "/watch") this.#passEvents(answer, res);
      else this.#passWhole(answer, res, path ?? "", askedMs);
    });
    upstream.on("error", breakOff);
    res.on("close", () => upstream.destroy());
    req.pipe(upstream);
  }

  #passWhole(answer: IncomingMessage, res: ServerResponse, path: string, askedMs: number): void {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("end", () => {
      const body = Buffer.concat(chunks);
      const status = answer.statusCode ?? 0;
      if (path.startsWith("/leader")) this.#note(body.toString());
      if (path === "/resign") this.#record.resigned.push({ worker: this.#worker, atMs: askedMs, status });
      res.writeHead(status, answer.headers);
      res.end(body);
    });
  }

  #passEvents(answer: IncomingMessage, res: ServerResponse): void {
    res.writeHead(answer.statusCode ?? 0, answer.headers);
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("data: ")) this.#note(line.slice("data: ".length));
      res.write(chunk);
    });
    answer.on("end", () => res.end());
  }

  #note(text: string): void {
    const { isLeader, token, deadlineMonotonicNs } = JSON.parse(text) as Leader;
    const deadlineMs = deadlineMonotonicNs === null ? null : Number(deadlineMonotonicNs) / NS_PER_MS;
    this.#record.told.push({ worker: this.#worker, atMs: nowMs(), isLeader, token, deadlineMs });
  }
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS;
}
