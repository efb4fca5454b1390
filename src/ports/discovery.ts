/**
 * Where a peer may listen.
 *
 * Invariant: an address is a hint. It never adds, removes or counts a member (DESIGN, Formation); the handshake
 * decides who is there.
 *
 * Deliberately absent: caching. Addresses are looked up again for every connection.
 */

export interface PeerAddress {
  /** An IPv4 or IPv6 address. */
  readonly host: string;
  readonly port: number;
}

export interface Discovery {
  /**
   * Addresses to try for the peer of this name, best first, at most MAX_DNS_RECORDS; empty when there is no record.
   * Rejects with `discovery_failed` when the server does not answer.
   */
  lookup(name: string): Promise<readonly PeerAddress[]>;
  /**
   * Names of the pods that have a record beside `name` and are of its StatefulSet, at most MAX_DNS_RECORDS. A hint like
   * an address: it can hold back the first formation of a group, and nothing else (see src/node/formation.ts). Rejects
   * with `discovery_failed` when the server does not answer, or tells an address of the service, but no name to it.
   */
  siblings(name: string): Promise<readonly string[]>;
  close(): void;
}
