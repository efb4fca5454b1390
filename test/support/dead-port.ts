/**
 * A port on loopback that behaves like a dead host: the kernel does not even answer a connection.
 *
 * Invariant: while it is open, a connection to it neither succeeds nor fails.
 *
 * Deliberately absent: addresses that lead nowhere. They leave the machine, and some networks answer for them.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Worker } from "node:worker_threads";

/** Listens with the shortest queue, then never runs again, so that the queue stays full. */
const STUCK = `
  const { workerData, parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer();
  server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(workerData), 0, 0);
  });
`;

export async function deadPort(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const worker = new Worker(STUCK, { eval: true, workerData: new SharedArrayBuffer(4) });
  const port = await new Promise<number>((resolve) => {
    worker.once("message", (value) => resolve(Number(value)));
  });
  const fillers: Socket[] = [];
  // Connections succeed until the queue is full; the first that does not shows that it is.
  for (let isFull = false; !isFull;) {
    const filler = connect({ host: "127.0.0.1", port });
    filler.on("error", () => undefined);
    fillers.push(filler);
    isFull = await Promise.race([
      new Promise<boolean>((resolve) => filler.once("connect", () => resolve(false))),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 200)),
    ]);
  }
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
