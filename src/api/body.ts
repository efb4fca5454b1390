/**
 * Reads the JSON body of a request, with bounds.
 *
 * Invariant: at most MAX_BODY_BYTES are kept. What a client sends beyond them is thrown away as it comes, for at most
 * HTTP_REQUEST_TIMEOUT_MS, so that the client can read the refusal.
 *
 * A body of another content type than JSON is refused: web pages can send forms and plain text across sites, but not
 * JSON, without asking first (and nothing here answers such a question).
 *
 * Deliberately absent: compressed bodies, other charsets, and express.json(), whose character tables cost 3 MiB.
 */
import type { IncomingMessage } from "node:http";
import { TenureError } from "../base/errors.ts";
import { MAX_BODY_BYTES } from "../base/limits.ts";

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/**
 * The parsed body; undefined when there is none. Throws `body_too_large` or `body_not_json`. Never settles when the
 * client goes away: there is nobody left to answer.
 */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  const type = req.headers["content-type"];
  if (type !== undefined && !JSON_TYPE.test(type)) {
    req.resume();
    throw new TenureError("body_not_json", `Content-Type is ${JSON.stringify(type)}; allowed: application/json`);
  }
  const encoding = req.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    req.resume();
    throw new TenureError("body_not_json", `Content-Encoding is ${JSON.stringify(encoding)}; allowed: none`);
  }
  const bytes = await readBounded(req);
  if (bytes.length === 0) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new TenureError("body_not_json", "the body is not JSON in UTF-8");
  }
}

function readBounded(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => {
      req.off("data", keep);
      req.resume();
      reject(new TenureError("body_too_large", `the body is larger than ${MAX_BODY_BYTES} bytes`));
    };
    const chunks: Buffer[] = [];
    let length = 0;
    const keep = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) refuse();
      else chunks.push(chunk);
    };
    if (Number(req.headers["content-length"] ?? 0) > MAX_BODY_BYTES) {
      refuse();
      return;
    }
    req.on("data", keep);
    req.once("end", () => resolve(Buffer.concat(chunks)));
  });
}
