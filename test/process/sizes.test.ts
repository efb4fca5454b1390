/**
 * Groups of every size that people ask for, and of settings that differ while a rollout is under way.
 *
 * Sizes 3, 5 and 7 are those of membership.test.ts; fifty replicas are in the benchmarks.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { HolderJournal } from "../support/holder-journal.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { startGroup } from "../support/process-test.ts";
import type { Sidecar } from "../support/sidecar.ts";

function journalOf(group: LocalGroup): HolderJournal {
  const journal = new HolderJournal(group);
  onTestFinished(() => journal.stop());
  return journal;
}

describe.each([
  { size: 1, spare: 0 },
  { size: 2, spare: 0 },
  { size: 4, spare: 1 },
])("a group of $size", ({ size, spare }) => {
  it(`has one holder, and survives ${spare} crash(es)`, async () => {
    const group = await startGroup({ size });
    const holder = await group.agreed();
    const { token } = await holder.leader();
    const journal = journalOf(group);
    await journal.tenure(token);
    await holder.crash();
    if (spare === 0) await group.startMember(holder.name);
    const next = await group.holder(spare === 0 ? null : holder.name);
    expect((await next.leader()).token).toBeGreaterThan(token ?? Number.NaN);
    await journal.stop();
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("pods of one group with different settings, as in a rollout", () => {
  it("stay exclusive, whoever holds and whoever takes over: D travels in the messages", async () => {
    const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      "app-0": { TENURE_LEASE_DURATION: "3s", TENURE_HEARTBEAT_INTERVAL: "300ms", TENURE_CLOCK_DRIFT: "0.05" },
      "app-1": { TENURE_LEASE_DURATION: "1s", TENURE_HEARTBEAT_INTERVAL: "100ms" },
      "app-2": { TENURE_LEASE_DURATION: "500ms", TENURE_HEARTBEAT_INTERVAL: "50ms", TENURE_CLOCK_DRIFT: "0.2" },
    };
    const group = await startGroup({ size: 3, env: (name) => settings[name] ?? {} });
    const journal = journalOf(group);
    for (let turn = 0; turn < 4; turn += 1) {
      const holder = await group.agreed();
      const { token } = await holder.leader();
      await journal.tenure(token);
      await holder.crash();
      const next = await group.holder(holder.name);
      expect((await next.leader()).token).toBeGreaterThan(token ?? Number.NaN);
      await group.startMember(holder.name);
    }
    await journal.stop();
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("a log that lives long", () => {
  it("is compacted; a follower far behind gets the snapshot, and a restart of everyone loses nothing", async () => {
    const group = await startGroup({ size: 3, env: { TENURE_LOG_LEVEL: "debug" } });
    const [absent] = group.othersThan(await group.agreed());
    if (absent === undefined) throw new Error("there are three");
    await absent.crash();
    let token = 0;
    const snapshots = (from: string) => group.members.some(({ log }) => log.some((line) => line["from"] === from));
    for (let turn = 0; turn < 150 && !snapshots("self"); turn += 1) {
      const holder = await group.holder();
      const answer = await holder.leader();
      // Whoever is asked while the lock moves is asked again.
      token = answer.token ?? token;
      await holder.ask("POST", "/resign", { body: {} });
    }
    expect(snapshots("self")).toBe(true);
    await group.startMember(absent.name);
    await group.until("the snapshot to arrive", () => (snapshots("leader") ? true : null));
    const holder = await group.agreed();
    const before = await historyOf(holder);
    expect(before.length).toBeGreaterThan(70);
    token = (await holder.leader()).token ?? token;

    await Promise.all(group.members.map((member) => member.crash()));
    await Promise.all(group.names.map((name) => group.startMember(name)));
    const next = await group.agreed();
    expect((await next.leader()).token).toBeGreaterThan(token);
    const after = await historyOf(next);
    expect(after.slice(-before.length)).toStrictEqual(before);
  });
});

async function historyOf(member: Sidecar): Promise<readonly number[]> {
  const { tenures } = JSON.parse((await member.ask("GET", "/history")).text) as {
    readonly tenures: readonly { readonly token: number }[];
  };
  return tenures.map((tenure) => tenure.token);
}
