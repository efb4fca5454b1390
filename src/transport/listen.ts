/**
 * Binds a server to a port.
 *
 * Invariant: either the server listens and its port is returned, or `listen_failed` is thrown and it does not.
 *
 * Deliberately absent: retries. A port that is in use stays so; the pod's restart is the retry.
 */
import type { Server } from "node:net";
import { assert } from "../base/assert.ts";
import { messageOf, systemCodeOf, TenureError } from "../base/errors.ts";
import { PEER_BACKLOG } from "../base/limits.ts";

/** What machines without IPv6 say to a bind to "::". */
const NO_IPV6 = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL"]);

/** "::" takes IPv4 and IPv6, or IPv4 alone where there is no IPv6. `port` 0: any free one. Returns the port. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    return await bind(server, host, port);
  } catch (error) {
    if (host !== "::" || !NO_IPV6.has(systemCodeOf(error) ?? "")) throw listenFailed(host, port, error);
  }
  try {
    return await bind(server, "0.0.0.0", port);
  } catch (error) {
    throw listenFailed("0.0.0.0", port, error);
  }
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, ipv6Only: false, backlog: PEER_BACKLOG }, () => {
      server.off("error", reject);
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
