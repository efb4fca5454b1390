/**
 * Real sidecars that are told to stop: the application first, then the lease, then the process.
 *
 * While a holder drains nobody else may hold, and its own application must not be told that it leads.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { answeredAtMs, deadlineMs, HolderJournal } from "../support/holder-journal.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { HEARTBEAT_MS, monotonicMs, startGroup } from "../support/process-test.ts";
import type { Leader, LogLine, Sidecar } from "../support/sidecar.ts";

function journalOf(group: LocalGroup): HolderJournal {
  const journal = new HolderJournal(group);
  onTestFinished(() => journal.stop());
  return journal;
}

/** Signals the holder; resolves with its last answer before that, once it drains. */
async function drain(holder: Sidecar, signal: NodeJS.Signals = "SIGTERM"): Promise<Leader> {
  const last = await holder.leader();
  expect(last.isLeader).toBe(true);
  holder.kill(signal);
  await holder.logged(({ event }) => event === "draining");
  return last;
}

describe("SIGTERM of the holder, with time to drain", () => {
  const PATIENT = { TENURE_DRAIN_TIMEOUT: "60s" };

  it("answers 503 at once, keeps the lease until the application confirms, then hands over and exits 0", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s", env: PATIENT });
    const holder = await group.agreed();
    const last = await drain(holder);
    const draining = await holder.ask("GET", "/leader");
    expect(draining.status).toBe(503);
    expect(draining.headers["fencing-token"]).toBeUndefined();
    expect(JSON.parse(draining.text)).toMatchObject({ isLeader: false, token: null, reason: "draining" });

    const renewals = (): Promise<number | null> => holder.metric("tenure_lease_renewals_total");
    const before = (await renewals()) ?? 0;
    const longerThanALease = 2_500 / HEARTBEAT_MS;
    await group.until("the lease to be kept beyond what it was", async () => {
      for (const answer of await group.answers()) expect(answer).toMatchObject({ isLeader: false, name: holder.name });
      return ((await renewals()) ?? 0) > before + longerThanALease ? true : null;
    });
    expect(await holder.metric("tenure_draining")).toBe(1);

    const confirmed = await holder.ask("POST", "/resign");
    expect(confirmed.status).toBe(200);
    expect(JSON.parse(confirmed.text)).toStrictEqual({ released: true });
    expect(await holder.exited).toStrictEqual({ code: 0, signal: null });
    const next = await group.agreed(holder.name);
    expect((await next.leader()).token).toBeGreaterThan(last.token ?? Number.NaN);
    expect(holder.stderr).toBe("");
  });

  it("hands over to the pod that the confirmation names", async () => {
    const group = await startGroup({ size: 3, env: PATIENT });
    const holder = await group.agreed();
    const [, heir] = group.othersThan(holder);
    await drain(holder, "SIGINT");
    const refused = await holder.ask("POST", "/resign", { body: { to: "app-9" } });
    expect(refused.status).toBe(409);
    const confirmed = await holder.ask("POST", "/resign", { body: { to: heir?.name } });
    expect(confirmed.status).toBe(200);
    expect((await holder.exited).code).toBe(0);
    expect((await group.agreed()).name).toBe(heir?.name);
  });

  it("ends at once on a second signal, and the lease runs out by itself", async () => {
    const group = await startGroup({ size: 3, env: PATIENT });
    const journal = journalOf(group);
    const holder = await group.agreed();
    await drain(holder);
    holder.kill("SIGTERM");
    expect(await holder.exited).toStrictEqual({ code: 1, signal: null });
    const next = await group.agreed();
    await journal.tenure((await next.leader()).token);
    expect(journal.violations()).toStrictEqual([]);
  });
});

describe("SIGTERM of the holder, without a confirmation", () => {
  it.for(["0s", "100ms"])("keeps the lease to the last deadline given: drain timeout %s", async (timeout) => {
    const group = await startGroup({ size: 3, leaseDuration: "2s", env: { TENURE_DRAIN_TIMEOUT: timeout } });
    const journal = journalOf(group);
    const holder = await group.agreed();
    const last = await drain(holder);
    expect((await holder.exited).code).toBe(0);
    const next = await (await group.agreed()).leader();
    expect(answeredAtMs(next)).toBeGreaterThan(deadlineMs(last));
    await journal.tenure(next.token);
    expect(journal.violations()).toStrictEqual([]);
    // Handed over, not lost: of two members left, the next one was chosen and did not have to wait for a lease.
    const isOfNext = ({ event, token }: LogLine): boolean => event === "tenureSeen" && token === next.token;
    expect(await group.member(next.self).logged(isOfNext)).toMatchObject({ handover: true });
  });

  it("keeps the lease for the drain timeout when that is longer than the lease", async () => {
    const group = await startGroup({ size: 3, env: { TENURE_DRAIN_TIMEOUT: "2500ms" } });
    const holder = await group.agreed();
    const signalledAtMs = monotonicMs();
    await drain(holder);
    expect((await holder.exited).code).toBe(0);
    expect(answeredAtMs(await (await group.agreed()).leader())).toBeGreaterThan(signalledAtMs + 2_500);
  });
});

describe("SIGTERM of the holder with TENURE_SIGTERM=handover", () => {
  it("hands over at once: the next one holds long before the lease would have run out", async () => {
    const group = await startGroup({
      size: 3,
      leaseDuration: "20s",
      heartbeatInterval: "500ms",
      env: { TENURE_SIGTERM: "handover", TENURE_DRAIN_TIMEOUT: "60s" },
    });
    const holder = await group.agreed();
    const last = await holder.leader();
    holder.kill("SIGTERM");
    expect(await holder.exited).toStrictEqual({ code: 0, signal: null });
    const next = await (await group.agreed(holder.name)).leader();
    expect(next.token).toBeGreaterThan(last.token ?? Number.NaN);
    expect(answeredAtMs(next)).toBeLessThan(deadlineMs(last));
  });
});

describe("SIGTERM and SIGINT of others", () => {
  it.for(["SIGTERM", "SIGINT"] as const)("a follower exits 0 on %s and the tenure goes on", async (signal) => {
    const group = await startGroup({ size: 3, leaseDuration: "2s", env: { TENURE_DRAIN_TIMEOUT: "60s" } });
    const holder = await group.agreed();
    const { token, index } = await holder.leader();
    const [follower] = group.othersThan(holder);
    follower?.kill(signal);
    expect(await follower?.exited).toStrictEqual({ code: 0, signal: null });
    const events = follower?.log.map(({ event }) => event) ?? [];
    expect(events).toContain("stopping");
    expect(events.at(-1)).toBe("stopped");
    expect(await holder.leader()).toMatchObject({ isLeader: true, token, index });
  });

  it("a sidecar that waits for its group exits 0", async () => {
    const group = await startGroup({ size: 1, env: { TENURE_REPLICAS: "3" } });
    const [lonely] = group.members;
    expect((await lonely?.leader())?.reason).toBe("starting");
    lonely?.kill("SIGTERM");
    expect(await lonely?.exited).toStrictEqual({ code: 0, signal: null });
  });
});
