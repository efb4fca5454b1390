/**
 * A resource that checks the token, over HTTP: one value that only the newest holder may replace.
 *
 *   PUT / with the header Fencing-Token    204 written; 409 a later holder was here; 428 no token
 *   GET /                                  the value, with the token that wrote it
 *
 * Run it: node examples/store/http-store.ts. HOST (default 127.0.0.1), PORT (default 8080), FILE (default
 * ./fenced.json).
 *
 * Invariant: whether a write is taken depends on its token and on nothing else: not on who sends it, not on a lease,
 * not on a clock.
 *
 * Deliberately absent: users and TLS. Put it behind what your other services have.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { FencedFile, type Fenced } from "./fenced-file.ts";

const MAX_BODY_BYTES = 65_536;
/** A token is an integer from 1 to 2^53 - 1, in decimal digits. */
const TOKEN = /^[1-9]\d{0,15}$/;

/** What the server needs of a store. */
export interface TokenStore {
  read(): Fenced;
  /** False: refused. May take its time. */
  write(token: number, value: string): boolean | Promise<boolean>;
}

export function createStore(store: TokenStore): Server {
  return createServer((req, res) => {
    serve(store, req, res).catch((error: unknown) => {
      // A store that failed does not know what it has: the process ends, and reads it again at its next start.
      process.nextTick(() => {
        throw error;
      });
    });
  });
}

async function serve(store: TokenStore, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method === "GET") {
    const { token, value } = store.read();
    res.setHeader("Fencing-Token", token);
    return answer(res, 200, value);
  }
  if (req.method !== "PUT") return answer(res, 405, "GET and PUT only\n");
  const given = req.headers["fencing-token"];
  const token = typeof given === "string" && TOKEN.test(given) ? Number(given) : Number.NaN;
  if (!Number.isSafeInteger(token)) return answer(res, 428, "a write needs the header Fencing-Token\n");
  const value = await readText(req);
  if (value === null) return answer(res, 413, "the value is too long\n");
  if (await store.write(token, value)) return answer(res, 204, "");
  return answer(res, 409, `token ${token} is stale: ${store.read().token} was here\n`);
}

/** Null: too long, or cut off on the way. */
async function readText(req: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of req) {
      const part = Buffer.from(chunk as Uint8Array);
      bytes += part.length;
      if (bytes > MAX_BODY_BYTES) return null;
      chunks.push(part);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString();
}

function answer(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  res.end(text);
}

if (import.meta.main) {
  const { HOST = "127.0.0.1", PORT = "8080", FILE = "fenced.json" } = process.env;
  createStore(new FencedFile(FILE)).listen(Number(PORT), HOST, () => {
    console.log(`http://${HOST}:${PORT}/ writes to ${FILE}`);
  });
}
