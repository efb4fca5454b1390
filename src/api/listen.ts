/**
 * Opens and closes the ports of the lock API: TCP, and a Unix socket when asked for.
 *
 * Invariant: a socket path is taken over only when it is a socket that nobody listens on: the leftover of a process
 * that was killed.
 *
 * Deliberately absent: retries. A port that another process has is a fault of the set-up, said at once.
 */
import { lstat, unlink } from "node:fs/promises";
import type { Server } from "node:http";
import { type ListenOptions, type Socket, createConnection } from "node:net";
import { messageOf, systemCodeOf, TenureError } from "../base/errors.ts";

/** How often a closing server looks for connections that became idle: their answers are out. */
const CLOSE_STEP_MS = 10;

/** Listens, and returns the port (0 for a Unix socket). Throws `listen_failed`. */
export async function listen(server: Server, where: { readonly host: string; readonly port: number }): Promise<number> {
  await open(server, where, `${where.host}:${where.port}`);
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Listens on a Unix socket that every user of the pod may use, as with the TCP port. Throws `listen_failed`. */
export async function listenSocket(server: Server, path: string): Promise<void> {
  if (await isLeftover(path)) await unlink(path);
  await open(server, { path, readableAll: true, writableAll: true }, path);
}

function open(server: Server, options: ListenOptions, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      reject(new TenureError("listen_failed", `cannot listen on ${where}: ${messageOf(error)}`, { cause: error }));
    };
    server.once("error", refuse);
    server.listen(options, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

async function isLeftover(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket()) return false;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return false;
    throw new TenureError("listen_failed", `cannot listen on ${path}: ${messageOf(error)}`, { cause: error });
  }
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error) => resolve(systemCodeOf(error) === "ECONNREFUSED"));
  });
}

/** Connections on which no whole request has come yet; `closeIdleConnections` counts them as busy. */
export function silentConnections(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on("connection", (socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }) => silent.delete(socket));
  return silent;
}

/** Takes no more connections, lets answers under way go out for up to `graceMs`, then cuts what is left. */
export function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), CLOSE_STEP_MS);
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(cut);
      resolve();
    });
  });
}
