/**
 * What the test-bed asks of an agent, the helper that stands in each pod's network.
 *
 * Invariant: every question has a number and gets one answer with it.
 *
 * Deliberately absent: decisions. An agent does what it is told.
 */
import type { DnsMode, DnsPeer } from "../../support/dns-server.ts";

export type AgentOrder =
  /** The records of DNS, as this pod sees them; `proxied` are led through this agent's own links. */
  | { readonly do: "peers"; readonly peers: readonly DnsPeer[]; readonly proxied: readonly string[] }
  | { readonly do: "dns"; readonly mode: DnsMode }
  /** Every chunk waits, in each direction, for between `minMs` and `maxMs`; the order within a connection stays. */
  | { readonly do: "delay"; readonly minMs: number; readonly maxMs: number }
  /** Breaks what goes through this agent's links. */
  | { readonly do: "drop" }
  | { readonly do: "counts" }
  /** GET from a port of this pod. */
  | { readonly do: "get"; readonly port: number; readonly path: string }
  /** The fingerprint of the certificate that is shown at a port of this pod. */
  | { readonly do: "certificate"; readonly host: string; readonly port: number };

export interface AgentCounts {
  /** `ip:port` of this pod's DNS server. */
  readonly dnsAddress: string;
  readonly dnsQueries: number;
  readonly delayedChunks: number;
  readonly connections: number;
}

export interface Got {
  readonly status: number;
  readonly date: string | null;
  readonly text: string;
}

export interface AgentQuestion {
  readonly id: number;
  readonly order: AgentOrder;
}

export type AgentAnswer =
  | { readonly id: number; readonly result: AgentCounts | Got | string | null }
  | { readonly id: number; readonly error: string };
