/**
 * A running group whose peer port is open to strangers (--insecure-peers): what they say and how many they are.
 *
 * Each is refused with its reason and counted under its code. All along the holder keeps its tenure, without one 503,
 * and no process grows beyond a bound.
 */
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LocalGroup } from "../support/local-group.ts";
import { rawFrame, RawPeer } from "../support/raw-peer.ts";
import type { Sidecar } from "../support/sidecar.ts";
import { TenureGuard } from "../support/tenure-guard.ts";

const STRANGER = "0123456789abcdef0123456789abcdef";
/** Another address of this machine than the peers': limits that count by address tell them apart. */
const STRANGERS_HOST = "127.0.0.2";
/** What a process may gain by all attacks together. */
const MAX_GROWTH_MIB = 30;
const PINGS = Buffer.concat(Array.from({ length: 2_000 }, () => rawFrame({ kind: "ping" })));

let group: LocalGroup;
let guard: TenureGuard;
let groupId: string;

beforeAll(async () => {
  group = await LocalGroup.start({ size: 3, leaseDuration: "2s", heartbeatInterval: "200ms" });
  const holder = await group.agreed();
  groupId = (JSON.parse((await holder.ask("GET", "/cluster")).text) as { groupId: string }).groupId;
  await Promise.all(group.members.map(warmUp));
  guard = await TenureGuard.of(group, MAX_GROWTH_MIB);
});

afterEach(async () => {
  await guard.look();
  expect(await guard.complaints()).toStrictEqual([]);
});

afterAll(async () => {
  await guard.stop();
  await group.stop();
});

function follower(): Sidecar {
  const [member] = group.othersThan(guard.holder);
  if (member === undefined) throw new Error("there are three");
  return member;
}

/** A hello that is right but for what is given. */
function hello(to: string, change: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    kind: "hello",
    magic: "tenure",
    protocol: 2,
    version: "0.0.0",
    group: "app-peers",
    groupId,
    from: { id: STRANGER, name: "app-9" },
    to,
    ...change,
  };
}

interface Attack {
  readonly what: string;
  readonly bytes: (to: string) => Buffer | string;
  readonly code: string;
  /** Part of what the other end is told; null where it is told nothing. */
  readonly told: string | null;
}

const NESTED = "[".repeat(2_000) + "]".repeat(2_000);
const length = (bytes: number): Buffer => Buffer.from([bytes >> 24, bytes >> 16, bytes >> 8, bytes]);
const told = (change: Readonly<Record<string, unknown>>) => (to: string) => rawFrame(hello(to, change));

const ATTACKS: readonly Attack[] = [
  {
    what: "an HTTP request",
    bytes: () => "GET / HTTP/1.1\r\n\r\n",
    code: "frame_too_large",
    told: "not a tenure peer",
  },
  { what: "a TLS hello", bytes: () => Buffer.from("160301020001", "hex"), code: "frame_too_large", told: "like TLS" },
  { what: "garbage", bytes: () => Buffer.alloc(65_536, 0xe9), code: "frame_too_large", told: "announced a frame" },
  { what: "a length of 4 GiB", bytes: () => length(-1), code: "frame_too_large", told: "4294967295 bytes" },
  { what: "a length just too large", bytes: () => length(4_097), code: "frame_too_large", told: "at most 4096" },
  { what: "a length of zero", bytes: () => length(0), code: "frame_malformed", told: "length 0" },
  { what: "no JSON", bytes: () => rawFrame("{"), code: "frame_malformed", told: "not JSON" },
  { what: "no UTF-8", bytes: () => Buffer.from([0, 0, 0, 2, 0xff, 0xfe]), code: "frame_malformed", told: "not UTF-8" },
  { what: "nested JSON", bytes: () => rawFrame(NESTED), code: "peer_protocol", told: "does not speak" },
  {
    what: "a truncated frame",
    bytes: () => Buffer.concat([length(100), length(0)]),
    code: "peer_unreachable",
    told: null,
  },
  { what: "another protocol version", bytes: told({ protocol: 1 }), code: "peer_protocol", told: "protocol 1" },
  { what: "a foreign group", bytes: told({ group: "other" }), code: "peer_group", told: '"other"' },
  { what: "a foreign group id", bytes: told({ groupId: STRANGER }), code: "peer_group", told: "its id is" },
  { what: "a wrong name", bytes: () => rawFrame(hello("app-7")), code: "peer_name", told: "not app-7" },
  {
    what: "a bad incarnation",
    bytes: told({ from: { id: "x", name: "app-9" } }),
    code: "frame_malformed",
    told: "hello.from.id",
  },
  { what: "an unknown field", bytes: told({ admin: true }), code: "frame_malformed", told: "hello.admin" },
];

describe("a stranger that says", () => {
  it.for(ATTACKS)("$what is refused as $code", async ({ bytes, code, told: expected }) => {
    for (const member of [guard.holder, follower()]) {
      const before = await member.faults(code);
      const peer = RawPeer.dial(member.ports.peers).bytes(bytes(member.name));
      if (expected === null) peer.socket.end();
      const refusal = await peer.next();
      await peer.closed;
      if (expected === null) expect(refusal).toBeNull();
      else {
        expect(refusal).toMatchObject({ kind: "refusal", code });
        expect(refusal?.["message"]).toContain(expected);
      }
      await group.until("the fault to be counted", async () => ((await member.faults(code)) > before ? true : null));
    }
  });

  it.for([
    { what: "no message", frame: rawFrame({ kind: "constructor" }), code: "frame_malformed" },
    { what: "a message out of range", frame: rawFrame({ kind: "voteRequest", term: -1 }), code: "frame_malformed" },
    { what: "a frame that is too large", frame: length(1_048_577), code: "frame_too_large" },
  ])("a right hello and then $what is refused as $code", async ({ frame, code }) => {
    const { holder } = guard;
    const before = await holder.faults(code);
    const peer = RawPeer.dial(holder.ports.peers).send(hello(holder.name));
    expect(await peer.next()).toMatchObject({ kind: "welcome", from: { name: holder.name } });
    peer.bytes(frame);
    expect(await peer.next()).toMatchObject({ kind: "refusal", code });
    await peer.closed;
    await group.until("the fault to be counted", async () => ((await holder.faults(code)) > before ? true : null));
  });
});

describe("strangers that", () => {
  it("say nothing, or a byte now and then, are closed after their time", async () => {
    const { holder } = guard;
    const before = await holder.faults("peer_timeout");
    const silent = RawPeer.dial(holder.ports.peers);
    const slow = RawPeer.dial(holder.ports.peers);
    const drip = setInterval(() => slow.bytes("\0"), 200);
    await Promise.all([silent.closed, slow.closed]);
    clearInterval(drip);
    expect(await silent.next()).toBeNull();
    await group.until("the fault to be counted", async () =>
      (await holder.faults("peer_timeout")) > before ? true : null,
    );
  });

  it("are a thousand and idle do not keep a peer out, and are closed", async () => {
    const { holder } = guard;
    const before = await holder.faults("peer_too_many");
    const idle = dialMany(holder.ports.peers, 1_000);
    await group.until("the flood to be noticed", async () =>
      (await holder.faults("peer_too_many")) > before ? true : null,
    );
    const peer = follower();
    await peer.crash();
    const flood = setInterval(() => idle.push(...dialMany(holder.ports.peers, 10)), 5);
    await group.startMember(peer.name);
    await connectedTo(peer.name);
    clearInterval(flood);
    await Promise.all(idle.map(closed));
  });

  it("connect and leave by the thousand do no harm", async () => {
    for (const member of [guard.holder, follower()]) {
      for (let round = 0; round < 15; round += 1) {
        const flood = dialMany(member.ports.peers, 100);
        await Promise.all(flood.map(async (socket) => opened(socket).then(() => socket.resetAndDestroy())));
      }
    }
    await connectedTo(follower().name);
  });

  it("send frames without end and read nothing do no harm", async () => {
    const { holder } = guard;
    const peer = RawPeer.dial(holder.ports.peers).send(hello(holder.name));
    await peer.next();
    peer.socket.pause();
    await sendPings(peer, 1_000);
    expect(await guard.complaints()).toStrictEqual([]);
    peer.socket.destroy();
    await peer.closed;
  });
});

/** What a busy peer sends in an hour, and one refusal. */
async function warmUp(member: Sidecar): Promise<void> {
  const peer = RawPeer.dial(member.ports.peers).send(hello(member.name));
  await peer.next();
  await sendPings(peer, 200);
  peer.bytes("warm up\r\n\r\n");
  await peer.closed;
  await member.ops("/metrics");
}

async function sendPings(peer: RawPeer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds && !peer.socket.closed; round += 1) {
    if (!peer.socket.write(PINGS)) await new Promise((resolve) => peer.socket.once("drain", resolve));
  }
}

function dialMany(port: number, count: number): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ host: "127.0.0.1", port, localAddress: STRANGERS_HOST });
    socket.on("error", () => undefined);
    return socket.resume();
  });
}

function opened(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", resolve);
  });
}

function closed(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));
}

/** Both ways between the holder and that member. */
async function connectedTo(name: string): Promise<void> {
  const { holder } = guard;
  await group.until(`${name} and the holder to be connected`, async () => {
    const there = await holder.metric(`tenure_peer_connected{peer="${name}"}`);
    const back = await group.member(name).metric(`tenure_peer_connected{peer="${holder.name}"}`);
    return there === 1 && back === 1 ? true : null;
  });
}
