/**
 * Real sidecars and a DNS server that fails: it may delay a group, and can never make, change or harm one.
 */
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LocalGroup } from "../support/local-group.ts";
import { SERVICE } from "../support/local-group.ts";
import { createGroup, startGroup } from "../support/process-test.ts";
import type { Leader, Sidecar } from "../support/sidecar.ts";

async function startAll(group: LocalGroup): Promise<void> {
  await Promise.all(group.names.map((name) => group.startMember(name)));
}

/** The records as they should be, with those of some names changed. */
function publishWith(group: LocalGroup, changed: Readonly<Record<string, readonly number[]>>): void {
  const records = group.names.flatMap((name) => {
    const running = group.members.filter((member) => member.name === name);
    const right = running.map(({ ports }) => ports.peers);
    return (changed[name] ?? right).map((port) => ({ name, host: "127.0.0.1", port }));
  });
  group.dns.setPeers(SERVICE, records);
}

async function holderButNot(group: LocalGroup, name: string): Promise<Sidecar> {
  const holder = await group.agreed();
  if (holder.name !== name) return holder;
  expect((await holder.ask("POST", "/resign")).status).toBe(200);
  return group.agreed(name);
}

/** A tenure that must not end; asked for as often as `look` is called. */
async function tenureOf(holder: Sidecar): Promise<{ look(): Promise<void> }> {
  const { token } = await holder.leader();
  expect(token).not.toBeNull();
  return {
    look: async () => expect(await holder.leader()).toMatchObject({ isLeader: true, token }),
  };
}

function allStarting(answers: readonly Leader[]): void {
  for (const answer of answers) expect(answer).toMatchObject({ isLeader: false, reason: "starting", name: null });
}

describe("a DNS server that", () => {
  it.for(["empty", "servfail", "silent", "garbage"] as const)("is %s at first delays the group", async (mode) => {
    const group = await createGroup({ size: 3 });
    group.dns.setMode(mode);
    await startAll(group);
    const first = group.members[0];
    await group.until("the failure to be counted by someone who goes on asking", async () => {
      const failed = (await first?.faults("discovery_failed")) ?? 0;
      return failed > 0 && group.dns.queries() > 20 ? true : null;
    });
    allStarting(await group.answers());
    group.dns.setMode("normal");
    const holder = await group.agreed();
    expect((await holder.ops("/readyz")).status).toBe(200);
  });

  it.for(["poisoned", "truncated"] as const)("sends %s answers is of use all the same", async (mode) => {
    const group = await createGroup({ size: 3 });
    group.dns.setMode(mode);
    await startAll(group);
    await group.agreed();
    for (const member of group.members) {
      const { text } = await member.ask("GET", "/cluster");
      const { members } = JSON.parse(text) as { members: readonly { name: string }[] };
      expect(members.map(({ name }) => name).toSorted()).toStrictEqual(group.names);
    }
  });

  it("falls silent does not touch a group, and who restarts meanwhile is found when it is back", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s" });
    const holder = await group.agreed();
    const tenure = await tenureOf(holder);
    group.dns.setMode("silent");
    const [follower] = group.othersThan(holder);
    if (follower === undefined) throw new Error("there are three");
    await follower.crash();
    const silent = group.dns.queries();
    const back = await group.startMember(follower.name);
    await group.until("several rounds in vain", () => (group.dns.queries() > silent + 12 ? true : null));
    // Fails faster, so that everyone has come to wait as long as they ever do.
    group.dns.setMode("servfail");
    const failing = group.dns.queries();
    await group.until("many rounds in vain", () => (group.dns.queries() > failing + 120 ? true : null));
    await tenure.look();
    expect((await back.leader()).isLeader).toBe(false);

    group.dns.setMode("normal");
    const backAtMs = performance.now();
    await group.until("it to be found", async () => {
      await tenure.look();
      const there = await holder.metric(`tenure_peer_connected{peer="${back.name}"}`);
      return there === 1 ? true : null;
    });
    // Two seconds after the record is right (PEER_BACKOFF_MAX_MS, DNS_TIMEOUT_MS), and as much for a busy machine.
    expect(performance.now() - backAtMs).toBeLessThan(4_000);
    await group.until("it to follow", async () => ((await back.leader()).reason === "follower" ? true : null));
    await tenure.look();
  });
});

describe("records that point", () => {
  it("at a pod of another group: refused on both sides, counted, and no harm to either", async () => {
    const [group, other] = await Promise.all([
      startGroup({ size: 3, leaseDuration: "2s" }),
      startGroup({ size: 1, leaseDuration: "2s" }),
    ]);
    // Both have an app-0, of groups with one name: only the id tells them apart.
    const [holder, stranger] = await Promise.all([holderButNot(group, "app-0"), other.agreed()]);
    const tenures = await Promise.all([tenureOf(holder), tenureOf(stranger)]);
    await group.member("app-0").crash();
    publishWith(group, { "app-0": [stranger.ports.peers] });
    await group.until("both sides to count it", async () => {
      await Promise.all(tenures.map((tenure) => tenure.look()));
      const [here, there] = await Promise.all([holder.faults("peer_group"), stranger.faults("peer_group")]);
      return here > 0 && there > 0 ? true : null;
    });
    const back = await group.startMember("app-0");
    await group.until("the right one to be found again", async () =>
      (await back.leader()).reason === "follower" ? true : null,
    );
    await Promise.all(tenures.map((tenure) => tenure.look()));
  });

  it("at each other, at oneself, and at nobody: the handshake finds out who is where", async () => {
    const group = await createGroup({ size: 3 });
    group.dns.setMode("empty");
    await startAll(group);
    const [a = 0, b = 0, c = 0] = group.members.map(({ ports }) => ports.peers);
    // Everyone's records are everyone's addresses, the right one among them.
    const all = [1, a, b, c];
    publishWith(group, Object.fromEntries(group.names.map((name) => [name, all])));
    group.dns.setMode("normal");
    const holder = await group.agreed();
    for (const other of group.othersThan(holder)) {
      expect(await holder.metric(`tenure_peer_connected{peer="${other.name}"}`)).toBe(1);
    }
  });

  it("at a server that speaks something else: not a peer, and no harm", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s" });
    const holder = await group.agreed();
    const tenure = await tenureOf(holder);
    const [follower] = group.othersThan(holder);
    if (follower === undefined) throw new Error("there are three");
    const foreign = createServer((socket) => {
      socket.on("error", () => undefined);
      // Much, and at once: the other end must not read on after the first four bytes.
      socket.write(Buffer.alloc(1_048_576, "HTTP/1.1 200 OK\r\n\r\n"));
    });
    await new Promise<void>((resolve) => foreign.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void foreign.close());
    await follower.crash();
    publishWith(group, { [follower.name]: [(foreign.address() as AddressInfo).port] });
    await group.until("it to be counted", async () => ((await holder.faults("frame_too_large")) > 0 ? true : null));
    const log = await holder.logged(({ event, code }) => event === "fault" && code === "frame_too_large");
    expect(log["where"]).toBe(follower.name);
    await group.startMember(follower.name);
    await group.agreed();
    await tenure.look();
  });
});
