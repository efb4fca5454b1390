/**
 * What people and monitors see of real sidecars: metrics, probes and the log, through a failover and a handover.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask } from "../support/http.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { createGroup, startGroup } from "../support/process-test.ts";
import { RawPeer } from "../support/raw-peer.ts";
import type { LogLine, Sidecar } from "../support/sidecar.ts";

/** DESIGN, Operations: name without labels, and its type. */
const PROMISED = {
  tenure_is_leader: "gauge",
  tenure_fencing_token: "gauge",
  tenure_lease_remaining_seconds: "gauge",
  tenure_term: "gauge",
  tenure_raft_role: "gauge",
  tenure_tenures_total: "counter",
  tenure_elections_total: "counter",
  tenure_lease_renewals_total: "counter",
  tenure_lease_lapses_total: "counter",
  tenure_leaderless_seconds_total: "counter",
  tenure_failover_duration_seconds: "histogram",
  tenure_handover_duration_seconds: "histogram",
  tenure_commit_index: "gauge",
  tenure_members: "gauge",
  tenure_peer_connected: "gauge",
  tenure_peer_round_trip_seconds: "histogram",
  tenure_storage_sync_duration_seconds: "histogram",
  tenure_event_loop_delay_seconds: "gauge",
  tenure_build_info: "gauge",
} as const;

type Samples = ReadonlyMap<string, number>;

async function scrape(member: Sidecar): Promise<Samples> {
  const { text } = await member.ops("/metrics");
  const rows = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(rows.map((row) => [row.slice(0, row.lastIndexOf(" ")), Number(row.slice(row.lastIndexOf(" ") + 1))]));
}

function get(samples: Samples, name: string): number {
  const value = samples.get(name);
  if (value === undefined) throw new Error(`there is no ${name}`);
  return value;
}

async function connectedGroup(settings: { readonly leaseDuration?: string } = {}): Promise<LocalGroup> {
  const group = await startGroup({ size: 3, ...settings });
  await group.until("everyone to be connected to everyone", async () => {
    const all = await Promise.all(group.members.map(scrape));
    const pulses = all.map((samples) =>
      [...samples].filter(([name, value]) => name.startsWith("tenure_peer_round_trip_seconds_count") && value > 0),
    );
    return pulses.every((peers) => peers.length === 2) ? true : null;
  });
  return group;
}

describe("metrics", () => {
  it("are all there, with their types, and agree with the answer of /leader", async () => {
    const group = await connectedGroup({ leaseDuration: "2s" });
    const holder = await group.agreed();
    const { text, headers } = await holder.ops("/metrics");
    expect(headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/u);
    for (const [name, type] of Object.entries(PROMISED)) expect(text).toContain(`# TYPE ${name} ${type}\n`);
    const [answer, samples] = [await holder.leader(), await scrape(holder)];
    expect(get(samples, "tenure_is_leader")).toBe(1);
    expect(get(samples, "tenure_fencing_token")).toBe(answer.token);
    expect(get(samples, "tenure_term")).toBe(answer.term);
    expect(get(samples, "tenure_lease_remaining_seconds")).toBeGreaterThan(0);
    expect(get(samples, "tenure_lease_remaining_seconds")).toBeLessThan(2);
    expect(get(samples, "tenure_tenures_total")).toBe(1);
    expect(get(samples, "tenure_lease_renewals_total")).toBeGreaterThan(0);
    expect(get(samples, "tenure_lease_lapses_total")).toBe(0);
    expect(get(samples, 'tenure_members{kind="voter"}')).toBe(3);
    expect(get(samples, "tenure_commit_index")).toBeGreaterThanOrEqual(2);
    expect(get(samples, "tenure_storage_sync_duration_seconds_count")).toBeGreaterThan(3);
    expect(get(samples, "tenure_storage_sync_duration_seconds_sum")).toBeGreaterThan(0);
    expect(get(samples, "tenure_ready")).toBe(1);
    const build = [...samples.keys()].find((name) => name.startsWith("tenure_build_info"));
    expect(build).toMatch(/version="\d+\.\d+\.\d+"/u);
    for (const member of group.members) {
      const own = await scrape(member);
      const roles = ["leader", "follower", "candidate", "preCandidate", "learner", "none"];
      const role = roles.filter((each) => own.get(`tenure_raft_role{role="${each}"}`) === 1);
      expect(role).toStrictEqual([member === holder ? "leader" : "follower"]);
      for (const peer of group.othersThan(member)) {
        expect(get(own, `tenure_peer_connected{peer="${peer.name}"}`)).toBe(1);
        expect(get(own, `tenure_peer_round_trip_seconds_sum{peer="${peer.name}"}`)).toBeGreaterThan(0);
      }
      if (member === holder) continue;
      expect(get(own, "tenure_is_leader")).toBe(0);
      expect(get(own, "tenure_fencing_token")).toBe(0);
      expect(get(own, "tenure_lease_remaining_seconds")).toBe(0);
    }
  });

  it("tell a failover from a handover, and how long each took", async () => {
    const group = await connectedGroup({ leaseDuration: "2s" });
    const first = await group.agreed();
    await first.crash();
    const second = await group.agreed();
    const [witness] = group.othersThan(second);
    if (witness === undefined) throw new Error("two are left");
    const afterCrash = await scrape(witness);
    expect(get(afterCrash, "tenure_failover_duration_seconds_count")).toBe(1);
    const leaderless = get(afterCrash, "tenure_failover_duration_seconds_sum");
    expect(leaderless).toBeGreaterThan(0);
    expect(get(afterCrash, "tenure_leaderless_seconds_total")).toBeGreaterThanOrEqual(leaderless);
    expect(get(afterCrash, "tenure_handover_duration_seconds_count")).toBe(0);
    expect(get(afterCrash, `tenure_peer_connected{peer="${first.name}"}`)).toBe(0);

    expect((await second.ask("POST", "/resign", { body: { to: witness.name } })).status).toBe(200);
    await group.agreed(second.name);
    const afterHandover = await scrape(witness);
    expect(get(afterHandover, "tenure_handover_duration_seconds_count")).toBe(1);
    expect(get(afterHandover, "tenure_failover_duration_seconds_count")).toBe(1);
    expect(get(afterHandover, "tenure_is_leader")).toBe(1);
    expect(get(afterHandover, 'tenure_elections_total{outcome="won"}')).toBe(1);
    expect(get(afterHandover, "tenure_term")).toBeGreaterThan(get(afterCrash, "tenure_term"));
    const resigned = await scrape(second);
    expect(get(resigned, "tenure_lease_releases_total")).toBe(1);
    expect(get(resigned, "tenure_transfers_total")).toBe(1);
    expect(get(resigned, "tenure_is_leader")).toBe(0);
  });

  it("tell what alerts compare with: settings, voters in reach, dates, clocks", async () => {
    const group = await startGroup({ size: 3, secure: true, leaseDuration: "2s", env: { TENURE_CLOCK_DRIFT: "0.2" } });
    const holder = await group.agreed();
    const [standby, other] = group.othersThan(holder);
    if (standby === undefined || other === undefined) throw new Error("there are three");
    await group.until("everyone in reach", async () =>
      (await holder.metric("tenure_voters_connected")) === 3 ? 1 : null,
    );
    const samples = await scrape(holder);
    expect(get(samples, "tenure_lease_duration_seconds")).toBe(2);
    expect(get(samples, "tenure_clock_drift_bound_ratio")).toBe(0.2);
    expect(get(samples, "tenure_replicas")).toBe(3);
    expect(get(samples, "tenure_rescue_needed")).toBe(0);
    const wallSeconds = Date.now() / 1_000;
    const since = get(samples, "tenure_holding_since_timestamp_seconds");
    expect(since).toBeGreaterThan(get(samples, "process_start_time_seconds"));
    expect(since).toBeLessThanOrEqual(wallSeconds);
    expect(await standby.metric("tenure_holding_since_timestamp_seconds")).toBe(0);
    const pem = await readFile(join(group.tlsDir(holder.name), "tls.crt"), "utf8");
    const notAfter = new X509Certificate(pem).validToDate.getTime() / 1_000;
    expect(get(samples, "tenure_certificate_expiry_timestamp_seconds")).toBe(notAfter);
    expect(get(samples, "tenure_clock_suspended_seconds_total")).toBeLessThan(0.1);
    const [firstAt, first] = [performance.now(), await holder.metric("tenure_clock_monotonic_seconds_total")];
    await other.crash();
    await group.until("one out of reach", async () =>
      (await holder.metric("tenure_voters_connected")) === 2 ? 1 : null,
    );
    const [second, secondAt] = [await holder.metric("tenure_clock_monotonic_seconds_total"), performance.now()];
    // It runs, in seconds; how evenly is a matter of many scrapes.
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(0);
    expect((second ?? 0) - (first ?? 0)).toBeLessThanOrEqual((secondAt - firstAt) / 1_000);
  });

  it("show a pause also after a scrape that was given up because of it", async () => {
    const group = await startGroup({ size: 1, leaseDuration: "10s", heartbeatInterval: "1s" });
    const holder = await group.agreed();
    await holder.pause();
    const patience = AbortSignal.timeout(700);
    await expect(holder.ops("/metrics", { signal: patience })).rejects.toThrow();
    holder.resume();
    expect(await holder.metric("tenure_event_loop_delay_max_seconds")).toBeGreaterThan(0.5);
    expect(await holder.metric("tenure_event_loop_delay_max_seconds")).toBeGreaterThan(0.5);
  });

  it("come as OpenMetrics to who asks for it, and unharmed to who asks next", async () => {
    const group = await startGroup({ size: 1 });
    const holder = await group.agreed();
    const accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3";
    const open = await holder.ops("/metrics", { headers: { accept } });
    expect(open.headers["content-type"]).toMatch(/^application\/openmetrics-text; version=1\.0\.0/u);
    expect(open.text.endsWith("# EOF\n")).toBe(true);
    expect(open.text).toMatch(/^# TYPE tenure_tenures counter$/mu);
    expect(open.text).toMatch(/^tenure_tenures_total 1$/mu);
    const plain = await holder.ops("/metrics");
    expect(plain.text).toMatch(/^# TYPE tenure_tenures_total counter$/mu);
    expect(plain.text).not.toContain("# EOF");
  });
});

describe("probes", () => {
  it("are not ready before there is a group, and stay so without a quorum; live all along", async () => {
    const group = await createGroup({ size: 3 });
    const first = await group.startMember("app-0");
    const probe = async (path: string): Promise<number> => (await first.ops(path)).status;
    expect([await probe("/readyz"), await probe("/healthz")]).toStrictEqual([503, 200]);
    await group.startMember("app-1");
    await group.startMember("app-2");
    await group.agreed();
    expect([await probe("/readyz"), await probe("/healthz")]).toStrictEqual([200, 200]);
    await Promise.all(group.othersThan(first).map((other) => other.crash()));
    await group.until("no-quorum", async () => ((await first.leader()).reason === "no-quorum" ? true : null));
    expect([await probe("/readyz"), await probe("/healthz")]).toStrictEqual([200, 200]);
    expect(await first.metric("tenure_ready")).toBe(1);
  });
});

describe("the log", () => {
  const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u;
  const WAY = ["started", "listening", "formed", "holding", "stopping", "draining", "released", "drained", "stopped"];

  it("is JSON lines with time, level, event and message; tells the way of a tenure, term and token", async () => {
    const group = await startGroup({ size: 1 });
    const holder = await group.agreed();
    const { token, term } = await holder.leader();
    holder.kill("SIGTERM");
    await holder.logged(({ event }) => event === "draining");
    await holder.ask("POST", "/resign");
    expect((await holder.exited).code).toBe(0);
    expect(holder.stderr).toBe("");
    for (const line of holder.log) {
      expect(line).toMatchObject({ time: expect.stringMatching(ISO_TIME) as string, level: "info" });
      expect(line["message"]).toMatch(/^[a-z].{5,}/u);
    }
    // By their times: the last line is written at once, and may overtake one that the kernel is still taking.
    const byTime = holder.log.toSorted((a, b) => (String(a["time"]) < String(b["time"]) ? -1 : 0));
    const way = byTime.filter(({ event = "" }) => WAY.includes(event));
    expect(way.map(({ event }) => event)).toStrictEqual(WAY);
    for (const event of ["holding", "released"]) {
      expect(way.find((line) => line.event === event)).toMatchObject({ term, token });
    }
  });

  it("does not grow by faults that repeat: many of a kind are one line, or few", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s" });
    const holder = await group.agreed();
    const isFault = ({ event }: LogLine): boolean => event === "fault";
    const before = holder.log.filter(isFault).length;
    // A peer that is gone is dialled again and again, and a stranger comes a hundred times.
    const [gone] = group.othersThan(holder);
    await gone?.crash();
    for (let round = 0; round < 100; round += 1) {
      await RawPeer.dial(holder.ports.peers).bytes(`${round % 10}: GET / HTTP/1.1\r\n\r\n`).closed;
      await ask({ port: holder.ports.api, path: "/leader", headers: { host: "evil.example" } });
    }
    await holder.logged(({ event, where }) => event === "fault" && where === gone?.name);
    const queries = group.dns.queries();
    await group.until("it to be looked for several times", () => (group.dns.queries() > queries + 12 ? true : null));
    expect(await holder.faults("frame_too_large")).toBeGreaterThanOrEqual(1);
    expect(holder.log.filter(isFault).length - before).toBeLessThan(20);
    expect((await holder.leader()).isLeader).toBe(true);
  });
});
