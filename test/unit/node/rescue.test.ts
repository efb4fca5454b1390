/** Rescue: allowed only while no leader can be elected without it (DESIGN, Membership). */
import { describe, expect, it, onTestFinished } from "vitest";
import { messageOf } from "../../../src/base/errors.ts";
import { logIndex, type Member, type MemberId, term } from "../../../src/base/types.ts";
import { isMajorityGone, refusal, replaced, snapshotOfRescue, type Survey } from "../../../src/node/rescue.ts";
import { Core } from "../../../src/raft/core.ts";
import { memberAt, TOKEN_BASE } from "../../support/cluster.ts";
import { baseOf, claim, configurationOf, hardStateOf, noop, nowOf } from "../../support/entries.ts";
import { NodeWorld } from "../../support/node-world.ts";
import { outgrow } from "../../support/outgrown.ts";
import { TIMING } from "../../support/timing.ts";

const m = (position: number): Member => memberAt(position);

/** m0 looks around among so many voters; `seen` says which incarnation it is connected to under a name. */
function survey(voters: number, seen: Readonly<Record<string, MemberId>> = {}, self = m(0)): Survey {
  const connectedId = (name: string): MemberId | null => seen[name] ?? null;
  const all = Array.from({ length: voters }, (_, at) => m(at));
  return { self, voters: all, votes: all.some(({ id }) => id === self.id), connectedId };
}

const REBORN = { m1: m(11).id, m2: m(12).id };

describe("a rescue", () => {
  it.each([
    { voters: 1, seen: {}, lost: [], refused: true, why: "the only voter is alive" },
    { voters: 2, seen: {}, lost: [], refused: true, why: "m1 is silent, which says nothing" },
    { voters: 2, seen: { m1: m(11).id }, lost: [], refused: false, why: "one of two is no majority" },
    { voters: 3, seen: {}, lost: [], refused: true, why: "both others are silent" },
    { voters: 3, seen: { m1: m(11).id }, lost: [], refused: true, why: "m0 and m2 could elect a leader" },
    { voters: 3, seen: REBORN, lost: [], refused: false, why: "both others came back empty" },
    { voters: 3, seen: {}, lost: ["m1"], refused: true, why: "one lost of three is not enough" },
    { voters: 3, seen: {}, lost: ["m1", "m2"], refused: false, why: "a person says that both are gone" },
    { voters: 3, seen: { m2: m(12).id }, lost: ["m1"], refused: false, why: "one reborn, one lost by a person's word" },
    { voters: 3, seen: { m1: m(1).id }, lost: ["m1", "m2"], refused: true, why: "m1 is called lost, and answers" },
    { voters: 3, seen: {}, lost: ["m0", "m1"], refused: true, why: "m0 cannot call itself lost" },
    { voters: 3, seen: {}, lost: ["m7", "m8"], refused: true, why: "nobody knows m7 and m8" },
    { voters: 5, seen: REBORN, lost: [], refused: true, why: "three of five may be alive" },
    { voters: 5, seen: REBORN, lost: ["m3"], refused: false, why: "two of five are no majority" },
  ])("of $voters voters: refused is $refused, because $why", ({ voters, seen, lost, refused }) => {
    expect(refusal(survey(voters, seen), lost) !== null).toBe(refused);
  });

  it("is refused while a standby may have become a voter meanwhile, seen or not", () => {
    const standbys = [m(3), m(4)];
    const of = (seen: Readonly<Record<string, MemberId>>): Survey => ({
      ...survey(3, { ...REBORN, ...seen }),
      standbys,
    });
    expect(refusal(of({}), [])).toContain("m3, m4 stood by");
    expect(refusal(of({ m3: m(3).id }), ["m4"])).toContain("m3 stood by");
    expect(refusal(of({ m3: m(3).id }), ["m3", "m4"])).toContain("m3 answers");
    expect(refusal(of({ m3: m(13).id, m4: m(14).id }), []), "both came back empty").toBeNull();
    expect(refusal(of({}), ["m3", "m4"]), "a person says that both are gone").toBeNull();
  });

  it("by a standby counts the voters, and its own namesake among them as gone", () => {
    const reborn = { id: m(10).id, name: "m0" };
    const seen = survey(3, { m1: m(11).id }, reborn);
    expect(replaced(seen)).toEqual([m(0), m(1)]);
    expect(isMajorityGone(seen)).toBe(true);
    expect(isMajorityGone(survey(3, { m1: m(11).id }))).toBe(false);
  });

  it("by a standby is refused while one voter may live: without it, a smaller majority may have been agreed on", () => {
    const reborn = { id: m(10).id, name: "m0" };
    expect(refusal(survey(3, { m1: m(11).id }, reborn), [])).toContain("this pod has no vote, and m2 may have");
    expect(refusal(survey(3, REBORN, reborn), []), "no voter is left").toBeNull();
    expect(refusal(survey(3, { m1: m(11).id }, reborn), ["m2"]), "by a person's word").toBeNull();
  });

  it("counts a standby that it is about to promote as a voter, and names each standby once", () => {
    const seen = { ...survey(3, REBORN), standbys: [m(2), m(4), m(4)] };
    expect(refusal(seen, [])).toMatch(/^m4 stood by/u);
    expect(refusal(seen, ["m4"])).toBeNull();
  });

  it("begins above every index and token that the old group can have given, and shuts out its incarnations", () => {
    const configuration = configurationOf([0, 1, 2], [3]);
    const core = new Core({
      self: m(0),
      timing: TIMING,
      priority: 0,
      seed: 1,
      base: baseOf(configuration, 0, 0),
      tokenBase: TOKEN_BASE,
      lock: [],
      removed: [],
      hardState: hardStateOf(4),
      entries: [noop(1, 4), claim(2, 4, 1)],
      bootedAt: nowOf(0),
    });
    const snapshot = snapshotOfRescue({
      self: m(0),
      view: core.view(nowOf(0)),
      committed: configuration,
      term: term(4),
      removed: [m(9).id],
      oldTokenBase: TOKEN_BASE,
      groupId: "f".repeat(32),
      wallSeconds: 0,
    });
    expect(snapshot).toMatchObject({ index: logIndex(3), term: 4, configuration: configurationOf([0]) });
    expect(snapshot.removed).toEqual([m(1).id, m(2).id, m(3).id, m(9).id]);
    expect(snapshot.tokenBase).toBeGreaterThan(TOKEN_BASE + 2 ** 21);
  });
});

describe("a rescue among whole nodes", () => {
  async function formed(): Promise<NodeWorld> {
    const world = await NodeWorld.formed(3);
    onTestFinished(() => world.close());
    return world;
  }

  async function rescueBy(world: NodeWorld, ordinal: number): Promise<string | null> {
    const node = world.node(ordinal);
    return node.rescue(String(node.groupId), []).then(() => null, messageOf);
  }

  it("of the one that is left makes a group that the reborn ones join, with larger tokens", async () => {
    const world = await formed();
    const survivor = world.leader();
    const others = [0, 1, 2].filter((ordinal) => ordinal !== survivor);
    const before = world.core(survivor)?.lockView(world.clock.now()).held?.tenure.token ?? 0;
    expect(await rescueBy(world, survivor)).toContain("may still be alive");
    for (const ordinal of others) await world.kill(ordinal, "lost");
    for (const ordinal of others) await world.start(ordinal);
    await world.until("a rescue is called for", () => world.node(survivor).rescueNeeded);
    const node = world.node(survivor);
    expect(await node.rescue("f".repeat(32), []).then(() => null, messageOf)).toContain("to confirm, give the id");
    expect(await rescueBy(world, survivor)).toBeNull();
    expect(
      world
        .core(survivor)
        ?.view(world.clock.now())
        .history.map(({ token }) => token),
    ).toContain(before);
    await world.until(
      "three voters again",
      () => world.holders()[0] === survivor && world.configuration().voters.length === 3,
    );
    expect(world.core(survivor)?.lockView(world.clock.now()).held?.tenure.token).toBeGreaterThan(before);
  });

  it("is refused where the slots were taken by members of the same group: it goes on without this one", async () => {
    const world = await formed();
    const { away, others } = await outgrow(world, 3);
    for (const ordinal of others) {
      await world.kill(ordinal, "lost");
      await world.start(ordinal);
      await world.until(
        "it was replaced",
        () => world.isMember(ordinal) && world.configuration().learners.length === 0,
      );
    }
    world.network.heal();
    for (const ordinal of [3, 4]) world.cut(away, ordinal);
    await world.run(3_000);
    expect(world.holders()).toEqual([4]);
    expect(await rescueBy(world, away)).not.toBeNull();
    expect(world.node(away).rescueNeeded).toBe(false);
    expect(await world.mostHolders(5_000)).toBe(1);
  });

  it("leaves another survivor in the old group, where it never holds, until its directory is emptied", async () => {
    const world = await NodeWorld.formed(5);
    onTestFinished(() => world.close());
    const survivor = world.leader();
    const lost = [0, 1, 2, 3, 4].filter((ordinal) => ordinal !== survivor).slice(0, 3);
    for (const ordinal of lost) await world.kill(ordinal, "lost");
    for (const ordinal of lost) await world.start(ordinal);
    await world.until("a rescue is called for", () => world.node(survivor).rescueNeeded);
    expect(await rescueBy(world, survivor)).toBeNull();
    await world.until("four voters", () => world.holders().length === 1 && world.configuration().voters.length === 4);
    const left = [0, 1, 2, 3, 4].find((ordinal) => ordinal !== survivor && !lost.includes(ordinal)) ?? -1;
    expect(await world.mostHolders(5_000)).toBe(1);
    expect(world.node(left).groupId).not.toBe(world.node(survivor).groupId);
    await world.kill(left, "lost");
    await world.start(left);
    await world.until("five voters", () => world.holders().length === 1 && world.configuration().voters.length === 5);
  });
});
