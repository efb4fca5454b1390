/**
 * Binds a server to a port.
 *
 * Invariant: either the server listens and its port is returned, or `listen_failed` is thrown and it does not.
 *
 * Deliberately absent: retries. A port that is in use stays so; the pod's restart is the retry.
 */
import type { Server } from "node:net";
import { bindAny } from "../base/any-address.ts";
import { assert } from "../base/assert.ts";
import { messageOf, systemCodeOf, TenureError } from "../base/errors.ts";
import { PEER_BACKLOG } from "../base/limits.ts";

/** "::" takes IPv4 and IPv6, or IPv4 alone where there is no IPv6. `port` 0: any free one. Returns the port. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return bindAny(host, (address) => bind(server, address, port));
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => reject(listenFailed(host, port, error));
    server.once("error", refuse);
    server.listen({ host, port, ipv6Only: false, backlog: PEER_BACKLOG }, () => {
      server.off("error", refuse);
      const address = server.address();
      assert(address !== null && typeof address === "object", "a server on a port has an address and a port");
      resolve(address.port);
    });
  });
}

function listenFailed(host: string, port: number, cause: unknown): TenureError {
  const why = systemCodeOf(cause) ?? messageOf(cause);
  return new TenureError("listen_failed", `the peer port ${host}:${port} cannot be listened on (${why})`, { cause });
}
