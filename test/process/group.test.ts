/**
 * Real sidecars: a group forms, elects one holder, and replaces it when it is killed or paused.
 *
 * Every test that replaces a holder keeps a journal of all answers: no two tenures may overlap in real time.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { answeredAtMs, deadlineMs, HolderJournal } from "../support/holder-journal.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { createGroup, LEASE_MS, monotonicMs, startGroup, USABLE_MS } from "../support/process-test.ts";
import type { Leader, Sidecar } from "../support/sidecar.ts";

function journalOf(group: LocalGroup): HolderJournal {
  const journal = new HolderJournal(group);
  onTestFinished(() => journal.stop());
  return journal;
}

/** The answer of a holder, once the journal has one of this tenure too. */
async function noted(journal: HolderJournal, holder: Sidecar): Promise<Leader> {
  const answer = await holder.leader();
  await journal.tenure(answer.token);
  return answer;
}

function parse(text: string): Leader {
  return JSON.parse(text) as Leader;
}

describe("three sidecars", () => {
  it("agree on one holder, which has a token above 2^47", async () => {
    const group = await startGroup({ size: 3 });
    const holder = await group.agreed();
    const [answers, { headers, status }] = await Promise.all([group.answers(), holder.ask("GET", "/leader")]);
    expect(status).toBe(200);
    const own = answers.find(({ isLeader }) => isLeader);
    expect(answers.filter(({ isLeader }) => isLeader)).toHaveLength(1);
    expect(own).toMatchObject({ name: holder.name, self: holder.name, group: "app-peers", reason: "holder" });
    expect(own?.token).toBeGreaterThan(2 ** 47);
    expect(own?.token).toBeLessThan(2 ** 53);
    expect(headers["fencing-token"]).toBe(String(own?.token));
    for (const answer of answers.filter(({ isLeader }) => !isLeader)) {
      expect(answer).toMatchObject({ token: null, deadlineMonotonicNs: null, remainingMs: 0, reason: "follower" });
    }
    const old = await Promise.all(group.members.map((member) => member.ask("GET", "/")));
    for (const { text } of old) expect(JSON.parse(text)).toStrictEqual({ name: holder.name });
  });

  it("replace a killed holder, with a larger token and not before its deadline", async () => {
    const group = await startGroup({ size: 3 });
    const journal = journalOf(group);
    const first = await group.agreed();
    const last = await noted(journal, first);
    await first.crash();
    const second = await group.holder(first.name);
    const answer = await noted(journal, second);
    expect(answer.token).toBeGreaterThan(last.token ?? Number.NaN);
    expect(answeredAtMs(answer)).toBeGreaterThan(deadlineMs(last));

    await group.startMember(first.name);
    await group.agreed();
    await second.crash();
    const third = await group.holder(second.name);
    expect((await noted(journal, third)).token).toBeGreaterThan(answer.token ?? Number.NaN);
    expect(journal.violations()).toStrictEqual([]);
  });

  it("replace a paused holder, whose first answer afterwards is 503, also to what was asked before", async () => {
    const group = await startGroup({ size: 3 });
    const journal = journalOf(group);
    const paused = await group.agreed();
    const last = await noted(journal, paused);
    await paused.pause();
    const pausedAtMs = monotonicMs();
    const askedMeanwhile = [paused.ask("GET", "/leader"), paused.ask("GET", "/leader"), paused.ask("GET", "/")];
    const next = await group.holder(paused.name);
    const endMs = pausedAtMs + 2 * LEASE_MS;
    await group.until("the pause to last for two leases", () => (monotonicMs() > endMs ? true : null));
    expect((await noted(journal, next)).token).toBeGreaterThan(last.token ?? Number.NaN);

    paused.resume();
    const [first, second, old] = await Promise.all(askedMeanwhile);
    for (const answer of [first, second]) {
      expect(answer?.status).toBe(503);
      expect(parse(answer?.text ?? "")).toMatchObject({ isLeader: false, token: null, remainingMs: 0 });
    }
    expect(JSON.parse(old?.text ?? "")).not.toStrictEqual({ name: paused.name });
    await group.agreed();
    expect(journal.violations()).toStrictEqual([]);
  });

  it("have no holder while two are stopped, and one again after", async () => {
    const group = await startGroup({ size: 3 });
    const journal = journalOf(group);
    const holder = await group.agreed();
    const { token } = await noted(journal, holder);
    const others = group.othersThan(holder);
    await Promise.all(others.map((other) => other.pause()));
    const stoppedAtMs = monotonicMs();

    const alone = await group.until("a 503", async () => {
      const answer = await holder.leader();
      return answer.isLeader ? null : answer;
    });
    // No round that began after the stop can have been acknowledged, so nothing given can lie beyond U after it.
    expect((await journal.tenure(token)).lastDeadlineMs).toBeLessThan(stoppedAtMs + USABLE_MS);
    expect(alone).toMatchObject({ token: null, deadlineMonotonicNs: null, remainingMs: 0, name: null });
    await group.until("no-quorum", async () => ((await holder.leader()).reason === "no-quorum" ? true : null));
    const { text } = await holder.ask("GET", "/cluster");
    const trouble = expect.stringMatching(/majority|no leader/) as string;
    expect(JSON.parse(text)).toMatchObject({ holder: null, trouble });

    for (const other of others) other.resume();
    const back = await group.agreed();
    expect((await noted(journal, back)).token).toBeGreaterThan(token ?? Number.NaN);
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("groups of other sizes", () => {
  it("one sidecar holds alone, and again after a crash, once its own promise has run out", async () => {
    const group = await startGroup({ size: 1 });
    const first = await (await group.agreed()).leader();
    await group.member("app-0").crash();
    await group.startMember("app-0");
    const again = await (await group.agreed()).leader();
    expect(again.token).toBeGreaterThan(first.token ?? Number.NaN);
    expect(answeredAtMs(again)).toBeGreaterThan(deadlineMs(first));
  });

  it("five sidecars survive the crash of their holder and of one more", async () => {
    const group = await startGroup({ size: 5 });
    const journal = journalOf(group);
    const first = await group.agreed();
    const { token } = await noted(journal, first);
    const [bystander] = group.othersThan(first);
    await Promise.all([first.crash(), bystander?.crash()]);
    const second = await group.agreed();
    expect((await noted(journal, second)).token).toBeGreaterThan(token ?? Number.NaN);
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("members with different lease durations", () => {
  const DURATIONS: Readonly<Record<string, string>> = { "app-0": "600ms", "app-1": "4s", "app-2": "1s" };

  it("exclude each other: a member with a short one waits for a long one, even if just restarted", async () => {
    const group = await startGroup({
      size: 3,
      env: (name) => ({ TENURE_LEASE_DURATION: DURATIONS[name] ?? "1s" }),
    });
    const journal = journalOf(group);
    const paused = await handOverTo(group, "app-1", journal);
    await noted(journal, paused);
    const others = group.othersThan(paused);
    await paused.pause();
    await Promise.all(others.map((other) => other.crash()));
    await Promise.all(others.map((other) => group.startMember(other.name)));
    const next = await group.holder("app-1");
    const { token } = await noted(journal, next);
    await next.crash();
    paused.resume();
    const last = await group.holder(next.name);
    expect((await noted(journal, last)).token).toBeGreaterThan(token ?? Number.NaN);
    expect(journal.violations()).toStrictEqual([]);
  });

  /** A short lease may have lapsed on a busy machine, so it is asked for until it is so. */
  async function handOverTo(group: LocalGroup, name: string, journal: HolderJournal): Promise<Sidecar> {
    return group.until(`${name} to hold`, async () => {
      const holder = await group.agreed();
      const { isLeader, token } = await holder.leader();
      if (holder.name === name && isLeader) {
        await journal.tenure(token);
        return holder;
      }
      journal.confirmed(token);
      await holder.ask("POST", "/resign", { body: { to: name } });
      return null;
    });
  }
});

describe("formation", () => {
  it("waits for the last of the names, and takes nobody else", async () => {
    const group = await createGroup({ size: 3 });
    await group.startMember("app-0");
    await group.startMember("app-1");
    const asked = (): number => group.dns.queries("SRV");
    const before = asked();
    await group.until("both to have looked for the third several times", () => (asked() > before + 6 ? true : null));
    for (const answer of await group.answers()) {
      expect(answer).toMatchObject({ isLeader: false, name: null, reason: "starting", term: 0 });
    }
    await group.startMember("app-2");
    const holder = await group.agreed();
    const clusters = await Promise.all(group.members.map((member) => member.ask("GET", "/cluster")));
    const ids = clusters.map(({ text }) => (JSON.parse(text) as { groupId: string }).groupId);
    expect(new Set(ids).size).toBe(1);
    expect(group.names).toContain(holder.name);
  });
});
