/** A failed assertion inside a request ends the process: it must not live on behind a 500. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { ask } from "../../support/http.ts";

const MODULES = ["../../../src/api/lock-api.ts", "../../../src/base/assert.ts", "../../../src/base/errors.ts"].map(
  (path) => new URL(path, import.meta.url).href,
);
const FAKE = new URL("../../support/fake-application.ts", import.meta.url).href;

/** Starts the API over an application that fails with `error`, asks it for `path`, and waits for the process's end. */
async function endOf(error: string, path: string): Promise<{ status: number | null; answer: number; stderr: string }> {
  const program = `
    import { startLockApi } from ${JSON.stringify(MODULES[0])};
    import { AssertionError } from ${JSON.stringify(MODULES[1])};
    import { TenureError } from ${JSON.stringify(MODULES[2])};
    import { createFakeApplication } from ${JSON.stringify(FAKE)};
    const application = createFakeApplication();
    application.hold(7);
    const api = await startLockApi({
      application, host: "127.0.0.1", port: 0, socketPath: null,
      onFault: (code, where) => process.stderr.write("fault " + code + " " + where + "\\n"),
    });
    application.breakWith(new ${error});
    process.send(api.port);
    process.once("message", () => process.exit(0));
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  let stderr = "";
  present(child.stderr, "stderr is a pipe").on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  const [port] = (await once(child, "message")) as [number];
  const { status: answer } = await ask({ port, path });
  if (child.connected) child.send("end, if you still live");
  const [status] = await closed;
  return { status, answer, stderr };
}

describe("an error in a request", () => {
  it.each(["/leader", "/cluster"])("of %s ends the process when it is a failed assertion", async (path) => {
    const { status, answer, stderr } = await endOf('AssertionError("two holders")', path);
    expect(answer).toBe(500);
    expect(status).toBe(1);
    expect(stderr).toContain(`fault internal ${path}\n`);
    expect(stderr).toContain("AssertionError: two holders");
  });

  it("ends the process when it is the end of the node, such as a clock that went backwards", async () => {
    const { status, stderr } = await endOf('TenureError("clock_backwards", "by 3 ms")', "/leader");
    expect(status).toBe(1);
    expect(stderr).toContain("fault clock_backwards /leader\n");
  });

  it("does not end the process otherwise", async () => {
    const { status, answer, stderr } = await endOf('Error("boom")', "/cluster");
    expect(answer).toBe(500);
    expect(stderr).toBe("fault internal /cluster\n");
    expect(status).toBe(0);
  });
});
