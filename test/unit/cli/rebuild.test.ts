/**
 * `init` and `rescue` against a lock API that does as the test says.
 */
import { describe, expect, it } from "vitest";
import { TenureError } from "../../../src/base/errors.ts";
import { startBench } from "../../support/lock-api.ts";
import { holding, runAt, TOKEN } from "../../support/run-command.ts";

describe("init", () => {
  it("forms a group, and says who holds the lock", async () => {
    const { api, application } = await startBench();
    setTimeout(() => application.hold(TOKEN), 50);
    const { status, out, err } = await runAt(api.port, "init");
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain(
      `app-1 is the group 00112233445566778899aabbccddeeff; app-1 holds the lock, token ${TOKEN}\n`,
    );
    expect(application.orders).toEqual(["init"]);
  });

  it("is 1 where the sidecar refuses", async () => {
    const { api, application } = await startBench();
    application.refuse(new TenureError("init_refused", "a group exists already"));
    const { status, err } = await runAt(api.port, "init");
    expect([status, err]).toEqual([1, "tenure init: init_refused: a group exists already\n"]);
  });
});

describe("rescue", () => {
  const GROUP_ID = "00112233445566778899aabbccddeeff";

  it("alone changes nothing, and shows the command to type", async () => {
    const { api, application } = await startBench();
    application.follow(null, "no-quorum");
    const { status, out, err } = await runAt(api.port, "rescue");
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain("Nothing was changed.");
    const command = `rescue --confirm ${GROUP_ID} --lost app-2`;
    expect(err).toContain(`\n  kubectl exec app-1 -c tenure -- node dist/main.js ${command}\n`);
    expect(err).not.toContain("there is nothing to rescue");
    expect(application.orders).toEqual([]);
  });

  it("alone says so while there is a holder", async () => {
    const { api } = await holding();
    expect((await runAt(api.port, "rescue")).err).toContain("app-1 holds the lock: there is nothing to rescue.");
  });

  it("hands on the id and every pod that is lost, then says what to delete", async () => {
    const { api, application } = await holding();
    const argv = ["--confirm", GROUP_ID, "--lost", "app-0", "--lost", "app-2,app-3"];
    const { status, out } = await runAt(api.port, "rescue", ...argv);
    expect(status).toBe(0);
    expect(application.orders).toEqual([{ confirm: GROUP_ID, lost: ["app-0", "app-2", "app-3"] }]);
    expect(out).toContain(`app-1 is the group ${GROUP_ID}; app-1 holds the lock, token ${TOKEN}\n`);
    expect(out).toContain("\n  kubectl delete pod app-0 app-2\n");
  });

  it("is 1 where the sidecar refuses", async () => {
    const { api, application } = await startBench();
    application.refuse(new TenureError("rescue_refused", "app-2 answers and is not lost"));
    const { status, err } = await runAt(api.port, "rescue", "--confirm", GROUP_ID);
    expect([status, err]).toEqual([1, "tenure rescue: rescue_refused: app-2 answers and is not lost\n"]);
  });
});
