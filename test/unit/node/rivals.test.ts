/** Whole nodes: two groups of one name, which only persons can make, are noticed (ADR 9). */
import { describe, expect, it, onTestFinished } from "vitest";
import { messageOf } from "../../../src/base/errors.ts";
import { memberId } from "../../../src/base/types.ts";
import { NodeApplication } from "../../../src/node/application.ts";
import { refusal } from "../../../src/node/rescue.ts";
import { NodeWorld, nameOf } from "../../support/node-world.ts";

/** Five pods of which three came back empty; the two that are left. */
async function twoSurvivors(): Promise<{ world: NodeWorld; survivors: readonly [number, number] }> {
  const world = await NodeWorld.formed(5);
  onTestFinished(() => world.close());
  const first = world.leader();
  const second = world.follower();
  const lost = [0, 1, 2, 3, 4].filter((ordinal) => ordinal !== first && ordinal !== second);
  for (const ordinal of lost) await world.kill(ordinal, "lost");
  for (const ordinal of lost) await world.start(ordinal);
  await world.until("a rescue is called for", () => world.node(first).rescueNeeded && world.node(second).rescueNeeded);
  return { world, survivors: [first, second] };
}

async function rescueBy(world: NodeWorld, ordinal: number, lost: readonly string[] = []): Promise<string | null> {
  const node = world.node(ordinal);
  return node.rescue(String(node.groupId), lost).then(() => null, messageOf);
}

describe("a rescue of a group that goes on", () => {
  it("is refused whatever a person says of the others", () => {
    const [self, old, newer] = ["a", "b", "c"].map((digit, at) => ({
      id: memberId(digit.repeat(32)),
      name: nameOf(at),
    }));
    if (self === undefined || old === undefined || newer === undefined) throw new Error("three of them");
    const survey = { self, voters: [self, old], votes: true, connectedId: () => null };
    expect(refusal(survey, [old.name])).toBeNull();
    expect(refusal({ ...survey, strangers: [newer] }, [old.name])).toContain("goes on without this pod");
  });
});

describe("a second rescue", () => {
  it("is refused in another survivor, which sees that there is a group already", async () => {
    const { world, survivors } = await twoSurvivors();
    const [first, second] = survivors;
    expect(await rescueBy(world, first)).toBeNull();
    await world.run(100);
    expect(await rescueBy(world, second)).toContain(`${nameOf(first)} is in another group`);
    expect(await world.mostHolders(5_000)).toBe(1);
  });

  it("is possible by a person's word, and then both groups say that there are two", async () => {
    const { world, survivors } = await twoSurvivors();
    const [first, second] = survivors;
    expect(await rescueBy(world, first)).toBeNull();
    await world.run(100);
    expect(await rescueBy(world, second, [nameOf(first)])).toBeNull();
    await world.run(100);
    expect(new NodeApplication(world.node(second)).cluster().trouble).toContain(nameOf(first));
  });
});

describe("what is left of a group that was given up", () => {
  /** A group of six whose standby was away when the rest was rescued, and is back. */
  async function standbyOfOld(): Promise<{ world: NodeWorld; old: string }> {
    const world = await NodeWorld.formed(6);
    onTestFinished(() => world.close());
    const survivor = world.leader();
    const old = world.self(5).id;
    world.cutOff(5);
    for (const ordinal of [0, 1, 2, 3, 4].filter((other) => other !== survivor)) {
      await world.kill(ordinal, "lost");
      await world.start(ordinal);
    }
    await world.until("a rescue is called for", () => world.node(survivor).rescueNeeded);
    expect(await rescueBy(world, survivor, [nameOf(5)])).toBeNull();
    const votes = (): boolean => world.holders().length === 1 && world.roles() === "app-0 app-1 app-2 app-3 app-4";
    await world.until("the new group votes", votes);
    world.network.heal();
    return { world, old };
  }

  it("goes over to the new one if it only stood by, as a new member", async () => {
    const { world, old } = await standbyOfOld();
    await world.until("it stands by", () => world.roles() === "app-0 app-1 app-2 app-3 app-4 + app-5");
    expect(world.self(5).id).not.toBe(old);
    const stranded = world.events.flatMap(({ name, event }) => (event.kind === "stranded" ? [name] : []));
    expect(stranded).toEqual([nameOf(5)]);
  });

  /** A standby that hears again and again that these are in another group; whether it is still who it was. */
  async function staysBeside(world: NodeWorld, rivals: readonly number[]): Promise<boolean> {
    const { id } = world.self(5);
    for (let times = 0; times < 20; times += 1) {
      for (const rival of rivals) world.node(5).peers.otherGroup(nameOf(rival), true);
      await world.run(500);
    }
    expect(world.node(5).rivals).toEqual(rivals.map(nameOf));
    return world.self(5).id === id;
  }

  it("stays where it is while it is led, whatever others say of their group", async () => {
    const world = await NodeWorld.formed(6);
    onTestFinished(() => world.close());
    expect(await staysBeside(world, [0, 1, 2, 3, 4])).toBe(true);
  });

  it("stays where it is while one voter may come back", async () => {
    const world = await NodeWorld.formed(6);
    onTestFinished(() => world.close());
    world.cutOff(5);
    expect(await staysBeside(world, [0, 1, 2, 3])).toBe(true);
    expect(await staysBeside(world, [0, 1, 2, 3, 4])).toBe(false);
  });

  it("stays where it is while it has a vote, for a person to decide", async () => {
    const { world, survivors } = await twoSurvivors();
    const [first, second] = survivors;
    const old = world.self(second).id;
    expect(await rescueBy(world, first)).toBeNull();
    await world.run(10_000);
    expect(world.self(second).id).toBe(old);
    expect(new NodeApplication(world.node(second)).cluster().trouble).toContain(nameOf(first));
  });
});
