/**
 * Real sidecars that come back: all of them, one with its data directory, one without.
 *
 * What a restarted member no longer knows, its promise, it waits out; who it was, it knows from its directory alone.
 */
import { describe, expect, it } from "vitest";
import { answeredAtMs } from "../support/holder-journal.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { LEASE_MS, monotonicMs, startGroup } from "../support/process-test.ts";
import type { Sidecar } from "../support/sidecar.ts";

interface Cluster {
  readonly groupId: string | null;
  readonly members: readonly { readonly name: string; readonly id: string; readonly voter: boolean }[];
  readonly trouble: string | null;
}

async function clusterOf(member: Sidecar): Promise<Cluster> {
  return JSON.parse((await member.ask("GET", "/cluster")).text) as Cluster;
}

/** When the process said that it had started, before it read its clock for the first promise; on CLOCK_MONOTONIC. */
async function startedAtMs(member: Sidecar): Promise<number> {
  const line = await member.logged(({ event }) => event === "started");
  return Date.parse(String(line["time"])) - Date.now() + monotonicMs();
}

async function incarnationOf(member: Sidecar): Promise<unknown> {
  return (await member.logged(({ event }) => event === "started"))["incarnation"];
}

/** One after the other: together they would say "holder" and "no holder" of different moments. */
async function tokenOf(holder: Sidecar): Promise<number> {
  const { token } = await holder.leader();
  if (token === null) throw new Error(`${holder.name} does not hold`);
  return token;
}

describe("a group that is killed as a whole", () => {
  it("comes back as the same group, waits out the promises it may have made, and has a larger token", async () => {
    const group = await startGroup({ size: 3 });
    const first = await group.agreed();
    const token = await tokenOf(first);
    const before = await clusterOf(first);
    await Promise.all(group.members.map((member) => member.crash()));

    await Promise.all(group.names.map((name) => group.startMember(name)));
    const second = await group.holder();
    const answer = await second.leader();
    const after = await clusterOf(second);
    expect(after.groupId).toBe(before.groupId);
    expect(after.members.map(({ id }) => id)).toStrictEqual(before.members.map(({ id }) => id));
    expect(answer.token).toBeGreaterThan(token);
    // Two promises at least were waited out, and the later of two is not earlier than the second of three.
    const starts = (await Promise.all(group.members.map(startedAtMs))).toSorted((a, b) => a - b);
    const CLOCK_STEP_MS = 2;
    expect(answeredAtMs(answer)).toBeGreaterThan((starts[1] ?? Infinity) + LEASE_MS - CLOCK_STEP_MS);
  });
});

describe("a member that comes back with its directory", () => {
  it("is the same incarnation, while the holder keeps its tenure", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s" });
    const holder = await group.agreed();
    const token = await tokenOf(holder);
    const [follower] = group.othersThan(holder);
    if (follower === undefined) throw new Error("there are three");
    const before = await incarnationOf(follower);
    await follower.crash();
    const back = await group.startMember(follower.name);
    await group.until("it to follow again", async () => ((await back.leader()).reason === "follower" ? true : null));
    expect(await incarnationOf(back)).toBe(before);
    await group.until("no trouble", async () => ((await clusterOf(holder)).trouble === null ? true : null));
    expect(await tokenOf(holder)).toBe(token);
    const rejoined = await back.logged(({ event }) => event === "rejoined");
    expect(rejoined["groupId"]).toBe((await clusterOf(holder)).groupId);
  });
});

describe("a member that comes back with an empty directory", () => {
  it("is another incarnation, taken in by the holder, which keeps its tenure", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s" });
    const holder = await group.agreed();
    const token = await tokenOf(holder);
    const [follower] = group.othersThan(holder);
    if (follower === undefined) throw new Error("there are three");
    const before = await incarnationOf(follower);
    const reborn = await rebirth(group, follower);
    const id = await incarnationOf(reborn);
    expect(id).not.toBe(before);
    await group.until("the new incarnation in the place of the old one", async () => {
      const { members } = await clusterOf(holder);
      const isIn = members.length === 3 && members.some((member) => member.id === id && member.voter);
      return isIn && members.every((member) => member.id !== before) ? true : null;
    });
    expect((await reborn.ops("/readyz")).status).toBe(200);
    expect(await reborn.leader()).toMatchObject({ isLeader: false, name: holder.name, reason: "follower" });
    expect(await tokenOf(holder)).toBe(token);
  });

  it("does not vote as the old one: with one more gone there is no holder, until that one is back", async () => {
    const group = await startGroup({ size: 3 });
    const holder = await group.agreed();
    const token = await tokenOf(holder);
    const [follower, survivor] = group.othersThan(holder);
    if (follower === undefined || survivor === undefined) throw new Error("there are three");
    await holder.crash();
    const reborn = await rebirth(group, follower);
    const refusals = (): Promise<number | null> => survivor.metric('tenure_elections_total{outcome="refused"}');
    const alone = (await refusals()) ?? 0;
    await group.until("several elections without a majority", async () => {
      const answers = await group.answers();
      expect(answers.filter(({ isLeader }) => isLeader)).toStrictEqual([]);
      return ((await refusals()) ?? 0) > alone + 5 ? true : null;
    });
    expect(await survivor.leader()).toMatchObject({ isLeader: false, name: null, reason: "no-quorum" });
    expect(await reborn.leader()).toMatchObject({ isLeader: false, term: 0, name: null, reason: "joining" });
    expect((await reborn.ops("/readyz")).status, "it is in no committed configuration").toBe(503);

    await group.startMember(holder.name);
    const next = await group.holder();
    expect(await tokenOf(next)).toBeGreaterThan(token);
    expect(next.name).not.toBe(reborn.name);
  });

  async function rebirth(group: LocalGroup, member: Sidecar): Promise<Sidecar> {
    if (member.running) await member.crash();
    await group.emptyDirectory(member.name);
    return group.startMember(member.name);
  }
});
