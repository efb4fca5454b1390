/**
 * The commands for people against real groups: what they say is so, and what they order happens.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { runMain } from "../support/command.ts";
import { HolderJournal } from "../support/holder-journal.ts";
import type { LocalGroup } from "../support/local-group.ts";
import { createGroup, startGroup } from "../support/process-test.ts";
import type { Leader, Sidecar } from "../support/sidecar.ts";

const PATIENT = { TENURE_DRAIN_TIMEOUT: "60s" };

function addressOf(sidecar: Sidecar): Record<string, string> {
  return { TENURE_HTTP_PORT: String(sidecar.ports.api) };
}

/** `other` is not the one that a handover to anybody would go to: of two equal ones that is the smaller incarnation. */
async function holderAndOther(group: LocalGroup): Promise<{ holder: Sidecar; other: Sidecar; last: Leader }> {
  const holder = await group.agreed();
  const { members } = JSON.parse((await holder.ask("GET", "/cluster")).text) as {
    members: { name: string; id: string }[];
  };
  const others = members.filter(({ name }) => name !== holder.name).toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const [other] = others.map(({ name }) => group.member(name));
  if (other === undefined) throw new Error("a group of one");
  return { holder, other, last: await holder.leader() };
}

function journalOf(group: LocalGroup): HolderJournal {
  const journal = new HolderJournal(group);
  onTestFinished(() => journal.stop());
  return journal;
}

describe("status, members and history", () => {
  it("say the same in every pod of a healthy group", async () => {
    const group = await startGroup({ size: 3 });
    const { holder, last } = await holderAndOther(group);
    for (const pod of group.members) {
      const status = await runMain(["status"], addressOf(pod));
      expect(status).toMatchObject({ status: 0, stderr: "" });
      const self = pod === holder ? " (this pod)" : "";
      expect(status.stdout).toContain(`\nholder    ${holder.name}${self}, token ${last.token}, for `);
      expect(status.stdout).not.toContain("trouble");
      const row = new RegExp(`^${holder.name} +leader, holder +voter +\\S.* \\d+\\.\\d+\\.\\d+ `, "mu");
      expect(status.stdout).toMatch(row);
      expect((await runMain(["members"], addressOf(pod))).stdout).toMatch(row);
      expect((await runMain(["history"], addressOf(pod))).stdout).toContain(`${last.token}  ${holder.name}`);
    }
    const { stdout } = await runMain(["status", "--json"], addressOf(holder));
    const { holder: told } = JSON.parse(stdout) as { holder: { name: string; token: number; forMs: number } };
    expect(told).toMatchObject({ name: holder.name, token: last.token });
    await group.until("the tenure to be known for longer", async () => {
      const later = JSON.parse((await holder.ask("GET", "/cluster")).text) as { holderForMs: number };
      return later.holderForMs > told.forMs ? true : null;
    });
  });

  it("are 3 and say what is missing without a majority", async () => {
    const group = await startGroup({ size: 3 });
    const { holder, other } = await holderAndOther(group);
    await Promise.all(group.othersThan(other).map((member) => member.crash()));
    await group.until("the loss to be noticed", async () => ((await other.leader()).name === null ? true : null));
    await group.until("the loss to be told", async () => {
      const { status, stdout } = await runMain(["status"], addressOf(other));
      if (!stdout.includes("no majority: 1 of 3 voters")) return null;
      expect(status).toBe(3);
      expect(stdout).toContain(`kubectl get pod ${holder.name} -o wide`);
      return true;
    });
  });
});

describe("transfer", () => {
  it("keeps the lease until the application confirms, hands over to the pod named, and stays eligible", async () => {
    const group = await startGroup({ size: 3, env: PATIENT });
    const journal = journalOf(group);
    const { holder, other, last } = await holderAndOther(group);
    const command = runMain(["transfer", "--to", other.name], addressOf(holder));
    await holder.logged(({ event, cause }) => event === "draining" && cause === "transfer");
    expect(await holder.leader()).toMatchObject({ isLeader: false, reason: "draining", name: holder.name });
    // The application takes longer than a lease, and nobody else gets the lock meanwhile.
    const before = await holder.metric("tenure_lease_renewals_total");
    await group.until("the lease to be renewed over and over", async () => {
      for (const answer of await group.answers()) expect(answer).toMatchObject({ isLeader: false, name: holder.name });
      return ((await holder.metric("tenure_lease_renewals_total")) ?? 0) > (before ?? 0) + 15 ? true : null;
    });
    // Whoever waits for the handover may learn that it is under way.
    expect((await runMain(["status"], addressOf(holder))).stdout).toContain("has been told to stop");

    // The application names nobody, so the wish of the person stands.
    expect((await holder.ask("POST", "/resign")).status).toBe(200);
    const { status, stdout } = await command;
    const next = await (await group.agreed(holder.name)).leader();
    expect(next.self).toBe(other.name);
    expect(stdout).toBe(`${holder.name} released the lock; ${other.name} holds it now, token ${next.token}\n`);
    expect(status).toBe(0);
    expect(next.token).toBeGreaterThan(last.token ?? Number.NaN);
    expect(JSON.parse((await holder.ask("GET", "/eligibility")).text)).toEqual({ eligible: true });
    await journal.tenure(next.token);
    expect(journal.violations()).toStrictEqual([]);

    // And back: eligible is what it is, not only what it says.
    const back = runMain(["transfer", "--to", holder.name, "--json"], addressOf(other));
    await other.logged(({ event }) => event === "draining");
    expect((await other.ask("POST", "/resign")).status).toBe(200);
    expect(JSON.parse((await back).stdout)).toMatchObject({ released: true, holder: { name: holder.name } });
  });

  it("of an application that never confirms waits for the drain time and the last deadline given", async () => {
    const group = await startGroup({ size: 3, leaseDuration: "2s", env: { TENURE_DRAIN_TIMEOUT: "100ms" } });
    const journal = journalOf(group);
    const { holder } = await holderAndOther(group);
    const { status, stdout } = await runMain(["transfer"], addressOf(holder));
    expect([status, stdout]).toEqual([0, expect.stringContaining(`${holder.name} released the lock; `)]);
    const next = await group.agreed(holder.name);
    const { token } = await next.leader();
    await journal.tenure(token);
    expect(journal.violations()).toStrictEqual([]);
  });

  it("in another pod names the holder and where to type it", async () => {
    const group = await startGroup({ size: 3 });
    const { holder, other } = await holderAndOther(group);
    const { status, stdout, stderr } = await runMain(["transfer"], addressOf(other));
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(
      `tenure transfer: not_holder: this pod does not hold the lock; ${holder.name} does: ask the sidecar of ` +
        `${holder.name}\n  kubectl exec ${holder.name} -c tenure -- node dist/main.js transfer\n`,
    );
    expect(await holder.leader()).toMatchObject({ isLeader: true });
  });

  it("to nobody who could take over is refused, and the holder goes on", async () => {
    const group = await startGroup({ size: 1 });
    const alone = await group.agreed();
    const { token } = await alone.leader();
    for (const to of [[], ["--to", "app-0"], ["--to", "app-7"]]) {
      const { status, stderr } = await runMain(["transfer", ...to], addressOf(alone));
      expect(status).toBe(1);
      expect(stderr).toContain("tenure transfer: unknown_target: ");
    }
    expect(await alone.leader()).toMatchObject({ isLeader: true, token });
  });

  it("to a pod that is gone when the application has stopped goes to another one", async () => {
    const group = await startGroup({ size: 3, env: PATIENT });
    const { holder, other } = await holderAndOther(group);
    const third = group.members.find((member) => member !== holder && member !== other);
    const command = runMain(["transfer", "--to", other.name], addressOf(holder));
    await holder.logged(({ event }) => event === "draining");
    await other.crash();
    await group.until("the loss to be noticed", async () => {
      const { status } = await holder.ask("POST", "/transfer", { body: { to: "app-9" } });
      expect(status).toBe(409);
      const cluster = JSON.parse((await holder.ask("GET", "/cluster")).text) as {
        members: { name: string; lastContactMs: number | null }[];
      };
      const contactMs = cluster.members.find(({ name }) => name === other.name)?.lastContactMs ?? 0;
      return contactMs > 1_000 ? true : null;
    });
    expect((await holder.ask("POST", "/resign")).status).toBe(200);
    const { status, stdout } = await command;
    expect(stdout).toContain(`; ${third?.name} holds it now, token `);
    expect(stdout).toContain(`, not ${other.name} as asked for\n`);
    expect(status).toBe(1);
    // Handed over, not elected: the successor saw a release.
    const seen = await third?.logged((line) => line.event === "tenureSeen" && line["holder"] === third.name);
    expect(seen).toMatchObject({ handover: true });
  });
});

describe("resign", () => {
  it("releases at once", async () => {
    const group = await startGroup({ size: 3, env: PATIENT });
    const { holder, other } = await holderAndOther(group);
    const { status, stdout } = await runMain(["resign", "--to", other.name], addressOf(holder));
    expect(stdout).toMatch(
      new RegExp(`^${holder.name} released the lock; ${other.name} holds it now, token \\d+\n$`, "u"),
    );
    expect(status).toBe(0);
    expect((await group.agreed()).name).toBe(other.name);
    expect(holder.log.some(({ event }) => event === "draining")).toBe(false);
  });

  it("confirms a drain on SIGTERM, though the sidecar ends with it", async () => {
    const group = await startGroup({ size: 3, env: PATIENT });
    const { holder } = await holderAndOther(group);
    holder.kill("SIGTERM");
    await holder.logged(({ event }) => event === "draining");
    const { status, stdout } = await runMain(["resign"], addressOf(holder));
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^${holder.name} released the lock; `, "u")),
    ]);
    expect(await holder.exited).toEqual({ code: 0, signal: null });
  });
});

describe("init", () => {
  it("forms a group of the first pod alone, and those that come later join it", async () => {
    const group = await createGroup({ size: 3 });
    const first = await group.startMember("app-0");
    expect(await runMain(["status"], addressOf(first))).toMatchObject({ status: 3 });
    const { status, stdout } = await runMain(["init"], addressOf(first));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^app-0 is the group [0-9a-f]{32}; app-0 holds the lock, token \d+\n/u);
    const again = await runMain(["init"], addressOf(first));
    expect(again).toMatchObject({ status: 1, stdout: "" });
    expect(again.stderr).toContain("tenure init: init_refused: ");

    const second = await group.startMember("app-1");
    await group.until("the second pod to be a voter", async () => {
      const { stdout: members } = await runMain(["members"], addressOf(second));
      return /^app-1 +\w+ +voter /mu.test(members) ? true : null;
    });
    expect((await group.agreed()).name).toBe("app-0");
  });
});

describe("rescue", () => {
  it("is refused while a majority may be alive; then makes a new group with higher tokens", async () => {
    const group = await startGroup({ size: 3 });
    const { last, other: survivor } = await holderAndOther(group);
    const lost = group.othersThan(survivor);
    const before = await runMain(["rescue"], addressOf(survivor));
    expect(before.status).toBe(2);
    expect(before.stderr).toContain("there is nothing to rescue");
    const [, groupId = ""] = /--confirm ([0-9a-f]{32})/u.exec(before.stderr) ?? [];
    const command = ["rescue", "--confirm", groupId, ...lost.flatMap(({ name }) => ["--lost", name])];
    const refused = await runMain(command, addressOf(survivor));
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toContain("tenure rescue: rescue_refused: ");

    await Promise.all(lost.map((member) => member.crash()));
    await group.until("a majority to be missed", async () => {
      const { stdout } = await runMain(["status"], addressOf(survivor));
      return stdout.includes("node dist/main.js rescue\n") ? true : null;
    });
    const withoutWord = await runMain(["rescue", "--confirm", groupId], addressOf(survivor));
    expect(withoutWord.status).toBe(1);
    const plan = await runMain(["rescue"], addressOf(survivor));
    for (const { name } of lost) expect(plan.stderr).toContain(`--lost ${name}`);

    const { status, stdout } = await runMain(command, addressOf(survivor));
    expect(status).toBe(0);
    const [, newId, token] = /^\S+ is the group ([0-9a-f]{32}); \S+ holds the lock, token (\d+)\n/u.exec(stdout) ?? [];
    expect(newId).not.toBe(groupId);
    expect(Number(token)).toBeGreaterThan(last.token ?? Number.NaN);

    // The others come back without their data and join.
    await Promise.all(lost.map(({ name }) => group.emptyDirectory(name)));
    await Promise.all(lost.map(({ name }) => group.startMember(name)));
    await group.until("everyone to be a voter of the new group", async () => {
      const { stdout: members } = await runMain(["members", "--json"], addressOf(survivor));
      const cluster = JSON.parse(members) as { groupId: string; members: { voter: boolean }[] };
      expect(cluster.groupId).toBe(newId);
      return cluster.members.filter(({ voter }) => voter).length === 3 ? true : null;
    });
    expect((await group.agreed()).name).toBe(survivor.name);
  });
});

describe("dist/main.js", () => {
  it("is a sidecar with `run`, and prints help and version", async () => {
    const { status, stderr } = await runMain(["run", "--replicas", "3"]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("TENURE_SERVICE or --service")]);
    const help = await runMain(["help"]);
    expect(help).toEqual({ status: 0, stderr: "", stdout: (await runMain(["--help"])).stdout });
    expect(await runMain(["run", "--help"])).toEqual(help);
    expect((await runMain(["--version"])).stdout).toMatch(/^tenure \d+\.\d+\.\d+\n$/u);
  });

  it("is 2 for a command that does not exist, and 1 without a sidecar", async () => {
    const mistake = await runMain(["transfre"]);
    expect(mistake).toMatchObject({ status: 2, stdout: "" });
    expect(mistake.stderr).toContain("did you mean transfer?");
    const socket = { TENURE_HTTP_SOCKET: "/nowhere/tenure.sock" };
    const { status, stderr } = await runMain(["status"], socket);
    expect(status).toBe(1);
    expect(stderr).toContain("there is no such socket");
  });
});
