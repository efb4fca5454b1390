/** One life: what it starts from, what it writes, and whom it takes in (src/node/life.ts). */
import { describe, expect, it, vi } from "vitest";
import { fencingToken, logIndex, term } from "../../../src/base/types.ts";
import type { Snapshot } from "../../../src/ports/storage.ts";
import { baseOf, configurationOf, hardStateOf, logOf, noop, votersOf } from "../../support/entries.ts";
import { installSnapshot, voteRequest } from "../../support/messages.ts";
import { BENCH_TOKEN_BASE, GROUP_ID, type LifeBench, lifeBench, lifeOf } from "../../support/life-bench.ts";

const TENURE = { claim: logIndex(3), term: term(2), holder: lifeOf(1), token: fencingToken(BENCH_TOKEN_BASE + 3) };
const LOCK = [{ ...TENURE, released: false }];

/** m0 leads itself alone, and everything is committed. */
async function leading(snapshot: Partial<Snapshot> = {}): Promise<LifeBench> {
  const bench = lifeBench({ snapshot: { ...baseOf(configurationOf([0])), ...snapshot } });
  bench.clock.nowMs += 5_000;
  bench.life.group.offer({ kind: "tick" });
  await vi.waitFor(() => expect(bench.life.group.core.mayChange(bench.clock.now())).toBe(true));
  return bench;
}

describe("a life", () => {
  it("starts from the snapshot, and from the log behind it", () => {
    const start = { ...baseOf(configurationOf([0, 1], [4]), 7, 2), lock: LOCK, removed: [lifeOf(3).id] };
    const entries = [noop(8, 2), noop(9, 3)];
    const { life, clock } = lifeBench({ snapshot: start, state: { hardState: hardStateOf(4), entries } });
    const { core } = life.group;
    expect(core.view(clock.now())).toMatchObject({ term: 4, commitIndex: 7, lastIndex: 9, history: LOCK });
    expect(core.committedConfiguration).toEqual(configurationOf([0, 1], [4]));
    expect(core.removed).toEqual([lifeOf(3).id]);
    expect([life.groupId, life.tokenBase, core.tokenOf(logIndex(9))]).toEqual([
      GROUP_ID,
      BENCH_TOKEN_BASE,
      BENCH_TOKEN_BASE + 9,
    ]);
  });

  it("writes group id and token base into each snapshot, which the core knows nothing of", async () => {
    const { life, saved } = lifeBench({ state: { hardState: hardStateOf(1), entries: logOf(1) } });
    const snapshot = { ...baseOf(votersOf(3), 9, 1), lock: LOCK, removed: [] };
    life.group.offer({ kind: "message", from: lifeOf(1), message: installSnapshot(1, snapshot) });
    await vi.waitFor(() => expect(saved).toHaveLength(1));
    expect(saved).toEqual([{ ...snapshot, groupId: GROUP_ID, tokenBase: BENCH_TOKEN_BASE }]);
  });

  it("answers peers over the transport, to that incarnation", async () => {
    const { life, said } = lifeBench();
    life.group.offer({ kind: "message", from: lifeOf(1), message: voteRequest(5) });
    await vi.waitFor(() => expect(said).toHaveLength(1));
    expect(said).toMatchObject([{ to: "m1", message: { kind: "voteReply", term: 5, granted: true } }]);
  });
});

describe("a life that leads", () => {
  it("gives group id and token base to whom it takes in", async () => {
    const { life, said, clock } = await leading();
    life.admission.asked(lifeOf(3), clock.now());
    expect(life.group.core.configuration, "to ask is not yet to be looked at").toEqual(configurationOf([0]));
    life.lookAtMembers(clock.now());
    await vi.waitFor(() => expect(life.group.core.committedConfiguration).toEqual(configurationOf([0], [3])));
    life.admission.asked(lifeOf(3), clock.now());
    const welcome = said.find(({ message }) => message.kind === "joinAccepted");
    const snapshot = { ...life.group.core.snapshot(), groupId: GROUP_ID, tokenBase: BENCH_TOKEN_BASE };
    expect(welcome).toEqual({ to: "m3", message: { kind: "joinAccepted", snapshot } });
  });

  it("proposes nothing where there is nothing to change", async () => {
    const { life, clock } = await leading();
    const offer = vi.spyOn(life.group, "offer");
    life.lookAtMembers(clock.now());
    expect(offer).not.toHaveBeenCalled();
  });

  it("says to whom is out of which group", async () => {
    const { life, said, clock } = await leading({ removed: [lifeOf(3).id] });
    life.admission.asked(lifeOf(3), clock.now());
    const message = { kind: "removed", groupId: GROUP_ID, member: lifeOf(3).id };
    expect(said.filter(({ to }) => to === "m3")).toEqual([{ to: "m3", message }]);
    life.lookAtMembers(clock.now());
    expect(life.group.core.configuration).toEqual(configurationOf([0]));
  });
});
