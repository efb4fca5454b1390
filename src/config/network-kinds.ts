/**
 * Kinds of values that name something in a network: pods, services, addresses, ports, a DNS server.
 *
 * Invariant: names are checked against the rules of Kubernetes (RFC 1123: lower-case letters, digits, "-" and "."),
 * addresses by the parser of the platform. Nothing is looked up.
 *
 * Deliberately absent: host names to listen at. What a name means may change between two starts; an address does not.
 */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { MAX_NAME_LENGTH } from "../base/limits.ts";
import { bad, good, integer, type Kind, type Parsed } from "./kind.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_LABEL_LENGTH = 63;
const ORDINAL_AT_END = /-(0|[1-9]\d{0,9})$/;
const MAX_PORT = 65_535;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

export const port: Kind<number> = {
  ...integer(0, MAX_PORT),
  allowed: `a port from 1 to ${MAX_PORT}, or 0 for any that is free`,
};

/** A group's name. */
export const groupName: Kind<string> = {
  allowed: "a name of lower-case letters, digits, - and .",
  parse: parseDnsName,
};

/**
 * A pod's name as a StatefulSet gives it. Its ordinal tells the names of the founders (DESIGN, Formation); one that
 * is not below `replicas` belongs to a pod that joins later.
 */
export const podName: Kind<string> = {
  allowed: "the name of a pod in a StatefulSet: <name>-<ordinal>, such as app-0",
  parse: (text) => {
    const parsed = parseDnsName(text);
    if (!parsed.ok || ORDINAL_AT_END.test(text)) return parsed;
    return bad("no ordinal at its end: outside a StatefulSet, forming a group is not possible yet");
  },
};

/** A service's full DNS name: lower-cased, and without a trailing dot. */
export const serviceName: Kind<string> = {
  allowed: "the full DNS name of a headless service, such as app-peers.default.svc.cluster.local",
  parse: (text) => parseDnsName(text.toLowerCase().replace(/\.$/, "")),
};

/** An address to listen at. */
export const host: Kind<string> = {
  allowed: "an IPv4 or IPv6 address (:: for all of both), or localhost",
  parse: (text) => {
    const address = withoutBrackets(text);
    return address === "localhost" || isIP(address) !== 0 ? good(address) : bad("not an IP address");
  },
};

/** An address that only this pod can reach: who holds the lock, and who may give it away, is nobody else's business. */
export const loopbackHost: Kind<string> = {
  allowed: "localhost only: an address of 127.0.0.0/8, ::1 or localhost",
  parse: (text) => {
    const parsed = host.parse(text);
    if (!parsed.ok || parsed.value === "localhost") return parsed;
    const isLoopback = loopback.check(parsed.value, isIPv6(parsed.value) ? "ipv6" : "ipv4");
    return isLoopback ? parsed : bad("not a loopback address; the lock API is for this pod alone");
  },
};

/** A DNS server, as `dns.setServers` takes it. */
export const dnsServer: Kind<string> = {
  allowed: "ip, ip:port or [ipv6]:port, such as 127.0.0.1:5353",
  parse: (text) => {
    if (isIP(text) !== 0 && !text.includes("%")) return good(text);
    const match = /^(?:\[([^[\]%]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
    const [, v6 = "", v4 = "", portText] = match ?? [];
    if (!isIPv6(v6) && !isIPv4(v4)) return bad("no IP address in front");
    const parsed = portText === undefined ? good(1) : integer(1, MAX_PORT).parse(portText);
    return parsed.ok ? good(text) : bad(`its port is ${parsed.problem}`);
  },
};

function parseDnsName(text: string): Parsed<string> {
  if (text.length > MAX_NAME_LENGTH) return bad(`${text.length} characters long, ${MAX_NAME_LENGTH} at most`);
  for (const label of text.split(".")) {
    if (label.length > MAX_LABEL_LENGTH) return bad(`a part of more than ${MAX_LABEL_LENGTH} characters`);
    if (label === "") return bad("an empty part");
    if (!LABEL.test(label)) return bad("not a DNS name: each part is of a-z, 0-9 and -, without - at either end");
  }
  return good(text);
}

function withoutBrackets(text: string): string {
  const inner = /^\[(.*)\]$/.exec(text)?.[1];
  return inner !== undefined && isIPv6(inner) ? inner : text;
}
