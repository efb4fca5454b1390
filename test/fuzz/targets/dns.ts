/**
 * DNS answers, byte by byte, to the real resolver over UDP (src/discovery): what comes out of c-ares, or does not.
 *
 * An input is three answers, each behind a length of two bytes: to the questions for SRV, A and AAAA. The id and the
 * question are those that were asked, so that what follows is looked at. Promise: a bounded list of addresses that can
 * be dialled, or `discovery_failed`; and an answer always comes.
 */
import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";
import { encode, type Answer } from "dns-packet";
import { MAX_DNS_RECORDS } from "../../../src/base/limits.ts";
import { createDnsDiscovery } from "../../../src/discovery/dns-discovery.ts";
import type { Discovery } from "../../../src/ports/discovery.ts";
import { bytesMutator } from "../engine/bytes.ts";
import { refusal, require, type Target } from "../engine/target.ts";

const SERVICE = "app.test";
const SLOTS = 64;
const HEADER_BYTES = 12;
const TYPES = [33, 1, 28];

interface Slot {
  readonly socket: Socket;
  readonly discovery: Discovery;
  answers: readonly Buffer[];
}

/** Where the question ends: behind the zero that ends its name, and two times two bytes. */
function endOfQuestion(packet: Buffer): number {
  let at = HEADER_BYTES;
  while (at < packet.length && packet[at] !== 0) at += 1 + (packet[at] ?? 0);
  return at + 5;
}

/** Flags, counts and records of a packet: what an input holds of it. */
function tailOf(answers: readonly Answer[], flags = 0x8400): Buffer {
  const packet = encode({ type: "response", id: 0, flags: 0x0400, questions: [], answers: [...answers] });
  packet.writeUInt16BE(flags, 2);
  return Buffer.concat([packet.subarray(2, 4), packet.subarray(6, HEADER_BYTES), packet.subarray(HEADER_BYTES)]);
}

function answersIn(input: Buffer): readonly Buffer[] {
  const answers: Buffer[] = [];
  for (let at = 0; at + 2 <= input.length && answers.length < TYPES.length;) {
    const end = at + 2 + input.readUInt16BE(at);
    answers.push(input.subarray(at + 2, end));
    at = end;
  }
  return answers;
}

function inputOf(...tails: readonly Buffer[]): Buffer {
  return Buffer.concat(tails.flatMap((tail) => [Buffer.from([tail.length >> 8, tail.length & 255]), tail]));
}

async function openSlot(): Promise<Slot> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => void socket.bind(0, "127.0.0.1", resolve));
  const server = `127.0.0.1:${socket.address().port}`;
  const discovery = createDnsDiscovery({
    service: SERVICE,
    defaultPort: 7_400,
    expected: ["app-0", "app-1", "app-2"],
    server,
  });
  const slot: Slot = { socket, discovery, answers: [] };
  socket.on("message", (query: Buffer, from) => {
    const end = endOfQuestion(query);
    if (end > query.length) return;
    const tail = slot.answers[TYPES.indexOf(query.readUInt16BE(end - 4))] ?? Buffer.alloc(0);
    const head = Buffer.concat([query.subarray(0, 2), tail.subarray(0, 2), Buffer.from([0, 1]), tail.subarray(2, 8)]);
    const reply = Buffer.concat([
      head,
      Buffer.alloc(HEADER_BYTES),
      query.subarray(HEADER_BYTES, end),
      tail.subarray(8),
    ]);
    // A header that is cut short stays short; a whole one is followed by the question.
    const packet =
      head.length < HEADER_BYTES ? head : Buffer.concat([head, reply.subarray(head.length + HEADER_BYTES)]);
    socket.send(packet, from.port, from.address, () => undefined);
  });
  return slot;
}

export async function open(): Promise<Target> {
  const slots = await Promise.all(Array.from({ length: SLOTS }, openSlot));
  const free = [...slots];
  const srv = (target: string, port = 7_400): Answer => ({
    type: "SRV",
    name: `_peer._tcp.${SERVICE}`,
    data: { target, port },
  });
  const a = (data: string, name = `app-1.${SERVICE}`): Answer => ({ type: "A", name, data });
  const aaaa = (data: string, name = `app-1.${SERVICE}`): Answer => ({ type: "AAAA", name, data });
  const own = [srv(`app-0.${SERVICE}`), srv(`app-1.${SERVICE}`, 7_401)];
  return {
    covers: ["src/discovery/"],
    seeds: [
      inputOf(tailOf(own), tailOf([a("127.0.0.1")]), tailOf([aaaa("::1")])),
      inputOf(tailOf([srv(`app-1.${SERVICE}`, 0), srv(".")]), tailOf([a("127.0.0.1")]), tailOf([])),
      inputOf(tailOf([], 0x8403), tailOf([a("127.0.0.1"), a("127.0.0.2")]), tailOf([], 0x8403)),
      inputOf(
        tailOf([srv("ip-1.test", 1)]),
        tailOf([{ type: "CNAME", name: `app-1.${SERVICE}`, data: "b.test" }, a("127.0.0.9", "b.test")]),
        tailOf([]),
      ),
      inputOf(tailOf(own, 0x8402), tailOf([], 0x8402), tailOf([], 0x8405)),
    ],
    mutate: bytesMutator([
      "\u00c0\u000c",
      "\0",
      "\0!\0\u0001",
      "\0\u0001\0\u0001",
      "\0\u001c\0\u0001",
      "\u0004app-1",
      "\u003f",
      "\u0084\0",
    ]),
    parallel: SLOTS,
    sample: 100,
    async run(input) {
      const slot = free.pop();
      require(slot !== undefined, "there are as many resolvers as inputs at once");
      slot.answers = answersIn(input);
      try {
        const found = await slot.discovery.lookup("app-1");
        require(found.length <= MAX_DNS_RECORDS, "an answer is bounded");
        require(found.every(({ host }) => isIP(host) !== 0), "an address is an IP address");
        require(found.every(({ port }) => port > 0 && port < 65_536), "a port can be dialled");
        return `${Math.min(found.length, 4)}`;
      } catch (error) {
        return refusal(error, ["discovery_failed"]).replace(/^.*: /u, "");
      } finally {
        free.push(slot);
      }
    },
    async close() {
      for (const { discovery, socket } of slots) {
        discovery.close();
        socket.close();
      }
      await Promise.resolve();
    },
  };
}
