/** What anybody who can reach the peer port may say, and what a node keeps of it (limits.ts; DESIGN, Peers). */
import { describe, expect, it, onTestFinished } from "vitest";
import { MAX_DNS_RECORDS, MAX_MEMBERS, MAX_WALL_SECONDS } from "../../../src/base/limits.ts";
import { type Member, memberId, monotonicMs } from "../../../src/base/types.ts";
import { Contacts } from "../../../src/node/contacts.ts";
import { Formation } from "../../../src/node/formation.ts";
import { Rivals } from "../../../src/node/rivals.ts";
import { gatedPod } from "../../support/gated-pod.ts";
import { NodeWorld, nameOf } from "../../support/node-world.ts";

const FLOOD = 5_000;
const NOW = monotonicMs(1_000);

function stranger(ordinal: number): Member {
  return { id: memberId(String(ordinal).padStart(32, "0")), name: nameOf(ordinal) };
}

const NONCE = "f".repeat(32);

describe("a flood of names", () => {
  it("is kept within a bound while a group forms, and crowds out nobody of the set", () => {
    const formation = new Formation({
      self: stranger(0),
      others: ["app-1", "app-2"],
      proposer: false,
      accepted: null,
      groupId: null,
      listed: () => [],
      wallSeconds: () => 0,
      newId: () => NONCE,
    });
    const empty = { kind: "formStatus", nonce: NONCE, status: { kind: "empty", wallSeconds: 1 } } as const;
    formation.question(NOW);
    for (let ordinal = 3; ordinal < FLOOD; ordinal += 1) formation.receive(stranger(ordinal), empty, NOW);
    for (const ordinal of [1, 2]) formation.receive(stranger(ordinal), empty, NOW);
    expect(formation.tick(NOW).length).toBeLessThanOrEqual(MAX_MEMBERS + MAX_DNS_RECORDS + 2);
    expect(formation.silent(NOW)).toEqual([]);
  });

  it("leaves no contact: only whom this node keeps a connection to is remembered", () => {
    const contacts = new Contacts();
    contacts.keep(["app-1"]);
    for (let ordinal = 1; ordinal < FLOOD; ordinal += 1) contacts.heard(stranger(ordinal), NOW);
    expect(contacts.heardAt(stranger(1))).toBe(NOW);
    expect(contacts.heardAt(stranger(2))).toBeNull();
    contacts.keep(["app-2"]);
    expect(contacts.heardAt(stranger(1))).toBeNull();
  });

  it("makes no more rivals than there can be members, and none of another set", () => {
    const rivals = new Rivals("app-0");
    rivals.refused("app-0", NOW);
    rivals.refused("10.0.0.7", NOW);
    rivals.refused("other-1", NOW);
    for (let ordinal = 1; ordinal < FLOOD; ordinal += 1) rivals.refused(nameOf(ordinal), NOW);
    expect(rivals.names(NOW)).toHaveLength(MAX_MEMBERS);
    expect(rivals.names(NOW)[0]).toBe("app-1");
    rivals.accepted("app-1");
    expect(rivals.names(NOW)).not.toContain("app-1");
    expect(rivals.names(monotonicMs(NOW + 60_000))).toEqual([]);
  });
});

describe("a pod whose clock shows an impossible year", () => {
  it("is waited for: it cannot end the pod that proposes", () => {
    const self = stranger(0);
    let ids = 0;
    const formation = new Formation({
      self,
      others: ["app-1"],
      proposer: true,
      accepted: null,
      groupId: null,
      listed: () => [],
      wallSeconds: () => 0,
      newId: () => String((ids += 1)).padStart(32, "0"),
    });
    const hear = (wallSeconds: number): readonly string[] => {
      const question = formation.question(NOW);
      const nonce = question.kind === "formQuery" ? question.nonce : "";
      const answer = { kind: "formStatus", nonce, status: { kind: "empty", wallSeconds } } as const;
      return formation.receive(stranger(1), answer, NOW).map(({ kind }) => kind);
    };
    expect(hear(MAX_WALL_SECONDS + 1)).toEqual([]);
    expect(formation.silent(NOW)).toEqual(["app-1"]);
    expect(hear(MAX_WALL_SECONDS)).toEqual(["send"]);
    expect(hear(MAX_WALL_SECONDS)).toContain("save");
  });
});

describe("an incarnation that is out", () => {
  it("hears of it as soon as it can be answered, also where it seldom speaks because leases are long", async () => {
    const timing = { leaseDurationMs: 120_000, clockDrift: 0.1, heartbeatIntervalMs: 30_000 };
    const world = new NodeWorld();
    const pods = [0, 1, 2].map((ordinal) => gatedPod(world, { ordinal, replicas: 3, timing }));
    onTestFinished(async () => {
      await Promise.all(pods.map(({ node }) => node.close()));
    });
    await Promise.all(pods.map(({ node }) => node.start()));
    const core = (at: number): NonNullable<GatedCore> => present(pods[at]?.node.group?.core);
    await world.until("a group", () => pods.every(({ node }) => (node.group?.core.members.length ?? 0) === 3), 400_000);
    const holds = (at: number): boolean => pods[at]?.node.group?.standing(world.clock.now()).isLeader === true;
    await world.until("a holder", () => [0, 1, 2].some(holds), 400_000);
    const leader = [0, 1, 2].findIndex(holds);
    const away = leader === 0 ? 1 : 0;
    const old = pods[away]?.node.self?.id;
    for (const other of [0, 1, 2]) world.network.cut(nameOf(other), nameOf(away));
    void pods[away]?.node.group?.depart();
    await world.until("it is out", () => core(leader).members.length === 2, 400_000);
    await world.run(15_000);
    world.network.heal();
    await world.until("it is somebody new", () => pods[away]?.node.self?.id !== old, 400_000);
    expect(pods.flatMap(({ failures }) => failures)).toEqual([]);
  });

  it("hears of it from any member: the leader may be the one that it cannot reach", async () => {
    const world = await NodeWorld.formed(5);
    onTestFinished(() => world.close());
    await world.add(5, { replicas: 6 });
    await world.until("it listens", () => world.isMember(5));
    world.cutOff(5);
    const old = world.self(5).id;
    await world.until("it is forgotten", () => world.configuration().learners.length === 0, 200_000);
    world.network.heal();
    world.cut(world.leader(), 5);
    await world.until("it is somebody new", () => world.self(5).id !== old);
  });
});

type GatedCore = NonNullable<ReturnType<typeof gatedPod>["node"]["group"]>["core"] | undefined;

function present(core: GatedCore): NonNullable<GatedCore> {
  if (core === undefined) throw new Error("it has a group");
  return core;
}
