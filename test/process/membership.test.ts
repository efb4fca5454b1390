/**
 * Real sidecars that come and go as pods do: rolled, scaled, lost. A journal asks everyone who leads: no two tenures
 * overlap and tokens only rise, through all of it.
 *
 * What an application confirms (TENURE_SIGTERM=handover says that it is gone) ends its deadlines early, so the journal
 * is told of tenures that end so. A test that crashes somebody first waits for the commit of what it has seen: a leader
 * that dies with a change in flight leaves the configuration before it, in which fewer may be gone.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { HolderJournal } from "../support/holder-journal.ts";
import type { GroupSettings, LocalGroup } from "../support/local-group.ts";
import { createGroup, startGroup } from "../support/process-test.ts";
import type { Sidecar } from "../support/sidecar.ts";

interface Cluster {
  readonly groupId: string | null;
  readonly trouble: string | null;
  readonly tokenBase: number;
  readonly commitIndex: number;
  readonly lastIndex: number;
  readonly members: readonly ClusterMember[];
}

interface ClusterMember {
  readonly name: string;
  readonly id: string;
  readonly voter: boolean;
  readonly connected: boolean;
}

const HANDOVER: Pick<GroupSettings, "env"> = { env: { TENURE_SIGTERM: "handover" } };

async function clusterOf(member: Sidecar): Promise<Cluster> {
  return JSON.parse((await member.ask("GET", "/cluster")).text) as Cluster;
}

async function incarnationOf(member: Sidecar): Promise<unknown> {
  return (await member.logged(({ event }) => event === "started"))["incarnation"];
}

/** Waits until these voters and as many learners are committed, and the holder is connected to all. */
async function members(group: LocalGroup, voters: readonly string[], learners = 0): Promise<Cluster> {
  return group.until(`the voters ${voters.join(" ")} and ${learners} learners`, async () => {
    const cluster = await clusterOf(await group.holder());
    const names = cluster.members.filter(({ voter }) => voter).map(({ name }) => name);
    const isSo =
      cluster.commitIndex === cluster.lastIndex &&
      cluster.members.length === voters.length + learners &&
      JSON.stringify(names.toSorted()) === JSON.stringify(voters.toSorted()) &&
      cluster.members.every(({ connected }) => connected);
    return isSo ? cluster : null;
  });
}

function journalOf(group: LocalGroup): HolderJournal {
  const journal = new HolderJournal(group);
  onTestFinished(() => journal.stop());
  return journal;
}

/** SIGTERM, as the kubelet sends it; the lock is known to be confirmed if this one held it. */
async function terminate(group: LocalGroup, name: string, journal: HolderJournal): Promise<void> {
  const member = group.member(name);
  const { token } = await member.leader();
  if (token !== null) await journal.tenure(token);
  journal.confirmed(token);
  member.kill("SIGTERM");
  expect(await member.exited).toMatchObject({ code: 0 });
}

async function reborn(group: LocalGroup, name: string): Promise<Sidecar> {
  await group.emptyDirectory(name);
  return group.startMember(name);
}

describe.each([3, 5])("a rolling restart of %i pods without volumes", (size) => {
  it("keeps a holder but for handovers, needs no hand, and ends with as many new voters", async () => {
    const group = await startGroup({ size, ...HANDOVER });
    await group.agreed();
    const journal = journalOf(group);
    const before = await members(group, group.names);
    for (const name of group.names.toReversed()) {
      await terminate(group, name, journal);
      const pod = await reborn(group, name);
      const id = await incarnationOf(pod);
      await group.until(`${name} to vote again`, async () => {
        const { members: now, commitIndex, lastIndex } = await clusterOf(await group.holder());
        return commitIndex === lastIndex && now.some((member) => member.id === id && member.voter) ? true : null;
      });
    }
    const after = await members(group, group.names);
    expect(after.groupId).toBe(before.groupId);
    const kept = after.members.filter(({ id }) => before.members.some((member) => member.id === id));
    expect(kept, "every pod is a new incarnation").toStrictEqual([]);
    await journal.stop();
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("scaling", () => {
  it("1 to 7 to 1 to 3: five vote, the others stand by and step in, and leaving needs no hand", async () => {
    // As `kubectl scale` does it: the pods' environment still says what it said at first.
    const group = await createGroup({ size: 7, env: { TENURE_REPLICAS: "1", TENURE_SIGTERM: "handover" } });
    await group.startMember("app-0");
    await group.agreed();
    const journal = journalOf(group);
    for (const name of group.names.slice(1)) await group.startMember(name);
    const seven = await members(group, group.names.slice(0, 5), 2);
    const learner = group.member("app-6");
    await group.agreed();
    expect(await learner.leader(), "a standby knows the holder").toMatchObject({ reason: "follower" });

    await terminate(group, "app-2", journal);
    await group.until("a standby in its place", async () => {
      const { members: now } = await clusterOf(await group.holder());
      const voters = now.filter(({ voter }) => voter).map(({ name }) => name);
      return now.length === 6 && voters.length === 5 && !voters.includes("app-2") ? true : null;
    });
    for (const name of ["app-6", "app-5", "app-4", "app-3", "app-1"]) await terminate(group, name, journal);
    await members(group, ["app-0"]);
    for (const name of ["app-1", "app-2"]) await reborn(group, name);
    const three = await members(group, ["app-0", "app-1", "app-2"]);
    expect(three.groupId).toBe(seven.groupId);
    await journal.stop();
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("a pod that was told that it is alone", () => {
  it("joins the group that its set was scaled up to, instead of forming a second one", async () => {
    const group = await createGroup({ size: 3, env: { TENURE_REPLICAS: "1" } });
    for (const name of group.names) await group.startMember(name);
    const before = await members(group, group.names);
    const journal = journalOf(group);
    await group.member("app-0").crash();
    const back = await reborn(group, "app-0");
    const id = await incarnationOf(back);
    const after = await group.until("app-0 in its place", async () => {
      const cluster = await clusterOf(await group.holder());
      return cluster.members.length === 3 && cluster.members.some((member) => member.id === id) ? cluster : null;
    });
    expect(after.groupId).toBe(before.groupId);
    expect((await clusterOf(back)).groupId).toBe(before.groupId);
    await journal.stop();
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("a removed incarnation", () => {
  it("that comes back on its old disk learns that it is out, and joins as a new one", async () => {
    const group = await startGroup({ size: 3, ...HANDOVER });
    const holder = await group.agreed();
    const [follower] = group.othersThan(holder);
    if (follower === undefined) throw new Error("there are three");
    const old = await incarnationOf(follower);
    follower.kill("SIGTERM");
    await follower.exited;
    await members(
      group,
      group.names.filter((name) => name !== follower.name),
    );
    const back = await group.startMember(follower.name);
    expect(await incarnationOf(back), "its disk still says who it was").toBe(old);
    const { members: now } = await members(group, group.names);
    expect(now.every(({ id }) => id !== old)).toBe(true);
    await back.logged(({ event }) => event === "removed");
  });
});

describe("losing everything", () => {
  it("the group forms again by itself, and its tokens are larger than any before", async () => {
    const group = await startGroup({ size: 3 });
    const first = await group.agreed();
    const { token } = await first.leader();
    const { groupId } = await clusterOf(first);
    await Promise.all(group.members.map((member) => member.crash()));
    for (const name of group.names) await group.emptyDirectory(name);
    await Promise.all(group.names.map((name) => group.startMember(name)));
    const next = await group.agreed();
    expect((await next.leader()).token).toBeGreaterThan(token ?? Infinity);
    expect((await clusterOf(next)).groupId).not.toBe(groupId);
  });
});

describe("losing a majority", () => {
  it("the survivor never holds and says what to type; its rescue makes larger tokens, and others join", async () => {
    const group = await startGroup({ size: 3 });
    const holder = await group.agreed();
    const { token } = await holder.leader();
    const journal = journalOf(group);
    await journal.tenure(token);
    const { groupId } = await clusterOf(holder);
    const others = group.othersThan(holder).map(({ name }) => name);
    const rescue = (body: unknown): Promise<{ readonly status: number; readonly text: string }> =>
      holder.ask("POST", "/rescue", { body: JSON.stringify(body) });

    const [first, second] = others;
    if (first === undefined || second === undefined) throw new Error("there are three");
    await group.member(first).crash();
    await group.member(second).crash();
    expect((await rescue({ confirm: groupId })).text, "both could be alive").toContain("rescue_refused");
    await reborn(group, first);
    await reborn(group, second);
    const trouble = await group.until("words of what is lost", async () => {
      const cluster = await clusterOf(holder);
      return cluster.trouble?.includes("majority is lost") === true ? cluster.trouble : null;
    });
    expect(trouble).toContain(first);
    expect(await holder.metric("tenure_rescue_needed")).toBe(1);
    expect((await rescue({ confirm: "0".repeat(32) })).status, "of another group").toBe(409);
    expect((await group.answers()).filter(({ isLeader }) => isLeader)).toStrictEqual([]);

    expect(await rescue({ confirm: groupId })).toMatchObject({ status: 200 });
    const after = await members(group, group.names);
    expect(after.groupId).not.toBe(groupId);
    expect((await (await group.agreed()).leader()).token).toBeGreaterThan(token ?? Infinity);
    expect(await holder.metric("tenure_rescue_needed")).toBe(0);
    await journal.stop();
    expect(journal.violations()).toStrictEqual([]);
  });
});
