/**
 * Preloaded into a script that a test runs: `dns.lookup` answers from the variable HOSTS, a JSON object of names and
 * their addresses, as a cluster's DNS would.
 */
import dns from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";

const hosts = new Map(Object.entries(JSON.parse(process.env.HOSTS)));

dns.lookup = async (name) => {
  const addresses = hosts.get(name);
  if (addresses === undefined) throw Object.assign(new Error(`no such name: ${name}`), { code: "ENOTFOUND" });
  return addresses.map((address) => ({ address, family: 4 }));
};
syncBuiltinESMExports();
