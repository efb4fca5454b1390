/**
 * The discovery port without a network: a table of addresses that a test fills.
 *
 * Invariant: keeps every rule of src/ports/discovery.ts, as test/contract/discovery.contract.ts checks: bounded
 * answers, empty for an unknown name, `discovery_failed` while told to fail and after `close`.
 *
 * Deliberately absent: DNS. Names are matched without case, as there.
 */
import { TenureError } from "../../src/base/errors.ts";
import { MAX_DNS_RECORDS } from "../../src/base/limits.ts";
import type { Discovery, PeerAddress } from "../../src/ports/discovery.ts";

export interface StaticDiscovery extends Discovery {
  /** Replaces the addresses of one name; none takes it away. */
  set(name: string, addresses: readonly PeerAddress[]): void;
  /** While true, every look-up rejects as if the server were silent. */
  setFailing(failing: boolean): void;
}

export function createStaticDiscovery(): StaticDiscovery {
  const table = new Map<string, readonly PeerAddress[]>();
  let failing = false;
  let closed = false;
  return {
    set: (name, addresses) => void table.set(name.toLowerCase(), addresses),
    setFailing: (value) => {
      failing = value;
    },
    lookup: async (name) => {
      if (closed) throw new TenureError("discovery_failed", "discovery is closed");
      if (failing) throw new TenureError("discovery_failed", "the table was told to fail");
      return (table.get(name.toLowerCase()) ?? []).slice(0, MAX_DNS_RECORDS);
    },
    siblings: async (name) => {
      if (closed) throw new TenureError("discovery_failed", "discovery is closed");
      if (failing) throw new TenureError("discovery_failed", "the table was told to fail");
      const set = name.toLowerCase().replace(/-\d+$/, "");
      const names = [...table].filter(([, addresses]) => addresses.length > 0).map(([known]) => known);
      return names.filter((known) => known !== name.toLowerCase() && known.replace(/-\d+$/, "") === set);
    },
    close: () => {
      closed = true;
    },
  };
}
