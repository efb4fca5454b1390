/**
 * HTTP as a client sees it: one request on a connection of its own, or bare bytes.
 *
 * Invariant: nothing is repaired or followed. What a test gets is what was on the wire.
 *
 * Deliberately absent: fetch, which may neither set Host nor keep a broken answer apart from a refused connection.
 */
import { once } from "node:events";
import { request, type IncomingHttpHeaders } from "node:http";
import { createConnection, type Socket } from "node:net";

export interface Ask {
  readonly port?: number;
  readonly socketPath?: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Rejects when the connection is refused or breaks before the answer is whole. */
export function ask({ port, socketPath, method = "GET", path, headers, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const where = socketPath === undefined ? { host: "127.0.0.1", port } : { socketPath };
    const req = request({ ...where, method, path, agent: false, headers: { ...headers } }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() });
      });
    });
    req.once("error", reject);
    req.end(body);
  });
}

/** The JSON of an answer, unchecked: a test compares it whole. */
export function json(answer: Answer): unknown {
  return JSON.parse(answer.text);
}

export interface Wire {
  readonly socket: Socket;
  /** All that came so far. */
  received(): string;
  /** Resolves with all that came, as soon as it matches. Rejects when the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that came, once the other end has closed. */
  ended(): Promise<string>;
}

/** A connection that sends just what it is given. */
export async function wire(port: number, send = ""): Promise<Wire> {
  const socket = createConnection(port, "127.0.0.1");
  let text = "";
  let isEnded = false;
  const look = new Set<() => void>();
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    for (const check of look) check();
  });
  socket.on("error", () => {}); // a reset is an end as well
  socket.once("close", () => {
    isEnded = true;
    for (const check of look) check();
  });
  await once(socket, "connect");
  socket.write(send);
  const wait = (isDone: () => boolean, isLost: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!isDone() && !isLost()) return;
        look.delete(check);
        if (isDone()) resolve(text);
        else reject(new Error(`the connection ended after ${JSON.stringify(text)}`));
      };
      look.add(check);
      check();
    });
  return {
    socket,
    received: () => text,
    until: (pattern) =>
      wait(
        () => pattern.test(text),
        () => isEnded,
      ),
    ended: () =>
      wait(
        () => isEnded,
        () => false,
      ),
  };
}

/** Resolves when `condition` holds; looks at every turn of the event loop. The test's timeout is the bound. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}
