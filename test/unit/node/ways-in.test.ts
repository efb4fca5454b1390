/** Whole nodes: how a pod gets into a group, and what keeps it from making a second one (DESIGN, Membership). */
import { describe, expect, it, onTestFinished } from "vitest";
import { messageOf } from "../../../src/base/errors.ts";
import { SILENT_LEARNER_MS } from "../../../src/node/membership.ts";
import { NodeApplication } from "../../../src/node/application.ts";
import { NodeWorld, nameOf } from "../../support/node-world.ts";

async function formed(size: number, replicas = size): Promise<NodeWorld> {
  const world = await NodeWorld.formed(size, { replicas });
  onTestFinished(() => world.close());
  return world;
}

describe("a pod that asks to be taken in", () => {
  it("listens first, and votes once it has caught up", async () => {
    const world = await formed(3);
    await world.add(3, { replicas: 4 });
    const seen = new Set<string>();
    await world.until("it votes", () => {
      seen.add(world.roles());
      return world.roles() === "app-0 app-1 app-2 app-3";
    });
    expect([...seen][1]).toBe("app-0 app-1 app-2 + app-3");
    expect(world.core(3)?.view(world.clock.now()).history).toEqual(
      world.core(world.leader())?.view(world.clock.now()).history,
    );
  });

  it("stays a learner while there are five voters, and takes the place of one that leaves", async () => {
    const world = await formed(5);
    await world.add(5, { replicas: 6 });
    await world.until("it listens", () => world.roles() === "app-0 app-1 app-2 app-3 app-4 + app-5");
    await world.run(5_000);
    expect(world.roles()).toBe("app-0 app-1 app-2 app-3 app-4 + app-5");
    const leaver = world.follower();
    await world.stop(leaver);
    await world.until("it votes", () => !world.roles().includes("+") && world.isMember(5));
    expect(world.roles()).not.toContain(nameOf(leaver));
  });

  it("takes the place of its name's dead incarnation: added, caught up, the old one out, promoted", async () => {
    const world = await formed(3);
    const reborn = world.follower();
    const old = world.self(reborn).id;
    const before = world.events.length;
    await world.kill(reborn, "lost");
    await world.start(reborn);
    await world.until("it votes", () => world.configuration().voters.some(({ id }) => id === world.self(reborn).id));
    const leader = nameOf(world.leader());
    const steps = world.events.slice(before).flatMap(({ name, event }) => {
      const isStep = name === leader && event.kind === "configurationChanged";
      return isStep ? [`${event.voters.length} voters, ${event.learners.length} learners`] : [];
    });
    expect(steps).toEqual(["3 voters, 1 learners", "2 voters, 1 learners", "3 voters, 0 learners"]);
    expect(world.core(world.leader())?.isRemoved(old)).toBe(true);
  });

  it("is taken in however long the leader has led: nobody is silent who could not have spoken yet", async () => {
    const world = await formed(3);
    await world.run(SILENT_LEARNER_MS + 1_000);
    const reborn = world.follower();
    await world.kill(reborn, "lost");
    await world.start(reborn);
    await world.until("it votes", () => world.isMember(reborn) && world.configuration().learners.length === 0);
    const lives = world.events.filter(({ name, event }) => name === nameOf(reborn) && event.kind === "started");
    expect(lives).toHaveLength(2);
  });

  it("gets in by a leader of a name that its own settings do not tell it", async () => {
    const world = await formed(3);
    await world.add(3, { replicas: 3 });
    await world.until("four voters", () => world.configuration().voters.length === 4);
    await world.moveTo(3);
    await world.add(4, { replicas: 3 });
    await world.until("five voters", () => world.configuration().voters.length === 5);
    expect(world.isMember(4)).toBe(true);
  });

  it("starts again as a new one when it was removed before it ever heard that it was in", async () => {
    const world = await formed(5);
    const answers = [0, 1, 2, 3, 4];
    await world.add(5, { replicas: 6 });
    await world.until("it was taken in", () => {
      const isIn = world.configuration().learners.length === 1;
      if (isIn) for (const from of answers) world.network.cut(nameOf(from), nameOf(5));
      return isIn;
    });
    world.cutOff(5);
    const first = world.self(5).id;
    await world.until("it was forgotten", () => world.configuration().learners.length === 0, 3 * SILENT_LEARNER_MS);
    world.network.heal();
    await world.until("it listens", () => world.isMember(5));
    expect(world.self(5).id).not.toBe(first);
  });
});

describe("a reborn pod 0 of a set that has outgrown its settings", () => {
  async function outgrown(): Promise<NodeWorld> {
    const world = await formed(1);
    for (const ordinal of [1, 2]) await world.add(ordinal, { replicas: 1 });
    await world.until("three voters", () => world.configuration().voters.length === 3);
    await world.kill(0, "lost");
    await world.until("another holder", () => world.holders().length === 1);
    return world;
  }

  const groupsOf = (world: NodeWorld): number => new Set(world.ordinals().map((at) => world.node(at).groupId)).size;

  it("joins the others' group", async () => {
    const world = await outgrown();
    await world.start(0);
    expect(await world.mostHolders(5_000)).toBe(1);
    expect(groupsOf(world)).toBe(1);
    expect(world.isMember(0)).toBe(true);
  });

  it("says for whom it waits: pods, and DNS", async () => {
    const world = new NodeWorld();
    onTestFinished(() => world.close());
    world.dns = "fails";
    await world.add(1, { replicas: 3 });
    await world.run(100);
    const trouble = (): string | null => new NodeApplication(world.node(1)).cluster().trouble;
    expect(trouble()).toMatch(/; no answer from app-0, app-2, DNS$/);
    world.dns = "answers";
    await world.add(0, { replicas: 3 });
    await world.run(500);
    expect(trouble()).toMatch(/; no answer from app-2$/);
    await world.add(2, { replicas: 3 });
    await world.until("a group with a holder", () => world.holders().length === 1);
    expect(trouble()).toBeNull();
  });

  it("makes no second group while no DNS server answers: no answer is no proof", async () => {
    const world = await outgrown();
    world.dns = "fails";
    await world.start(0);
    expect(await world.mostHolders(5_000)).toBe(1);
    world.dns = "answers";
    await world.until("it is in", () => world.isMember(0));
    expect(groupsOf(world)).toBe(1);
  });
});

describe("init, by hand", () => {
  const refusal = (world: NodeWorld, ordinal: number): Promise<string | null> =>
    world
      .node(ordinal)
      .init()
      .then(() => null, messageOf);

  it("makes a group of pod 0 alone, and the others join it", async () => {
    const world = new NodeWorld();
    onTestFinished(() => world.close());
    for (const ordinal of [0, 1]) await world.add(ordinal, { replicas: 3 });
    await world.run(1_000);
    expect(await refusal(world, 0)).toBeNull();
    await world.until("both vote", () => world.holders().length === 1 && world.roles() === "app-0 app-1");
  });

  it("is refused in any other pod: two persons could make two groups", async () => {
    const world = new NodeWorld();
    onTestFinished(() => world.close());
    for (const ordinal of [0, 1]) await world.add(ordinal, { replicas: 3 });
    await world.run(1_000);
    expect(await refusal(world, 1)).toContain("only ordinal 0");
    expect(world.node(1).groupId).toBeNull();
  });

  it("is refused where a pod says that there is a group, also one that nobody leads", async () => {
    const world = await formed(3);
    for (const ordinal of [0, 1]) await world.kill(ordinal, "lost");
    await world.start(0);
    await world.until("it hears of the group", () => world.node(0).outsider);
    expect(await refusal(world, 0)).toContain("a group exists already");
    expect(world.node(0).groupId).toBeNull();
  });
});
