/**
 * What `GET /leader` costs over a bare node:http server.
 *
 *     node bench/leader-throughput.ts [rounds]
 *
 * Two servers in processes of their own: the lock API over a fake application, and a node:http server that answers a
 * fixed JSON of the same size. One client asks them in turns over kept-alive connections, one request at a time on
 * each, so that both see the same machine, and prints the median of the rounds' ratios.
 *
 * Deliberately absent: the cost of a real node's `leader()`. It is a few clock readings; bench/main.ts measures it.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createConnection, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { startLockApi } from "../src/api/lock-api.ts";
import { createFakeApplication, type FakeApplication } from "../test/support/fake-application.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = 16;
const ROUND_MS = 700;
const WARM_UP_MS = 1_000;
const TOKEN = 251_301_442_093_057;
const SELF = fileURLToPath(import.meta.url);

export interface LeaderThroughput {
  /** Requests per second, medians over the rounds. */
  readonly tenure: number;
  readonly bare: number;
  /** Median over the rounds of tenure's requests per second as a part of the bare server's. */
  readonly ratio: number;
}

/** The lock API over a fake application. Takes about `rounds` * 1.5 s. */
export async function measureLeaderThroughput(rounds: number): Promise<LeaderThroughput> {
  const tenure = await startServer("tenure");
  try {
    return await measureServers(tenure.port, rounds);
  } finally {
    tenure.child.disconnect();
  }
}

/** Whatever listens on `port`, such as a real sidecar, in turns with a bare server. Takes about `rounds` * 1.5 s. */
export async function measureServers(port: number, rounds: number): Promise<LeaderThroughput> {
  const bare = await startServer("bare");
  try {
    await load(port, WARM_UP_MS);
    await load(bare.port, WARM_UP_MS);
    const results: { tenure: number; bare: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [first, second] = round % 2 === 0 ? [port, bare.port] : [bare.port, port];
      const firstRate = await load(first, ROUND_MS);
      const secondRate = await load(second, ROUND_MS);
      results.push(first === port ? { tenure: firstRate, bare: secondRate } : { tenure: secondRate, bare: firstRate });
    }
    return {
      tenure: median(results.map((result) => result.tenure)),
      bare: median(results.map((result) => result.bare)),
      ratio: median(results.map((result) => result.tenure / result.bare)),
    };
  } finally {
    bare.child.disconnect();
  }
}

async function startServer(kind: "tenure" | "bare"): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(SELF, ["serve", kind]);
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

/** Requests per second that the server on `port` answered. */
async function load(port: number, durationMs: number): Promise<number> {
  const sockets = Array.from({ length: CONNECTIONS }, () => createConnection(port, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  let answers = 0;
  const startMs = performance.now();
  for (const socket of sockets) {
    askAgainAndAgain(socket, port, () => {
      answers += 1;
    });
  }
  await new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
  const rate = (answers * 1_000) / (performance.now() - startMs);
  for (const socket of sockets) socket.destroy();
  return rate;
}

/** An answer is small enough to come in one piece; anything else would show as a stall, not as a wrong count. */
function askAgainAndAgain(socket: Socket, port: number, answered: () => void): void {
  const request = Buffer.from(`GET /leader HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  socket.setNoDelay(true);
  socket.on("data", (bytes) => {
    if (bytes[bytes.length - 1] !== 0x7d) return;
    answered();
    socket.write(request);
  });
  socket.write(request);
}

async function serve(kind: string): Promise<void> {
  const application = createFakeApplication();
  application.hold(TOKEN, 3_600_000);
  const port = kind === "tenure" ? await serveTenure(application) : await serveBare(application);
  process.send?.(port);
  process.once("disconnect", () => process.exit(0));
}

async function serveTenure(application: FakeApplication): Promise<number> {
  const api = await startLockApi({ application, host: "127.0.0.1", port: 0, socketPath: null, onFault: () => {} });
  return api.port;
}

async function serveBare(application: FakeApplication): Promise<number> {
  const body = JSON.stringify(application.leader());
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const server = createServer((_req, res) => {
    res.writeHead(200, headers);
    res.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

if (process.argv[1] === SELF) {
  if (process.argv[2] === "serve") {
    await serve(process.argv[3] ?? "");
  } else {
    const { tenure, bare, ratio } = await measureLeaderThroughput(Number(process.argv[2] ?? 11));
    console.log(
      `GET /leader: ${tenure.toFixed(0)} requests/s; bare node:http: ${bare.toFixed(0)}; ratio ${ratio.toFixed(3)}`,
    );
  }
}
