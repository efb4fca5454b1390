/** Whole nodes: how an incarnation gets out of its group, and how it learns of it (DESIGN, Membership). */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { SILENT_LEARNER_MS } from "../../../src/node/membership.ts";
import type { TransportHandlers } from "../../../src/ports/transport.ts";
import { NodeWorld, nameOf } from "../../support/node-world.ts";

async function formed(size: number, ephemeral = true): Promise<NodeWorld> {
  const world = await NodeWorld.formed(size, { ephemeral });
  onTestFinished(() => world.close());
  return world;
}

async function withStandby(): Promise<NodeWorld> {
  const world = await formed(5);
  await world.add(5, { replicas: 6 });
  await world.until("it listens", () => world.isMember(5));
  await world.run(1_000);
  return world;
}

describe("a member that is stopped", () => {
  it("leaves, if its disk goes with it: a follower, the leader, but not the last one", async () => {
    const world = await formed(3);
    const follower = world.follower();
    await world.stop(follower);
    expect(world.configuration().voters).toHaveLength(2);
    await world.stop(world.leader());
    await world.until("one is left", () => world.holders().length === 1 && world.configuration().voters.length === 1);
    const last = world.leader();
    await world.stop(last);
    await world.start(last);
    await world.until("it goes on", () => world.holders()[0] === last);
  });

  it("stays a member, if its disk stays", async () => {
    const world = await formed(3, false);
    await world.stop(world.follower());
    await world.run(5_000);
    expect(world.configuration().voters).toHaveLength(3);
  });

  it("and is started again on the disk of the incarnation that left comes back as a new one", async () => {
    const world = await formed(3);
    const leaver = world.follower();
    const old = world.self(leaver).id;
    await world.stop(leaver);
    await world.start(leaver);
    await world.until("it is back", () => world.configuration().voters.length === 3 && world.isMember(leaver));
    expect(world.self(leaver).id).not.toBe(old);
  });

  it("comes back also where its farewell was lost: a standby, which nobody asks for a vote", async () => {
    const world = await withStandby();
    for (const from of [0, 1, 2, 3, 4]) world.network.cut(nameOf(from), nameOf(5));
    await world.stop(5);
    await world.until("it is out", () => world.configuration().learners.length === 0, 3 * SILENT_LEARNER_MS);
    world.network.heal();
    await world.start(5);
    await world.until("it listens again", () => world.isMember(5));
  });
});

describe("a member that is silent", () => {
  it("votes on for ever: silence alone removes no voter", async () => {
    const world = await formed(3);
    world.cutOff(world.follower());
    await world.run(2 * SILENT_LEARNER_MS);
    expect(world.configuration().voters).toHaveLength(3);
  });

  it("a standby is forgotten in the end, and learns of it once it can hear again", async () => {
    const world = await withStandby();
    world.cutOff(5);
    const old = world.self(5).id;
    await world.until("it is forgotten", () => world.configuration().learners.length === 0, 3 * SILENT_LEARNER_MS);
    world.network.heal();
    await world.until("it listens again", () => world.isMember(5));
    expect(world.self(5).id).not.toBe(old);
  });
});

describe("a member that was away while others came", () => {
  it("catches up with a leader whose name it has never heard", async () => {
    const world = await formed(3);
    const away = world.follower();
    world.cutOff(away);
    await world.add(3, { replicas: 4 });
    world.cut(away, 3);
    await world.until("four voters", () => world.configuration().voters.length === 4);
    await world.moveTo(3);
    world.network.heal();
    await world.until("it knows", () => world.core(away)?.configuration.voters.length === 4);
  });

  it("makes a majority with two whose names it has never heard", async () => {
    const world = await formed(3);
    const away = world.follower();
    world.cutOff(away);
    for (const ordinal of [3, 4]) {
      await world.add(ordinal, { replicas: 5 });
      world.cut(away, ordinal);
      await world.until("it votes", () => world.configuration().voters.length === ordinal + 1);
    }
    for (const ordinal of [0, 1, 2]) if (ordinal !== away) await world.kill(ordinal);
    world.network.heal();
    await world.until("a holder", () => world.holders().length === 1);
  });
});

describe("a word that somebody is out", () => {
  it("counts for the group that it names, and for no other", async () => {
    const world = await formed(3);
    const follower = world.follower();
    await world.kill(follower);
    let message: TransportHandlers["message"] | null = null;
    await world.start(follower, ({ options: { transport } }) => {
      const start = transport.start.bind(transport);
      vi.spyOn(transport, "start").mockImplementation((local, handlers) => {
        ({ message } = handlers);
        return start(local, handlers);
      });
    });
    const { id } = world.self(follower);
    const hears = (groupId: string): void => {
      present(message, "it listens")(world.self(world.leader()), { kind: "removed", groupId, member: id }, null);
    };
    hears("e".repeat(32));
    await world.run(1_000);
    expect(world.self(follower).id).toBe(id);
    hears(present(world.node(follower).groupId, "it is a member"));
    await world.until("it starts anew", () => world.self(follower).id !== id);
  });
});

describe("those who stay", () => {
  it("keep no connection to who has left, and one to who came, whoever told them", async () => {
    const world = await formed(4);
    const watcher = world.follower();
    const leaver = present(
      world.ordinals().find((at) => at !== watcher && at !== world.leader()),
      "somebody else",
    );
    const setPeers = vi.spyOn(world.node(watcher).options.transport, "setPeers");
    const names = (): readonly string[] => setPeers.mock.lastCall?.[0] ?? [];
    await world.stop(leaver);
    await world.until("it is forgotten", () => !names().includes(nameOf(leaver)), 15_000);
    // Its own connections to the watcher are cut: only the configuration tells of it.
    world.network.cut(nameOf(4), nameOf(watcher));
    await world.add(4, { replicas: 4 });
    await world.until("it is known", () => names().includes(nameOf(4)), 5_000);
  });
});
