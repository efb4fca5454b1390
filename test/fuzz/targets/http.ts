/**
 * Raw bytes on a connection to the real lock API (src/api), over a fake application.
 *
 * Promises: whatever comes, the answers are HTTP with a known status, no answer is 500 and no fault of ours is
 * reported; none has a CORS header; and nothing is ordered by a request that does not name a loopback host.
 */
import { createConnection } from "node:net";
import { type LockApi, startLockApi } from "../../../src/api/lock-api.ts";
import { createFakeApplication } from "../../support/fake-application.ts";
import { bytesMutator, either } from "../engine/bytes.ts";
import { changeBody, END } from "../engine/http.ts";
import { require, type Target } from "../engine/target.ts";

const PARALLEL = 16;
/** What waits for longer, such as a long poll, is cut off; that is what the client of a long poll may do as well. */
const PATIENCE_MS = 250;
const HELD_MS = 1e9;
const STATUSES = new Set(["200", "400", "403", "404", "405", "408", "409", "413", "417", "431", "503"]);
// prettier-ignore
const TOKENS = [
  "GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "/leader", "/watch", "/cluster", "/history", "/resign", "/transfer",
  "/init", "/rescue", "/eligibility", "/", "?index=0&wait=1ms", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: localhost",
  "Host: evil.test", "http://evil.test/", "http://localhost/", "Origin: http://evil.test", "Content-Length: ",
  "Transfer-Encoding: chunked", "Content-Type: application/json", "Connection: keep-alive", "Connection: close",
  "Expect: 100-continue", "Upgrade: h2c", "\r\n", END, "0\r\n\r\n", '{"eligible":false}', '{"to":"app-2"}', "\0",
  "\n",
];

interface Slot {
  readonly api: LockApi;
  readonly faults: string[];
  /** Whether an order was given since the last call. */
  takeOrder(): Promise<boolean>;
  /** The last input was cut off: an order of it may still come. */
  isLate: boolean;
}

/** A server of its own for each input that is under way, so that an order is known to be of that input. */
async function openSlot(): Promise<Slot> {
  const application = createFakeApplication();
  application.hold(251_301_442_093_057, HELD_MS);
  const faults: string[] = [];
  let orders = 0;
  let seen = 0;
  const count = async (): Promise<void> => void (orders += 1);
  application.onResign(count);
  application.onTransfer(count);
  const api = await startLockApi({
    application,
    host: "127.0.0.1",
    port: 0,
    socketPath: null,
    onFault: (code, where, message) => faults.push(`${code} ${where} ${message}`),
  });
  return {
    api,
    faults,
    isLate: false,
    async takeOrder() {
      const all = orders + application.orders.length;
      const wasGiven = all > seen || !application.eligible();
      seen = all;
      await application.setEligible(true);
      return wasGiven;
    },
  };
}

interface Exchange {
  readonly text: string;
  readonly wasCut: boolean;
}

/** Everything that comes back until the server closes, or until patience runs out. */
function exchanged(port: number, input: Buffer): Promise<Exchange> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let wasCut = false;
    const socket = createConnection({ host: "127.0.0.1", port });
    const timer = setTimeout(() => {
      wasCut = true;
      socket.destroy();
    }, PATIENCE_MS);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve({ text: Buffer.concat(chunks).toString("latin1"), wasCut });
    });
    socket.end(input);
  });
}

/** The head of each answer in what came back. */
function headsOf(text: string): readonly string[] {
  const heads: string[] = [];
  let rest = text;
  while (rest.startsWith("HTTP/1.1 ")) {
    const end = rest.indexOf(END);
    if (end < 0) return heads;
    const head = rest.slice(0, end);
    heads.push(head);
    rest = rest.slice(end + END.length);
    // An answer to HEAD has the length of a body, and no body.
    if (!rest.startsWith("HTTP/1.1 ")) rest = rest.slice(Number(/^content-length: (\d+)/imu.exec(head)?.[1] ?? 0));
  }
  return heads;
}

function judged(text: string): string {
  const heads = headsOf(text);
  require(text === "" || heads.length > 0, "what comes back is HTTP");
  for (const head of heads) {
    const status = head.slice(9, 12);
    require(STATUSES.has(status), `a status is one of those that are documented, not ${status}`);
    require(!/^access-control/imu.test(head), "no answer has a CORS header");
    require(status !== "200" || /^cache-control: no-store\r?$/imu.test(head), "no answer may be kept");
  }
  return heads.map((head) => head.slice(9, 12)).join(" ");
}

export async function open(): Promise<Target> {
  const slots = await Promise.all(Array.from({ length: PARALLEL }, openSlot));
  const free = [...slots];
  const seed = (line: string, headers: readonly string[], body = ""): Buffer =>
    Buffer.from(`${[`${line} HTTP/1.1`, ...headers].join("\r\n")}${END}${body}`);
  const host = "Host: localhost:4040";
  const json = "Content-Type: application/json";
  return {
    covers: ["src/api/"],
    seeds: [
      seed("GET /leader", [host]),
      seed("HEAD /leader?index=0&wait=1ms", [host]),
      seed("POST /resign", [host, json, "Content-Length: 14"], '{"to":"app-2"}'),
      seed("PUT /eligibility", [host, json, "Content-Length: 18"], '{"eligible":false}'),
      seed("POST /rescue", [host, json, "Content-Length: 29"], '{"confirm":"a","lost":["b"]} '),
      seed("POST /transfer", [host, json, "Transfer-Encoding: chunked"], "2\r\n{}\r\n0\r\n\r\n"),
      seed("GET http://127.0.0.1/cluster", ["Host: evil.test", "Origin: http://localhost"]),
      Buffer.concat([seed("GET /history", [host]), seed("GET /", [host]), seed("GET /watch", [host])]),
      seed("POST /init", ["Host: evil.test", json, "Content-Length: 2"], "{}"),
    ],
    mutate: either([2, changeBody], [5, bytesMutator(TOKENS)]),
    parallel: PARALLEL,
    sample: 60,
    async run(input) {
      const slot = free.pop();
      require(slot !== undefined, "there are as many servers as inputs at once");
      try {
        const { text, wasCut } = await exchanged(slot.api.port, input);
        const answer = judged(text);
        require(slot.faults.length === 0, `nothing of it is a fault of ours: ${slot.faults.splice(0).join()}`);
        const wasGiven = await slot.takeOrder();
        const namesUs = /localhost|127\.|\[::1\]/iu.test(input.toString("latin1"));
        require(!wasGiven || namesUs || slot.isLate, "nothing is ordered without a loopback name");
        slot.isLate = wasCut;
        return `${answer}${wasGiven ? " ordered" : ""}`;
      } finally {
        free.push(slot);
      }
    },
    close: async () => void (await Promise.all(slots.map(({ api }) => api.close()))),
  };
}
