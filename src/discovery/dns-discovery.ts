/**
 * Finds where a peer may listen by asking the records of a headless service.
 *
 * Three sources, in this order: SRV records of the service whose target begins with the peer's name (StatefulSets);
 * addresses of `<name>.<service>` with the default port; all SRV targets, when the records of the service carry other
 * names altogether, as the hashed ones of Deployments do.
 *
 * Invariant: the answer is a list of hints, at most MAX_DNS_RECORDS. Whatever DNS says, right, stale or poisoned, the
 * handshake decides who is there (DESIGN, Formation and Identity).
 *
 * Deliberately absent: a cache, and the random choice by weight of RFC 2782: every address is tried anyway.
 */
import type { SrvRecord } from "node:dns";
import { messageOf, TenureError } from "../base/errors.ts";
import { MAX_DNS_RECORDS } from "../base/limits.ts";
import type { Discovery, PeerAddress } from "../ports/discovery.ts";
import { createDnsClient, type DnsClient } from "./dns-client.ts";

export interface DnsDiscoveryOptions {
  /** The full name of the headless service; search domains are not applied. */
  readonly service: string;
  /** The port of peers that have no SRV record. */
  readonly defaultPort: number;
  /** The names of the pods that the settings tell of, this one included. */
  readonly expected: readonly string[];
  /** `ip`, `ip:port` or `[ipv6]:port`; null takes the system's servers. */
  readonly server: string | null;
}

/** Queries that wait for a silent server give up after at most DNS_TRIES times DNS_TIMEOUT_MS each. */
export function createDnsDiscovery(options: DnsDiscoveryOptions): Discovery {
  const { service } = options;
  const client = createDnsClient(options.server);
  let srvInFlight: Promise<readonly SrvRecord[]> | null = null;

  /** The SRV answer is the same for every peer, so look-ups that overlap share one query. */
  function srvRecords(): Promise<readonly SrvRecord[]> {
    srvInFlight ??= client.srv(`_peer._tcp.${service}`).finally(() => {
      srvInFlight = null;
    });
    return srvInFlight;
  }

  async function addressesOfTargets(targets: readonly SrvRecord[]): Promise<readonly PeerAddress[]> {
    const best = [...targets].sort(byPreference).slice(0, MAX_DNS_RECORDS);
    const answers = await Promise.allSettled(best.map((target) => client.addresses(canonical(target.name))));
    const found: PeerAddress[] = [];
    for (const [position, target] of best.entries()) {
      const answer = answers[position];
      if (answer?.status === "fulfilled") found.push(...answer.value.map((host) => ({ host, port: target.port })));
    }
    const failed = answers.find((answer) => answer.status === "rejected");
    if (found.length === 0 && failed !== undefined) throw failed.reason;
    return bounded(found);
  }

  async function addressesOfName(name: string): Promise<readonly PeerAddress[]> {
    const hosts = await client.addresses(`${name}.${service}`);
    return bounded(hosts.map((host) => ({ host, port: options.defaultPort })));
  }

  async function lookup(givenName: string): Promise<readonly PeerAddress[]> {
    const name = canonical(givenName);
    const failures: TenureError[] = [];
    const records = (await attempt(srvRecords(), failures)).filter(isUsable);
    const own = records.filter((record) => isOf(record, name));

    const byRecord = own.length === 0 ? [] : await attempt(addressesOfTargets(own), failures);
    if (byRecord.length > 0) return byRecord;

    const byName = await attempt(addressesOfName(name), failures);
    if (byName.length > 0) return byName;

    // A failure is no proof that the peer has no record of its own, so strangers are tried only without one.
    const [failure] = failures;
    if (failure !== undefined) throw failure;
    // Where its siblings have records of their names, a peer without one is not there yet.
    const isAbsent = own.length > 0 || records.some((record) => isSibling(record, name));
    return isAbsent ? [] : addressesOfTargets(records);
  }

  /** None, if so the addresses say; else the failure of SRV stands. */
  async function nobodyElse(failure: unknown): Promise<readonly SrvRecord[]> {
    if (await isNobodyBeyond(client, options)) return [];
    throw failure;
  }

  async function siblings(givenName: string): Promise<readonly string[]> {
    const name = canonical(givenName);
    const records = (await srvRecords().catch(nobodyElse)).filter(
      (record) => isUsable(record) && isSibling(record, name),
    );
    const labels = records.map((record) => firstLabel(record)).filter((label) => label !== name);
    return [...new Set(labels)].slice(0, MAX_DNS_RECORDS);
  }

  return { lookup, siblings, close: () => client.close() };
}

/** The records, or none and a failure on the list. */
async function attempt<T>(query: Promise<readonly T[]>, failures: TenureError[]): Promise<readonly T[]> {
  try {
    return await query;
  } catch (error) {
    const wrap = (): TenureError => new TenureError("discovery_failed", messageOf(error), { cause: error });
    failures.push(error instanceof TenureError ? error : wrap());
    return [];
  }
}

/**
 * A server that knows no SRV still tells whether every address of the service is that of a pod that is expected. Their
 * number would not do: while some of those are away, it leaves room for others.
 */
async function isNobodyBeyond(client: DnsClient, { service, expected }: DnsDiscoveryOptions): Promise<boolean> {
  const all = await client.addresses(service);
  const known = await Promise.all(expected.map((name) => client.addresses(`${name}.${service}`)));
  return all.every((address) => known.flat().includes(address));
}

/** DNS names compare without case, and a trailing dot only says that the name is complete. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** A target of "." says that the service is not offered (RFC 2782); nobody can be dialled at port 0. */
function isUsable(record: SrvRecord): boolean {
  return canonical(record.name) !== "" && record.port !== 0;
}

function isOf(record: SrvRecord, name: string): boolean {
  const target = canonical(record.name);
  return target === name || target.startsWith(`${name}.`);
}

const ORDINAL = /-\d+$/;

/** A record of another pod of the same StatefulSet. */
function isSibling(record: SrvRecord, name: string): boolean {
  const label = firstLabel(record);
  return ORDINAL.test(label) && ORDINAL.test(name) && label.replace(ORDINAL, "") === name.replace(ORDINAL, "");
}

function firstLabel(record: SrvRecord): string {
  const [label = ""] = canonical(record.name).split(".");
  return label;
}

/** Lowest priority number first, then the heaviest; the name makes the order the same every time. */
function byPreference(left: SrvRecord, right: SrvRecord): number {
  if (left.priority !== right.priority) return left.priority - right.priority;
  if (left.weight !== right.weight) return right.weight - left.weight;
  if (left.name === right.name) return left.port - right.port;
  return left.name < right.name ? -1 : 1;
}

function bounded(addresses: readonly PeerAddress[]): readonly PeerAddress[] {
  const seen = new Map(addresses.map((address) => [`${address.host} ${address.port}`, address]));
  return [...seen.values()].slice(0, MAX_DNS_RECORDS);
}
