/**
 * The helper in each pod's network: its DNS server, its links through a proxy, and eyes for the test-bed, which is in
 * another network.
 *
 * Invariant: without orders it answers DNS as it was last told and passes everything on at once.
 *
 * Deliberately absent: anything that a sidecar could notice of it while no fault is on, but for its links where there
 * are no namespaces.
 */
import { get } from "node:http";
import { connect } from "node:tls";
import { unreachable } from "../../../src/base/assert.ts";
import { messageOf } from "../../../src/base/errors.ts";
import { SERVICE } from "../../support/local-group.ts";
import { type DnsPeer, startDnsServer } from "../../support/dns-server.ts";
import type { AgentAnswer, AgentCounts, AgentOrder, AgentQuestion, Got } from "./agent-talk.ts";
import { type Delay, Link } from "./link.ts";

const TIMEOUT_MS = 3_000;

const dns = await startDnsServer();
const links = new Map<string, Link>();
let delay: Delay = { minMs: 0, maxMs: 0 };

async function setPeers(peers: readonly DnsPeer[], proxied: readonly string[]): Promise<void> {
  const seen: DnsPeer[] = [];
  for (const peer of peers) {
    let link = links.get(peer.name);
    if (link === undefined && proxied.includes(peer.name)) {
      link = await Link.open(() => delay);
      links.set(peer.name, link);
    }
    if (link !== undefined) link.target = { host: peer.host, port: peer.port };
    const isProxied = link !== undefined && proxied.includes(peer.name);
    seen.push(isProxied ? ({ name: peer.name, ...link?.address } as DnsPeer) : peer);
  }
  dns.setPeers(SERVICE, seen);
}

function countsNow(): AgentCounts {
  const all = [...links.values()];
  return {
    dnsAddress: dns.address,
    dnsQueries: dns.queries(),
    delayedChunks: all.reduce((sum, link) => sum + link.delayedChunks, 0),
    connections: all.reduce((sum, link) => sum + link.connections, 0),
  };
}

function fetchFrom(port: number, path: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = get({ host: "127.0.0.1", port, path, agent: false, timeout: TIMEOUT_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, date: response.headers.date ?? null, text }),
      );
    });
    sent.once("timeout", () => sent.destroy(new Error(`${path}: no answer in ${TIMEOUT_MS} ms`)));
    sent.once("error", reject);
  });
}

/** TLS 1.3 shows the server's certificate before it asks for ours. */
function fingerprintAt(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: TIMEOUT_MS }, () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint256);
    });
    socket.once("timeout", () => socket.destroy(new Error("no certificate in time")));
    socket.once("error", reject);
  });
}

async function carryOut(order: AgentOrder): Promise<AgentCounts | Got | string | null> {
  switch (order.do) {
    case "peers":
      await setPeers(order.peers, order.proxied);
      return null;
    case "dns":
      dns.setMode(order.mode);
      return null;
    case "delay":
      delay = order;
      return null;
    case "drop":
      for (const link of links.values()) link.drop();
      return null;
    case "counts":
      return countsNow();
    case "get":
      return fetchFrom(order.port, order.path);
    case "certificate":
      return fingerprintAt(order.host, order.port);
    default:
      return unreachable(order);
  }
}

function tell(answer: AgentAnswer): void {
  if (process.connected) process.send?.(answer);
}

process.on("message", ({ id, order }: AgentQuestion) => {
  carryOut(order).then(
    (result) => tell({ id, result }),
    (error: unknown) => tell({ id, error: messageOf(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
