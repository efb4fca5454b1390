/** Whole nodes: the end of a process, or a word of its application, between two lives (DESIGN, Membership). */
import { describe, expect, it, onTestFinished } from "vitest";
import { messageOf } from "../../../src/base/errors.ts";
import { type GatedPod, gatedPod } from "../../support/gated-pod.ts";
import { NodeWorld } from "../../support/node-world.ts";

/** A pod that is alone in its set, and whose disk hangs as it forms its group. */
async function formingPod(): Promise<{ world: NodeWorld; pod: GatedPod }> {
  const world = new NodeWorld();
  const pod = gatedPod(world, { ordinal: 0, replicas: 1 });
  await pod.node.start();
  pod.shut();
  await world.until("a write of the formation waits", () => pod.waits);
  onTestFinished(async () => {
    pod.open();
    await pod.node.close();
  });
  return { world, pod };
}

/** A member whose disk hangs as it forgets everything, because it was removed. */
async function wipingPod(): Promise<{ world: NodeWorld; pod: GatedPod }> {
  const world = await NodeWorld.formed(5);
  const pod = gatedPod(world, { ordinal: 5, replicas: 6 });
  onTestFinished(async () => {
    pod.open();
    await pod.node.close();
    await world.close();
  });
  await pod.node.start();
  await world.until("it listens", () => world.configuration().learners.length === 1 && pod.node.group !== null);
  world.cutOff(5);
  for (const ordinal of world.ordinals()) world.cut(5, ordinal);
  await world.until("it is forgotten", () => world.configuration().learners.length === 0, 200_000);
  pod.shut();
  world.network.heal();
  await world.until("it has heard of it", () => pod.node.group === null && pod.waits);
  return { world, pod };
}

describe("a process that is told to stop while it enters a group", () => {
  it("ends in order: nothing writes once the storage is closed", async () => {
    const { world, pod } = await formingPod();
    const closed = pod.node.close();
    pod.open();
    await closed;
    await world.run(3_000);
    expect(pod.failures).toEqual([]);
  });

  it("leaves the group that it has entered by then, and holds nothing any more", async () => {
    const { world, pod } = await formingPod();
    const leaving = pod.node.leave(true);
    pod.open();
    let left = false;
    void leaving.then(() => (left = true));
    await world.until("it has left", () => left);
    await world.run(3_000);
    expect(pod.node.group?.standing(world.clock.now()).isLeader ?? false).toBe(false);
    await pod.node.close();
    await world.run(1_000);
    expect(pod.failures).toEqual([]);
  });

  it("enters none after that", async () => {
    const world = new NodeWorld();
    const pod = gatedPod(world, { ordinal: 0, replicas: 2 });
    onTestFinished(() => world.close());
    await pod.node.start();
    await pod.node.leave(true);
    await world.add(1, { replicas: 2 });
    await world.run(3_000);
    expect(pod.node.groupId).toBeNull();
    await pod.node.close();
  });
});

describe("a process that is told to stop while it forgets its past life", () => {
  it("ends in order: what is under way is finished first", async () => {
    const { world, pod } = await wipingPod();
    const left = pod.node.leave(true);
    const closed = left.then(() => pod.node.close());
    pod.open();
    await closed;
    await world.run(1_000);
    expect(pod.failures).toEqual([]);
  });

  it("and also where it is not told first", async () => {
    const { world, pod } = await wipingPod();
    const closed = pod.node.close();
    pod.open();
    await closed;
    await world.run(1_000);
    expect(pod.failures).toEqual([]);
  });
});

describe("what an application or a person says between two lives", () => {
  it("is kept: an application that takes itself out of the running stays out", async () => {
    const world = await NodeWorld.formed(3);
    onTestFinished(() => world.close());
    const [survivor] = world.holders();
    if (survivor === undefined) throw new Error("somebody holds");
    const lost = [0, 1, 2].filter((ordinal) => ordinal !== survivor);
    for (const ordinal of lost) await world.kill(ordinal, "lost");
    const node = world.node(survivor);
    await world.until("it lost its lease", () => world.holders().length === 0);
    const old = node.group;
    const rescued = node.rescue(
      String(node.groupId),
      lost.map((ordinal) => `app-${ordinal}`),
    );
    await old?.setEligible(false);
    await rescued;
    expect(node.eligible).toBe(false);
  });

  it("an order to form a group is answered: once it is durable, or with a refusal when the process stops", async () => {
    const world = new NodeWorld();
    const pod = gatedPod(world, { ordinal: 0, replicas: 3 });
    await pod.node.start();
    await world.run(100);
    pod.shut();
    let done = false;
    const forming = pod.node.init().then(() => (done = true));
    await world.run(100);
    expect(done).toBe(false);
    pod.open();
    await forming;
    expect(pod.node.groupId).not.toBeNull();
    await pod.node.close();

    const stopped = gatedPod(new NodeWorld(), { ordinal: 0, replicas: 3 });
    await stopped.node.start();
    await stopped.node.close();
    expect(await stopped.node.init().then(() => null, messageOf)).toContain("ordinal 0");
  });
});
