/**
 * A small real DNS server on loopback, over UDP and TCP, that can be told to fail in the ways that real ones do.
 *
 * Invariant: what it sends is a DNS packet (except in mode `garbage`), and nothing it invents leads away from
 * loopback. An answer above 512 bytes is cut short over UDP and comes whole over TCP, as RFC 1035 has it.
 *
 * Deliberately absent: recursion, EDNS, and any test framework: the demo uses this file too.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, isIPv6, type Server, type Socket as TcpSocket } from "node:net";
import { decode, encode, TRUNCATED_RESPONSE, type Answer, type Packet, type Question } from "dns-packet";

/** `empty` knows no name; `poisoned` puts a flood of foreign records around the right ones; the rest is as named. */
export const DNS_MODES = [
  "normal",
  "empty",
  "silent",
  "servfail",
  "refused",
  "garbage",
  "poisoned",
  "truncated",
] as const;
export type DnsMode = (typeof DNS_MODES)[number];

export const DNS_TYPES = ["SRV", "A", "AAAA"] as const;
export type DnsType = (typeof DNS_TYPES)[number];

export type DnsRecord =
  | { readonly type: "A" | "AAAA"; readonly name: string; readonly data: string }
  | { readonly type: "SRV"; readonly name: string; readonly data: SrvData };

export interface SrvData {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

export interface DnsPeer {
  readonly name: string;
  /** An IPv4 or IPv6 address. */
  readonly host: string;
  readonly port: number;
}

export interface DnsServer {
  /** `ip:port`, for UDP and TCP. */
  readonly address: string;
  /** What a headless service of a StatefulSet publishes: replaces the records of this service. */
  setPeers(service: string, peers: readonly DnsPeer[]): void;
  /** Replaces all records that did not come from `setPeers`. */
  set(records: readonly DnsRecord[]): void;
  /** For these types of question; all of them when none is named. */
  setMode(mode: DnsMode, types?: readonly DnsType[]): void;
  /** Questions received so far (a cut answer asked for again over TCP counts twice). */
  queries(type?: DnsType): number;
  close(): Promise<void>;
}

const MAX_UDP_BYTES = 512;
const MAX_FLOOD_BYTES = 60_000;
const MAX_FLOOD_RECORDS = 4_000;
const TTL_SECONDS = 3_600;
const AUTHORITATIVE = 0x0400;
const RCODES = { servfail: 2, empty: 3, refused: 5 } as const;

/** Starts the server at a free port of 127.0.0.1. */
export async function startDnsServer(): Promise<DnsServer> {
  const { udp, tcp, port } = await bind();
  const ofPeers = new Map<string, readonly DnsRecord[]>();
  let others: readonly DnsRecord[] = [];
  const modes = new Map<string, DnsMode>();
  const counts = new Map<string, number>();
  const connections = new Set<TcpSocket>();

  function replyTo(packet: Buffer, overTcp: boolean): Buffer | null {
    const query = parse(packet);
    const question = query?.questions?.[0];
    if (query === null || question === undefined) return null;
    counts.set(question.type, (counts.get(question.type) ?? 0) + 1);
    const mode = modes.get(question.type) ?? "normal";
    if (mode === "silent") return null;
    if (mode === "garbage") return Buffer.concat([packet.subarray(0, 2), Buffer.alloc(40, 0xff)]);
    const reply: Packet = { type: "response", id: query.id ?? 0, flags: AUTHORITATIVE, questions: [question] };
    if (mode === "servfail" || mode === "refused" || mode === "empty") {
      return encode({ ...reply, flags: AUTHORITATIVE | RCODES[mode] });
    }
    const records = [...ofPeers.values(), others].flat();
    const answers = answersOf(records, question, mode);
    if (answers === null) return encode({ ...reply, flags: AUTHORITATIVE | RCODES.empty });
    const whole = encode({ ...reply, answers });
    const cut = !overTcp && (mode === "truncated" || whole.length > MAX_UDP_BYTES);
    return cut ? encode({ ...reply, flags: AUTHORITATIVE | TRUNCATED_RESPONSE }) : whole;
  }

  udp.on("message", (packet: Buffer, from: RemoteInfo) => {
    const reply = replyTo(packet, false);
    if (reply !== null) udp.send(reply, from.port, from.address, () => undefined);
  });
  tcp.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    onFrames(socket, (packet) => {
      const reply = replyTo(packet, true);
      if (reply !== null) socket.write(framed(reply));
    });
  });

  return {
    address: `127.0.0.1:${port}`,
    setPeers: (service, peers) =>
      void ofPeers.set(
        service,
        peers.flatMap((peer) => recordsOf(service, peer)),
      ),
    set: (records) => {
      others = records;
    },
    setMode: (mode, types = DNS_TYPES) => types.forEach((type) => modes.set(type, mode)),
    queries: (type) => {
      if (type !== undefined) return counts.get(type) ?? 0;
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
    close: async () => {
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => void udp.close(() => resolve())),
        new Promise<void>((resolve) => void tcp.close(() => resolve())),
      ]);
    },
  };
}

function recordsOf(service: string, peer: DnsPeer): readonly DnsRecord[] {
  const name = `${peer.name}.${service}`;
  return [
    { type: "SRV", name: `_peer._tcp.${service}`, data: { target: name, port: peer.port } },
    { type: isIPv6(peer.host) ? "AAAA" : "A", name, data: peer.host },
  ];
}

/** Null: no such name. An empty list: the name exists, the type does not. */
function answersOf(records: readonly DnsRecord[], question: Question, mode: DnsMode): Answer[] | null {
  const name = question.name.toLowerCase();
  const ofName = records.filter((record) => record.name.toLowerCase() === name);
  const right = ofName.filter((record) => record.type === question.type).map(answerOf);
  if (mode !== "poisoned") return ofName.length === 0 ? null : right;
  // Foreign targets can be told by their name, so they come first; foreign addresses cannot, so the right one does.
  return question.type === "SRV" ? [...flood(question), ...right] : [...right, ...flood(question)];
}

function answerOf(record: DnsRecord): Answer {
  if (record.type !== "SRV") return { type: record.type, name: record.name, ttl: TTL_SECONDS, data: record.data };
  return { type: "SRV", name: record.name, ttl: TTL_SECONDS, data: { priority: 0, weight: 0, ...record.data } };
}

/** As many foreign records as one answer holds: more than a thousand for a name of usual length. */
function flood(question: Question): Answer[] {
  const { name } = question;
  const answers: Answer[] = [];
  for (let bytes = 0; bytes < MAX_FLOOD_BYTES && answers.length < MAX_FLOOD_RECORDS; bytes += name.length + 32) {
    const n = answers.length;
    const data = `127.200.${n >> 8}.${n & 255}`;
    if (question.type === "A") answers.push({ type: "A", name, ttl: TTL_SECONDS, data });
    else if (question.type === "AAAA") answers.push({ type: "AAAA", name, ttl: TTL_SECONDS, data: `::ffff:${data}` });
    else answers.push({ type: "SRV", name, ttl: TTL_SECONDS, data: { target: `x${n}.test`, port: 9 } });
  }
  return answers;
}

/** UDP and TCP at the same port: the kernel picks a free one for UDP, which TCP may find taken. */
async function bind(): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (let tries = 0; tries < 20; tries += 1) {
    const udp = createSocket("udp4");
    await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
    const { port } = udp.address();
    const tcp = createServer();
    const bound = await new Promise<boolean>((resolve) => {
      tcp.once("error", () => resolve(false));
      tcp.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (bound) return { udp, tcp, port };
    udp.close();
  }
  throw new Error("no port is free for both UDP and TCP on 127.0.0.1");
}

/** DNS over TCP puts two bytes of length before each packet (RFC 1035, 4.2.2). */
function onFrames(socket: TcpSocket, receive: (packet: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      receive(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
  });
}

function framed(packet: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, packet]);
}

function parse(packet: Buffer): Packet | null {
  try {
    return decode(packet);
  } catch {
    return null;
  }
}
