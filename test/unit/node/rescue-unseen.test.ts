/**
 * Whole nodes: what a pod that was away does not know of its group, and what therefore must not happen (DESIGN,
 * Membership and Formation). Each of these once made two holders.
 */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { messageOf } from "../../../src/base/errors.ts";
import { NodeWorld } from "../../support/node-world.ts";
import { outgrow } from "../../support/outgrown.ts";

const LIMIT_MS = 60_000;

async function formed(size: number): Promise<NodeWorld> {
  const world = await NodeWorld.formed(size);
  onTestFinished(() => world.close());
  return world;
}

/** Gets SIGTERM, leaves, and loses its disk. */
async function depart(world: NodeWorld, ordinal: number): Promise<void> {
  let left = false;
  void world
    .node(ordinal)
    .leave(true)
    .then(() => (left = true));
  await world.until("it has left", () => left);
  await world.kill(ordinal, "lost");
}

async function rescueOf(world: NodeWorld, ordinal: number): Promise<string | null> {
  const node = world.node(ordinal);
  const answer = node.rescue(String(node.groupId), []).then(() => null, messageOf);
  await world.run(500);
  return answer;
}

describe("a pod that was away", { timeout: LIMIT_MS }, () => {
  it("is not rescued beside newcomers that go on, of the set, whom it neither knows nor hears", async () => {
    const world = await formed(3);
    const { away, others } = await outgrow(world, 5);
    for (const ordinal of others) await depart(world, ordinal);
    world.network.heal();
    for (const newcomer of [3, 4]) for (const ordinal of [away, ...others]) world.cut(ordinal, newcomer);
    for (const ordinal of others) await world.start(ordinal);
    await world.run(3_000);
    expect(await rescueOf(world, away)).toContain("does not hear app-3, app-4");
    expect(await world.mostHolders(8_000)).toBe(1);
  });

  it("is not rescued after it has left, although its disk came back", async () => {
    const world = await formed(4);
    if (world.leader() !== 3) await world.moveTo(3);
    await world.run(500);
    void world.node(0).leave(true);
    // Until its log says so, and not until it is committed.
    for (let round = 0; world.core(0)?.isMember !== false; round += 1) {
      if (round % 6 === 0) world.clock.advance();
      await turn();
    }
    world.cutOff(0);
    await world.kill(0, "kept");
    await world.until("0 is out", () => world.configuration().voters.length === 3);
    for (const ordinal of [1, 2]) await depart(world, ordinal);
    world.network.heal();
    for (const ordinal of [0, 1, 2]) world.cut(ordinal, 3);
    for (const ordinal of [0, 1, 2]) await world.start(ordinal);
    await world.run(3_000);
    expect(await rescueOf(world, 0)).not.toBeNull();
    expect(await world.mostHolders(6_000)).toBe(1);
  });
});

describe("pods that were empty at different moments", { timeout: LIMIT_MS }, () => {
  it("form no group beside the one that the first of them is all of by now", async () => {
    const world = await formed(3);
    await world.moveTo(2).catch(() => {});
    for (const ordinal of [0, 1]) await depart(world, ordinal);
    world.cut(0, 2);
    world.cut(1, 2);
    await world.start(0);
    await world.start(1);
    await world.run(1_000);
    // 1 has just told 0 that it is empty; now it joins 2, which leaves and is born anew.
    world.network.heal();
    world.cut(0, 1);
    world.cut(0, 2);
    await world.until("1 votes", () => world.configuration().voters.length === 2);
    await depart(world, 2);
    world.network.heal();
    world.cut(0, 1);
    await world.start(2);
    expect(await world.mostHolders(8_000)).toBe(1);
  });
});
