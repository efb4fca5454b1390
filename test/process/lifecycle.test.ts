/**
 * Real sidecars and the will of their applications: resignations and eligibility.
 *
 * Nothing here waits for a lease: what an application gives up of its own will passes on at once, or to nobody.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { answeredAtMs, deadlineMs, HolderJournal } from "../support/holder-journal.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { startGroup } from "../support/process-test.ts";
import type { Answer, Sidecar } from "../support/sidecar.ts";

function setEligible(member: Sidecar, eligible: boolean): Promise<Answer> {
  return member.ask("PUT", "/eligibility", { body: { eligible } });
}

/** Of two that are equal in everything else, a holder that may choose takes the one with the smaller id. */
async function lessFit(group: LocalGroup, holder: Sidecar): Promise<Sidecar> {
  const { text } = await holder.ask("GET", "/cluster");
  const { members } = JSON.parse(text) as { members: readonly { readonly name: string; readonly id: string }[] };
  const others = members.filter(({ name }) => name !== holder.name).toSorted((a, b) => (a.id < b.id ? 1 : -1));
  return group.member(others[0]?.name ?? "");
}

async function reasonsOf(members: readonly Sidecar[]): Promise<readonly string[]> {
  return Promise.all(members.map(async (member) => (await member.leader()).reason));
}

describe("a resignation", () => {
  it("hands over to the pod that it names, and the one who resigned follows", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "20s", heartbeatInterval: "500ms" });
    const holder = await group.agreed();
    const last = await holder.leader();
    const heir = await lessFit(group, holder);
    const resigned = await holder.ask("POST", "/resign", { body: { to: heir.name } });
    expect(resigned.status).toBe(200);
    expect((await holder.leader()).isLeader).toBe(false);
    const next = await group.agreed();
    expect(next.name).toBe(heir.name);
    const answer = await next.leader();
    expect(answer.token).toBeGreaterThan(last.token ?? Number.NaN);
    expect(answeredAtMs(answer)).toBeLessThan(deadlineMs(last));
    const { text } = await next.ask("GET", "/history");
    const { tenures } = JSON.parse(text) as { tenures: readonly unknown[] };
    expect(tenures[0]).toMatchObject({ name: next.name, token: answer.token, end: "current" });
    expect(tenures[1]).toMatchObject({ name: holder.name, token: last.token, end: "released" });
  });

  it("is refused to a pod that does not hold, and in favour of a pod that is not there", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s" });
    const holder = await group.agreed();
    const { token } = await holder.leader();
    const [follower] = group.othersThan(holder);
    const notHolder = await follower?.ask("POST", "/resign");
    expect(notHolder?.status).toBe(409);
    expect(JSON.parse(notHolder?.text ?? "")).toMatchObject({ error: { code: "not_holder" } });
    for (const to of ["app-9", holder.name]) {
      const unknown = await holder.ask("POST", "/resign", { body: { to } });
      expect(unknown.status).toBe(409);
      expect(JSON.parse(unknown.text)).toMatchObject({ error: { code: "unknown_target" } });
    }
    expect(await holder.leader()).toMatchObject({ isLeader: true, token });
  });

  it("of a single sidecar leaves nobody, then the same one with a larger token", async () => {
    const group = await startGroup({ size: 1 });
    const holder = await group.agreed();
    const { token, index } = await holder.leader();
    expect((await holder.ask("POST", "/resign")).status).toBe(200);
    expect((await holder.leader()).token).not.toBe(token);
    const again = await (await group.agreed()).leader();
    expect(again.token).toBeGreaterThan(token ?? Number.NaN);
    expect(again.index).toBeGreaterThan(index);
  });
});

describe("eligibility", () => {
  it("of the holder: it drains, hands over, stays out, and comes back in", async () => {
    const group = await startGroup({ size: 3, env: { TENURE_DRAIN_TIMEOUT: "60s" } });
    const holder = await group.agreed();
    const { token } = await holder.leader();
    expect((await setEligible(holder, false)).status).toBe(200);
    expect(await holder.leader()).toMatchObject({ isLeader: false, reason: "draining", name: holder.name });
    expect((await holder.ask("POST", "/resign")).status).toBe(200);
    const next = await group.agreed(holder.name);
    expect((await next.leader()).token).toBeGreaterThan(token ?? Number.NaN);
    expect((await holder.leader()).reason).toBe("ineligible");

    // With only the ineligible one to take over, the next holder's crash leaves a leader that does not claim.
    const third = group.othersThan(next).find((member) => member !== holder);
    if (third === undefined) throw new Error("there are three");
    await Promise.all([setEligible(third, false), next.crash()]);
    const term = (await third.leader()).term;
    await group.until("a new leader that is none for the application", async () => {
      const answers = await group.answers();
      expect(answers.filter(({ isLeader }) => isLeader)).toStrictEqual([]);
      return answers.every((answer) => answer.term > term && answer.reason === "ineligible") ? true : null;
    });

    expect((await setEligible(holder, true)).status).toBe(200);
    const back = await group.agreed();
    expect(back.name).toBe(holder.name);
    expect((await third.leader()).reason).toBe("ineligible");
  });

  it("of nobody: no holder, no crash, and one again as soon as one may", async () => {
    const group = await startGroup({ size: 3, env: { TENURE_DRAIN_TIMEOUT: "0s" } });
    const journal = new HolderJournal(group);
    onTestFinished(() => journal.stop());
    const holder = await group.agreed();
    const { token } = await holder.leader();
    await Promise.all(group.members.map((member) => setEligible(member, false)));
    await group.until("everyone to be ineligible", async () =>
      (await reasonsOf(group.members)).every((reason) => reason === "ineligible") ? true : null,
    );
    await withoutHolder(group);
    const [, second] = group.members;
    if (second === undefined) throw new Error("there are three");
    await setEligible(second, true);
    const next = await group.agreed();
    expect(next.name).toBe(second.name);
    const { token: later } = await next.leader();
    expect(later).toBeGreaterThan(token ?? Number.NaN);
    await journal.tenure(later);
    expect(journal.violations()).toStrictEqual([]);
    expect(group.members).toHaveLength(3);
  });

  it("is known before there is a group, and is kept in it", async () => {
    const group = await startGroup({ size: 1 });
    await group.agreed();
    await group.member("app-0").crash();
    const late = await group.startMember("app-0");
    expect((await setEligible(late, false)).status).toBe(200);
    await withoutHolder(group);
    expect((await late.leader()).reason).toBe("ineligible");
    await setEligible(late, true);
    expect((await group.agreed()).name).toBe("app-0");
  });

  /** For two seconds of the members' own reckoning. */
  async function withoutHolder(group: LocalGroup): Promise<void> {
    const leaderless = (): Promise<readonly (number | null)[]> =>
      Promise.all(group.members.map((member) => member.metric("tenure_leaderless_seconds_total")));
    const before = await leaderless();
    await group.until("two seconds without a holder", async () => {
      for (const answer of await group.answers()) expect(answer).toMatchObject({ isLeader: false, name: null });
      const now = await leaderless();
      return now.every((seconds, at) => (seconds ?? 0) > (before[at] ?? 0) + 2) ? true : null;
    });
  }
});
