/**
 * The commands against a lock API that does as the test says: what goes where, and the exit status.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { COMMAND_NAMES, type CommandSpec, COMMANDS } from "../../../src/cli/commands.ts";
import { renderHandOver } from "../../../src/cli/hand-over.ts";
import { startBench } from "../../support/lock-api.ts";
import { holding, run, runAt, TOKEN } from "../../support/run-command.ts";
import { createTemporaryDirectory } from "../../support/temporary-directory.ts";

/** An HTTP server that is no sidecar. */
async function stranger(answer: (end: (text: string) => void) => void): Promise<number> {
  const server = createServer((_req, res) => answer((text) => res.end(text)));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("status", () => {
  it("is 0 with a holder, whichever pod it is", async () => {
    const { api, application } = await holding();
    const own = await runAt(api.port, "status");
    expect(own).toMatchObject({ status: 0, err: "" });
    expect(own.out).toContain(`\nholder    app-1 (this pod), token ${TOKEN}, for 1 h 2 min\n`);
    application.follow("app-0");
    const other = await runAt(api.port, "status");
    expect(other.status).toBe(0);
    expect(other.out).toContain("\nholder    app-0, for 1 h 2 min\n");
  });

  it("is 3 while nobody is known to hold the lock", async () => {
    const { api, application } = await startBench();
    application.follow(null, "no-quorum");
    const outcome = await runAt(api.port, "status");
    expect(outcome).toMatchObject({ status: 3, err: "" });
    expect(outcome.out).toContain("nobody is known to hold the lock");
    expect((await runAt(api.port, "status", "--json")).status).toBe(3);
  });

  it("as JSON has the answers of /leader and /cluster whole", async () => {
    const { api, application } = await holding();
    const { out } = await runAt(api.port, "status", "--json");
    const told = JSON.parse(out) as { holder: object; leader: object; cluster: object };
    expect(told.holder).toEqual({ name: "app-1", token: TOKEN, forMs: 3_723_000 });
    expect(told.cluster).toEqual(application.cluster());
    const { remainingMs: _remaining, deadlineMonotonicNs: _deadline, ...settled } = application.leader();
    expect(told.leader).toMatchObject(settled);
    expect(Object.keys(told.leader).toSorted()).toEqual(Object.keys(application.leader()).toSorted());
  });

  it("looks again when something changed between two answers", async () => {
    const { api, application } = await holding();
    const { cluster } = application;
    let looks = 0;
    application.cluster = () => {
      const answer = cluster();
      looks += 1;
      if (looks === 1) application.follow("app-0");
      return answer;
    };
    const told = JSON.parse((await runAt(api.port, "status", "--json")).out) as { leader: object; cluster: object };
    expect(looks).toBe(2);
    expect(told).toMatchObject({ leader: { name: "app-0" }, cluster: { holder: "app-0" }, holder: { name: "app-0" } });
  });

  it("works through a Unix socket", async () => {
    const directory = await createTemporaryDirectory();
    onTestFinished(() => directory.remove());
    const path = join(directory.path, "tenure.sock");
    await startBench({}, path);
    expect((await run({ TENURE_HTTP_SOCKET: path }, "members", "--json")).status).toBe(0);
  });
});

describe("members and history", () => {
  it("are tables, or the answers themselves", async () => {
    const { api, application } = await holding();
    expect((await runAt(api.port, "members")).out).toMatch(/^NAME .* INCARNATION\napp-0 [^]*\napp-2 .*\n$/u);
    expect(JSON.parse((await runAt(api.port, "members", "--json")).out)).toEqual(application.cluster());
    const { out, status } = await runAt(api.port, "history");
    expect(out).toBe(
      "          TOKEN  HOLDER  TERM  END\n" +
        "251301442093057  app-1     12  current\n" +
        "251301442093020  app-0     12  released\n",
    );
    expect(status).toBe(0);
    expect(JSON.parse((await runAt(api.port, "history", "--json")).out)).toEqual(application.history());
  });
});

describe("transfer and resign", () => {
  it.each(["transfer", "resign"])("%s hands on whom it was told, and says who holds now", async (order) => {
    const { api } = await holding();
    const outcome = await runAt(api.port, order, "--to", "app-2");
    expect(outcome).toMatchObject({ status: 0, out: "app-1 released the lock; app-2 holds it now\n" });
    expect(outcome.err).toContain(order === "transfer" ? "app-1 drains: waits until its application has stopped" : "");
  });

  it.each(["transfer", "resign"])("%s waits for a successor that comes late", async (order) => {
    const { api, application } = await holding();
    application.onResign((to) => {
      expect(to).toBeNull();
      application.follow(null);
      setTimeout(() => application.follow("app-0"), 50);
      return Promise.resolve();
    });
    const { out, err, status } = await runAt(api.port, order, "--json");
    expect([status, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({ released: true, from: "app-1", holder: { name: "app-0", token: null } });
  });

  it.each(["transfer", "resign"])("%s in another pod says where to type it", async (order) => {
    const { api, application } = await startBench();
    application.follow("app-2");
    expect(await runAt(api.port, order, "--to", "app-1")).toEqual({
      status: 1,
      out: "",
      err:
        `tenure ${order}: not_holder: app-1 does not hold the lock\n` +
        `  kubectl exec app-2 -c tenure -- node dist/main.js ${order} --to app-1\n`,
    });
  });

  it("to a pod that cannot take over is refused, with where to look", async () => {
    const { api, application } = await holding();
    const { status, out, err } = await runAt(api.port, "transfer", "--to", "elsewhere");
    expect([status, out]).toEqual([1, ""]);
    expect(err).toContain("tenure transfer: unknown_target: elsewhere is no voter of the group\n");
    expect(err).toContain("  kubectl exec app-1 -c tenure -- node dist/main.js members\n");
    expect(application.leader().isLeader).toBe(true);
  });

  const to = (name: string): { name: string; token: number; forMs: null } => ({ name, token: 7, forMs: null });
  it.each([
    ["a successor", null, to("app-2"), 0, "; app-2 holds it now, token 7"],
    ["the one asked for", "app-2", to("app-2"), 0, "; app-2 holds it now, token 7"],
    ["another than asked for", "app-2", to("app-0"), 1, "; app-0 holds it now, token 7, not app-2 as asked for"],
    ["the same pod again", null, to("app-1"), 1, ", and holds it again, token 7: the handover failed"],
    ["nobody", null, null, 3, "; nobody is known to hold it yet"],
    ["a sidecar that stops", null, "gone" as const, 3, "; its sidecar stops, so ask another pod who is next"],
  ])("ends as it went: %s", (_, wanted, holder, status, tail) => {
    const done = { from: "app-1", to: wanted, token: 5, holder };
    expect(renderHandOver("transfer", done)).toEqual({ text: `app-1 released the lock${tail}`, status });
    // What was asked of `resign` is done once the lock is released.
    expect(renderHandOver("resign", done)).toEqual({ text: `app-1 released the lock${tail}`, status: 0 });
  });
});

describe("a sidecar that is not there", () => {
  it.each(COMMAND_NAMES)("is 1, with what to check: %s", async (name) => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const free = (server.address() as AddressInfo).port;
    await new Promise((resolve) => void server.close(resolve));
    const { status, out, err } = await runAt(free, name);
    expect([status, out]).toEqual([1, ""]);
    expect(err).toBe(
      `tenure ${name}: sidecar_unreachable: cannot reach the sidecar at http://127.0.0.1:${free}: nothing listens there
  Is it running? Look at its log, and run the command beside it, in its own container:
    kubectl logs <pod> -c tenure --tail=20
    kubectl exec <pod> -c tenure -- node dist/main.js ${name}
  Does it listen elsewhere? See TENURE_HTTP_PORT and TENURE_HTTP_SOCKET; give --http-port or --http-socket.
`,
    );
  });

  it("is given up when it does not answer", async () => {
    const { status, err } = await runAt(await stranger(() => undefined), "status");
    expect(status).toBe(1);
    expect(err).toContain(": no answer in 5 s; the process hangs or is stopped\n");
  });

  it("is told from another server in its place", async () => {
    for (const body of ["hello", "{}", "null", '{"error":"no"}']) {
      const { status, err } = await runAt(await stranger((end) => end(body)), "status");
      expect(status).toBe(1);
      expect(err).toMatch(
        /^tenure status: sidecar_unreachable: what answers at http:.* is no sidecar of this version\n/u,
      );
    }
  });

  it("is told from one that sends without end", async () => {
    const { status, err } = await runAt(await stranger((end) => end("x".repeat(3_000_000))), "status");
    expect(status).toBe(1);
    expect(err).toContain("its answer is longer than any of a sidecar");
  });
});

describe("a sidecar that fails", () => {
  it("is quoted with its code", async () => {
    const { api, application } = await holding();
    application.breakWith(new TenureError("shutting_down", "the sidecar is stopping"));
    expect(await runAt(api.port, "status")).toMatchObject({
      status: 1,
      err: "tenure status: shutting_down: the sidecar is stopping\n",
    });
  });
});

describe("help", () => {
  it.each(COMMAND_NAMES)("of %s has its usage, flags and statuses in 80 columns", async (name) => {
    const { status, out } = await run({}, name, "--help");
    expect(status).toBe(0);
    expect(await run({}, "help", name)).toEqual({ status: 0, out, err: "" });
    const spec: CommandSpec = COMMANDS[name];
    const words = out.replaceAll(/\s+/gu, " ");
    expect(words).toContain(`usage: node dist/main.js ${name} `);
    for (const flag of [...spec.flags.map((own) => own.name), "--json", "--http-port", "--http-socket", "--help"]) {
      expect(out).toMatch(new RegExp(`^ {2}(-h, )?${flag}\\b`, "mu"));
    }
    for (const text of [...spec.description, ...Object.values(spec.statuses)]) expect(words).toContain(text);
    for (const code of [0, 1, 2]) expect(out).toMatch(new RegExp(`^ {2}${code} {2}\\w`, "mu"));
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("of resign warns", async () => {
    expect((await run({}, "help", "resign")).out).toContain("\nWARNING: this tells tenure that the application");
  });

  it("of all names every command", async () => {
    const { out } = await run({}, "help");
    for (const name of COMMAND_NAMES) expect(out).toMatch(new RegExp(`^ {2}${name} +\\S`, "mu"));
  });

  it("is offered after a mistake, which is 2", async () => {
    expect(await run({}, "statsu")).toEqual({
      status: 2,
      out: "",
      err: 'tenure: no such command: "statsu"; did you mean status?\nsee node dist/main.js help\n',
    });
    const { status, err } = await run({}, "resign", "app-1");
    expect(status).toBe(2);
    expect(err).toContain("see node dist/main.js help resign\n");
  });
});
