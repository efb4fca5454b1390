/**
 * A DNS server for three sidecars on this machine: what a headless Service is in a cluster. For
 * docs/tutorial/first-group.md; `node examples/local/dns.ts` from the root of the project.
 *
 * Invariant: app-0, app-1 and app-2 are at 127.0.0.1, ports 7400 to 7402, whoever really listens there.
 *
 * Deliberately absent: a fixed port of its own; it takes a free one and says which.
 */
import { startDnsServer } from "../../test/support/dns-server.ts";

const SERVICE = "app-peers.test";
const FIRST_PORT = 7400;

const server = await startDnsServer();
const names = ["app-0", "app-1", "app-2"];
server.setPeers(
  SERVICE,
  names.map((name, ordinal) => ({ name, host: "127.0.0.1", port: FIRST_PORT + ordinal })),
);
console.log(`export TENURE_DNS_SERVER=${server.address}`);
