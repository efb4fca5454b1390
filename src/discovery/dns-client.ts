/**
 * Three kinds of DNS query, each with a plain outcome: records, none, or `discovery_failed`.
 *
 * Invariant: "there is no such record" (NXDOMAIN, NODATA) is an empty answer; everything else that is not an answer
 * is a failure. The two are never mixed up, because a silent server says nothing about who exists.
 *
 * Deliberately absent: a cache (c-ares is asked for none and keeps none), the hosts file and search domains: the
 * service is named in full.
 */
import { promises as dns, type SrvRecord } from "node:dns";
import { TenureError, messageOf, systemCodeOf } from "../base/errors.ts";
import { DNS_TIMEOUT_MS, DNS_TRIES } from "../base/limits.ts";

/** What the codes of c-ares mean to the person who reads the log. */
const MEANINGS = new Map([
  ["ETIMEOUT", "no answer in time"],
  ["ECONNREFUSED", "nothing listens there"],
  ["ESERVFAIL", "the server failed"],
  ["EREFUSED", "the server refused"],
  ["EBADRESP", "the answer makes no sense"],
  ["ECANCELLED", "cancelled, as discovery was closed"],
  ["EBADNAME", "not a name that DNS can hold"],
]);

export interface DnsClient {
  /** All SRV records of `name`, unsorted and unbounded: the caller filters first, so that no flood hides its own. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 addresses, then IPv6. One family that fails is forgiven when the other has an address. */
  addresses(host: string): Promise<readonly string[]>;
  /** Fails what is under way and everything after it. */
  close(): void;
}

/** `server` is `ip`, `ip:port` or `[ipv6]:port`; null takes the system's. */
export function createDnsClient(server: string | null): DnsClient {
  // c-ares looks at its timers once per timeout, so a try lasts between one and two of them: half keeps the bound.
  const tryTimeoutMs = DNS_TIMEOUT_MS / 2;
  const resolver = new dns.Resolver({ timeout: tryTimeoutMs, maxTimeout: tryTimeoutMs, tries: DNS_TRIES });
  if (server !== null) resolver.setServers([server]);
  let closed = false;

  async function ask<T>(what: string, query: () => Promise<readonly T[]>): Promise<readonly T[]> {
    if (closed) throw new TenureError("discovery_failed", `discovery is closed; ${what} was not asked for`);
    try {
      return await query();
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === "ENOTFOUND" || code === "ENODATA") return [];
      const from = server ?? resolver.getServers().join(", ");
      const message = `${what} from DNS server ${from}: ${failureOf(error)}`;
      throw new TenureError("discovery_failed", message, { cause: error });
    }
  }

  return {
    srv: (name) => ask(`SRV ${name}`, () => resolver.resolveSrv(name)),
    addresses: async (host) => {
      const [v4, v6] = await Promise.allSettled([
        ask(`A ${host}`, () => resolver.resolve4(host)),
        ask(`AAAA ${host}`, () => resolver.resolve6(host)),
      ]);
      const found = [...(v4.status === "fulfilled" ? v4.value : []), ...(v6.status === "fulfilled" ? v6.value : [])];
      if (found.length > 0) return found;
      if (v4.status === "rejected") throw v4.reason;
      if (v6.status === "rejected") throw v6.reason;
      return found;
    },
    close: () => {
      closed = true;
      resolver.cancel();
    },
  };
}

function failureOf(error: unknown): string {
  const code = systemCodeOf(error);
  const meaning = code === null ? undefined : MEANINGS.get(code);
  return meaning === undefined ? messageOf(error) : `${meaning} (${code})`;
}
