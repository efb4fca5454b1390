/** Whole nodes: who waits for a change is told of each, whoever looks at the node meanwhile. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { NodeApplication } from "../../../src/node/application.ts";
import type { LeaderAnswer } from "../../../src/ports/application.ts";
import { NodeWorld } from "../../support/node-world.ts";
import { D, U } from "../../support/timing.ts";

const STEP_MS = 10;

async function worldOf(size: number): Promise<NodeWorld> {
  const world = await NodeWorld.formed(size);
  onTestFinished(() => world.close());
  return world;
}

interface Told {
  readonly atMs: number;
  readonly answer: LeaderAnswer;
}

function listen(world: NodeWorld, application: NodeApplication): readonly Told[] {
  const told: Told[] = [];
  application.onChange(() => told.push({ atMs: world.clock.nowMs, answer: application.leader() }));
  return told;
}

/** A follower that is alone from now on, and when it last heard its leader. */
async function abandoned(): Promise<{ world: NodeWorld; application: NodeApplication; heardAt: number }> {
  const world = await worldOf(3);
  const follower = world.follower();
  const application = new NodeApplication(world.node(follower));
  expect(application.leader()).toMatchObject({ reason: "follower", name: expect.any(String) as string });
  for (const other of world.ordinals()) if (other !== follower) await world.kill(other);
  const core = present(world.core(follower), "it is a member");
  return { world, application, heardAt: present(core.lockView(world.clock.now()).leaderSeenAt, "it heard a leader") };
}

describe("whoever waits for a change", () => {
  it("is told when time alone brings it: the holder's name goes after U, the hope for a quorum after D", async () => {
    const { world, application, heardAt } = await abandoned();
    const told = listen(world, application);
    await world.run(3 * D);
    const nameless = told.find(({ answer }) => answer.name === null);
    expect(nameless?.atMs).toBeLessThanOrEqual(heardAt + U + STEP_MS);
    const hopeless = told.find(({ answer }) => answer.reason === "no-quorum");
    expect(hopeless?.atMs).toBeLessThanOrEqual(heardAt + D + STEP_MS);
  });

  it("is told by a standby that has come back and finds nobody", async () => {
    const world = await NodeWorld.formed(6, { ephemeral: false });
    onTestFinished(() => world.close());
    for (const ordinal of world.ordinals()) await world.kill(ordinal);
    await world.start(5);
    const startedAt = world.clock.nowMs;
    const application = new NodeApplication(world.node(5));
    expect(application.leader().reason).toBe("starting");
    const told = listen(world, application);
    await world.run(3 * D);
    expect(told.map(({ answer }) => answer.reason)).toEqual(["no-quorum"]);
    expect(told[0]?.atMs).toBeLessThanOrEqual(startedAt + D + STEP_MS);
  });

  it("is told that the lease is over by a holder whose disk hangs", async () => {
    const world = await worldOf(3);
    const holder = world.leader();
    const application = new NodeApplication(world.node(holder));
    expect(application.leader().isLeader).toBe(true);
    const told = listen(world, application);
    const { storage } = world.node(holder).options;
    let hungAt: number | null = null;
    const goOn = Promise.withResolvers<void>();
    onTestFinished(() => goOn.resolve());
    vi.spyOn(storage, "append").mockImplementation(() => {
      hungAt ??= world.clock.nowMs;
      return goOn.promise;
    });
    // Whoever joins makes the leader write.
    await world.add(3, { replicas: 3 });
    await world.until("a write hangs", () => hungAt !== null);
    await world.until("the application is told", () => told.some(({ answer }) => !answer.isLeader));
    expect(told[0]?.atMs).toBeLessThanOrEqual((hungAt ?? 0) + U + STEP_MS);
  });

  it("is told although a poll or a scrape saw it first, and with the index that the poll had", async () => {
    const { world, application } = await abandoned();
    const told = listen(world, application);
    const polled = new Set([application.leader().index]);
    for (let elapsedMs = 0; elapsedMs < 3 * D; elapsedMs += STEP_MS) {
      await world.run(STEP_MS);
      application.sample();
      polled.add(application.leader().index);
    }
    expect(polled.size).toBeGreaterThan(2);
    expect(told.map(({ answer }) => answer.index)).toEqual([...polled].slice(1));
  });

  it("is told even if the poll came in the very instant of the change, before any timer", async () => {
    const { world, application, heardAt } = await abandoned();
    const told = listen(world, application);
    await world.until("the instant before", () => world.clock.nowMs + STEP_MS >= heardAt + U);
    expect(told).toEqual([]);
    world.clock.nowMs = heardAt + U;
    expect(application.leader().name).toBeNull();
    await Promise.resolve();
    expect(told.map(({ answer }) => answer.name)).toEqual([null]);
  });

  it("is told together with everyone else who waits, and no more after it has left", async () => {
    const { world, application } = await abandoned();
    const [first, second] = [listen(world, application), listen(world, application)];
    let afterwards = 0;
    application.onChange(() => (afterwards += 1))();
    await world.run(3 * D);
    expect(first.length).toBeGreaterThan(1);
    expect(second).toEqual(first);
    expect(afterwards).toBe(0);
  });

  it("is told when a pod is back with its state", async () => {
    const world = await NodeWorld.formed(3, { ephemeral: false });
    onTestFinished(() => world.close());
    const follower = world.follower();
    await world.kill(follower);
    world.cutOff(follower);
    const told: string[] = [];
    await world.start(follower, (node) => {
      const application = new NodeApplication(node);
      expect(application.leader().term).toBe(0);
      application.onChange(() => told.push(String(application.leader().term)));
    });
    await Promise.resolve();
    expect(told[0]).toBe(String(world.core(follower)?.lockView(world.clock.now()).term));
  });

  it("is told when a pod without a group hears of one", async () => {
    const world = await worldOf(2);
    world.cut(2, 0);
    world.cut(2, 1);
    await world.add(2, { replicas: 3 });
    const application = new NodeApplication(world.node(2));
    expect(application.leader().reason).toBe("starting");
    const told = listen(world, application);
    world.network.heal();
    await world.until("it is a member", () => world.isMember(2));
    expect(told[0]?.answer.reason).toBe("joining");
  });
});
