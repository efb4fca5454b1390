/**
 * Real sidecars on disks that fail, are full, or are slow.
 *
 * A member whose disk fails ends and says why; the others go on. A slow disk delays elections, and nothing else: the
 * lease is renewed without it, and `/leader` never waits for it.
 *
 * Faults of system calls come from strace, the full disk is a tmpfs; where a machine has neither, tests are skipped.
 */
import { spawnSync } from "node:child_process";
import { mkdir, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { HolderJournal } from "../support/holder-journal.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { createGroup, HEARTBEAT_MS, startGroup } from "../support/process-test.ts";
import type { Sidecar } from "../support/sidecar.ts";

/** One thread does all syncs, because strace counts them per thread. */
const ONE_THREAD = { UV_THREADPOOL_SIZE: "1" };

/** As a grandchild (-D), so that signals and exit status are those of the sidecar. */
function straced(injection: string): readonly string[] {
  return ["strace", "-D", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", `inject=${injection}`, "-o", "/dev/null"];
}

/** Why strace cannot be used here, or null. */
function straceTrouble(): string | null {
  const probe = spawnSync("strace", ["-D", "-f", "-qq", "-e", "trace=fsync", "-o", "/dev/null", "true"]);
  if (probe.error !== undefined) return "needs strace";
  return probe.status === 0 ? null : "needs strace with the right to trace";
}

/** Every tenure writes to every disk. */
async function handOverUntilGone(group: LocalGroup, victim: Sidecar): Promise<void> {
  await group.until(`${victim.name} to end`, async () => {
    for (const { isLeader, self } of await group.answers()) {
      if (!isLeader) continue;
      await group
        .member(self)
        .ask("POST", "/resign")
        .catch(() => null);
    }
    return victim.running ? null : true;
  });
}

describe("a failed sync", () => {
  const CALLS = ["fdatasync", "fsync"];

  it.for(CALLS)("(%s) ends that member by storage_sync_failed; the others go on", async (call, context) => {
    const trouble = straceTrouble();
    context.skip(trouble !== null, trouble ?? "");
    const faulty = new Set<string>();
    const nth = call === "fsync" ? "2" : "3+";
    const group = await createGroup({
      size: 3,
      env: ONE_THREAD,
      command: (name) => (faulty.has(name) ? straced(`${call}:error=EIO:when=${nth}`) : []),
    });
    await Promise.all(group.names.map((name) => group.startMember(name)));
    const holder = await group.agreed();
    const { token } = await holder.leader();
    await holder.crash();
    faulty.add(holder.name);
    const started = group.startMember(holder.name).catch(() => null);
    if (call === "fdatasync") await handOverUntilGone(group, (await started) ?? holder);
    await started;
    const victim = group.member(holder.name);
    expect(await victim.exited).toStrictEqual({ code: 1, signal: null });
    const last = victim.log.at(-1);
    expect(last).toMatchObject({ event: "fatal", level: "fatal", code: "storage_sync_failed", stack: null });
    expect(last?.["message"]).toMatch(/^cannot sync .*EIO/u);
    const next = await group.agreed();
    expect((await next.leader()).token).toBeGreaterThan(token ?? Number.NaN);

    faulty.clear();
    const back = await group.startMember(victim.name);
    await group.until("it to be well again", async () =>
      ["follower", "holder"].includes((await back.leader()).reason) ? true : null,
    );
  });
});

describe("a full disk", () => {
  it("ends that member by storage_unreadable, which says so; the others go on", async (context) => {
    const group = await createGroup({ size: 3 });
    const directory = group.dataDir("app-1");
    await mkdir(directory);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", directory]);
    context.skip(mounted.status !== 0, "needs root, to mount a tmpfs");
    onTestFinished(() => void spawnSync("umount", ["--lazy", directory]));
    await Promise.all(group.names.map((name) => group.startMember(name)));
    await group.agreed();
    const { bavail, bsize } = await statfs(directory);
    // Hidden, as the files of a volume's own are: not a stranger's.
    await writeFile(join(directory, ".ballast"), Buffer.alloc(bavail * bsize));
    const victim = group.member("app-1");
    await handOverUntilGone(group, victim);
    expect((await victim.exited).code).toBe(1);
    expect(victim.log.at(-1)).toMatchObject({ event: "fatal", code: "storage_unreadable", stack: null });
    expect(victim.log.at(-1)?.["message"]).toMatch(/the disk is full \(ENOSPC/u);
    expect((await group.agreed()).name).not.toBe("app-1");
  });
});

describe("slow syncs", () => {
  it("of 1.2 s keep no question for /leader waiting, and lose no lease", async (context) => {
    const trouble = straceTrouble();
    context.skip(trouble !== null, trouble ?? "");
    const command = straced("fdatasync:delay_exit=1200ms");
    const group = await startGroup({ size: 1, leaseDuration: "4s", command: () => command });
    const [member] = group.members;
    if (member === undefined) throw new Error("there is one");
    const latency = new Latency(member);
    const first = await (await group.agreed()).leader();
    expect((await member.ask("POST", "/resign")).status).toBe(200);
    const second = await (await group.agreed()).leader();
    expect(second.token).toBeGreaterThan(first.token ?? Number.NaN);
    expect(await member.metric("tenure_storage_sync_duration_seconds_sum")).toBeGreaterThan(2.4);
    expect(await member.metric("tenure_lease_lapses_total")).toBe(0);
    expect(await latency.stop()).toBeLessThan(1_000);
  });

  it.for([100, 300])("of %i ms at every member leave a holder who keeps its lease", async (delayMs, context) => {
    const trouble = straceTrouble();
    context.skip(trouble !== null, trouble ?? "");
    const group = await startGroup({
      size: 3,
      leaseDuration: "2s",
      command: () => straced(`fdatasync:delay_exit=${delayMs}ms`),
    });
    const journal = new HolderJournal(group);
    onTestFinished(() => journal.stop());
    const holder = await group.agreed();
    const { token } = await holder.leader();
    const renewals = (): Promise<number | null> => holder.metric("tenure_lease_renewals_total");
    const before = (await renewals()) ?? 0;
    await group.until("the lease to be renewed for longer than it lasts", async () => {
      expect((await holder.leader()).token).toBe(token);
      return ((await renewals()) ?? 0) > before + 2_500 / HEARTBEAT_MS ? true : null;
    });
    for (const member of group.members) expect(await member.metric("tenure_lease_lapses_total")).toBe(0);
    expect(journal.violations()).toStrictEqual([]);
  });
});

/** The longest time that an answer of /leader took. */
class Latency {
  #longestMs = 0;
  #stopped = false;
  readonly #polls: Promise<void>;

  constructor(member: Sidecar) {
    this.#polls = this.#poll(member);
  }

  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#polls;
    return this.#longestMs;
  }

  async #poll(member: Sidecar): Promise<void> {
    while (!this.#stopped) {
      const askedAtMs = performance.now();
      await member.leader();
      this.#longestMs = Math.max(this.#longestMs, performance.now() - askedAtMs);
    }
  }
}
