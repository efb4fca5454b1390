/**
 * Real sidecars that cannot start: what they say, and the status with which they end.
 *
 * Whatever is wrong is said by name, on standard error before there is a log and on the log after; nothing is repaired.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LocalGroup } from "../support/local-group.ts";
import { createGroup, runSidecar, startGroup } from "../support/process-test.ts";
import { type LogLine, MAIN, type Sidecar } from "../support/sidecar.ts";

/** Longer than any start on a busy machine. */
const LIMIT_MS = 30_000;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  const { PATH = "" } = process.env;
  return spawnSync(process.execPath, [MAIN, ...args], { env: { PATH, ...env }, encoding: "utf8", timeout: LIMIT_MS });
}

/** The last line of a log that ended by a fault; with the exit status 1, and nothing on standard error. */
async function fatalLineOf(sidecar: Sidecar): Promise<LogLine> {
  expect(await sidecar.exited).toStrictEqual({ code: 1, signal: null });
  expect(sidecar.stderr).toBe("");
  const last = sidecar.log.at(-1);
  expect(last).toMatchObject({ event: "fatal", level: "fatal" });
  return last ?? {};
}

describe("a command line that asks for a text", () => {
  it.for(["--help", "-h"])("%s lists every setting and exits 0", (flag) => {
    const { status, stdout, stderr } = run([flag, "--replicas", "none"]);
    expect({ status, stderr }).toStrictEqual({ status: 0, stderr: "" });
    for (const name of ["TENURE_SERVICE", "--lease-duration", "TENURE_SIGTERM", "--insecure-peers"]) {
      expect(stdout).toContain(name);
    }
  });

  it("--version says it and exits 0", () => {
    const { status, stdout } = run(["--version"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^tenure \d+\.\d+\.\d+\n$/u);
  });
});

describe("a bad configuration", () => {
  it("exits 2 and names all its faults at once: name, what was given, what is allowed", () => {
    const { status, stdout, stderr } = run(["--lease-duration=1", "--htp-port", "1"], {
      TENURE_NAME: "app-0",
      TENURE_REPLICAS: "zero",
      TENURE_SERVICE: "app-peers.test",
    });
    expect({ status, stdout }).toStrictEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^tenure: config_invalid: the configuration has 5 faults\n/u);
    for (const name of ["--lease-duration", "--htp-port", "TENURE_REPLICAS", "TENURE_DATA_DIR", "TENURE_TLS_DIR"]) {
      const rows = [`^  (\\S+ or )?${name}( or \\S+)?`, "    given: +.+", "    problem: .+", "    allowed: .+"];
      expect(stderr).toMatch(new RegExp(rows.join("\\n"), "mu"));
    }
    expect(stderr).toContain('given:   "zero"');
  });

  it("exits 2 without certificates and without --insecure-peers, and says so", () => {
    const { status, stderr } = run([], {
      TENURE_NAME: "app-0",
      TENURE_REPLICAS: "1",
      TENURE_SERVICE: "app-peers.test",
      TENURE_DATA_DIR: "/nonexistent/never-made",
    });
    expect(status).toBe(2);
    expect(stderr).toContain("--insecure-peers");
    expect(stderr).toContain("the configuration has one fault");
  });

  it("exits 2 when the lock API would leave the loopback interface", async () => {
    const group = await createGroup({ size: 1 });
    const { status, stderr } = run(["--http-host", "0.0.0.0"], group.environment("app-0"));
    expect(status).toBe(2);
    expect(stderr).toMatch(/TENURE_HTTP_HOST or --http-host\n    given: +"0\.0\.0\.0"/u);
  });
});

describe("an address that cannot be had", () => {
  const PORTS = ["TENURE_HTTP_PORT", "TENURE_OPS_PORT", "TENURE_PEER_PORT"];

  it.for(PORTS)("%s in use: listen_failed, exit 1", async (name) => {
    const group = await createGroup({ size: 1 });
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const port = String((taken.address() as AddressInfo).port);
    const line = await fatalLineOf(runSidecar({ ...group.environment("app-0"), [name]: port }));
    expect(line).toMatchObject({ code: "listen_failed", stack: null });
    expect(line["message"]).toContain(port);
    expect(line["message"]).toContain("EADDRINUSE");
  });
});

describe("a data directory that cannot be used", () => {
  it("below a file: storage_unreadable, exit 1", async () => {
    const group = await createGroup({ size: 1 });
    const file = join(group.directory, "file");
    await writeFile(file, "");
    const line = await fatalLineOf(runSidecar({ ...group.environment("app-0"), TENURE_DATA_DIR: join(file, "data") }));
    expect(line["code"]).toBe("storage_unreadable");
    expect(line["message"]).toContain(file);
  });

  it("with files of someone else: storage_corrupt, exit 1, and they are left alone", async () => {
    const group = await createGroup({ size: 1 });
    await writeFile(join(group.directory, "database.db"), "precious");
    const line = await fatalLineOf(runSidecar({ ...group.environment("app-0"), TENURE_DATA_DIR: group.directory }));
    expect(line["code"]).toBe("storage_corrupt");
    expect(await readdir(group.directory)).toStrictEqual(["database.db"]);
  });

  it("of another pod: storage_in_use, exit 1", async () => {
    const group = await startGroup({ size: 1 });
    await group.agreed();
    await group.member("app-0").crash();
    const other = runSidecar({ ...group.environment("app-0"), TENURE_NAME: "app-1", TENURE_REPLICAS: "2" });
    const line = await fatalLineOf(other);
    expect(line["code"]).toBe("storage_in_use");
    expect(line["message"]).toMatch(/"app-0".*"app-1"/u);
  });

  it("in use by a running sidecar: storage_in_use, exit 1, and that one does not notice", async () => {
    const group = await startGroup({ size: 1, leaseDuration: "3s" });
    const holder = await group.agreed();
    const { token } = await holder.leader();
    const line = await fatalLineOf(runSidecar(group.environment("app-0")));
    expect(line["code"]).toBe("storage_in_use");
    expect(await holder.leader()).toMatchObject({ isLeader: true, token });
  });
});

describe("a damaged data directory", () => {
  it("is never taken for an empty one: a flipped byte of the log, wherever, is storage_corrupt, exit 1", async () => {
    const group = await stoppedMember();
    const wal = join(group.dataDir("app-0"), "wal");
    const whole = await readFile(wal);
    const positions = [3, 21, 24, 50, Math.floor(whole.length / 2), whole.length - 1];
    for (const position of positions) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(position) ^ 0x10, position);
      await writeFile(wal, damaged);
      const before = await digestOf(group.dataDir("app-0"));
      const line = await fatalLineOf(runSidecar(group.environment("app-0")));
      expect(line, `byte ${position}`).toMatchObject({ code: "storage_corrupt" });
      expect(line["message"]).toContain(wal);
      expect(await digestOf(group.dataDir("app-0"))).toStrictEqual(before);
    }
    await writeFile(wal, whole);
    await group.startMember("app-0");
    await group.agreed();
  });

  const FILES = ["wal", "identity.json", "snapshot.json"];

  it.for(FILES)("is storage_corrupt and exit 1 when %s is empty", async (name) => {
    const group = await stoppedMember();
    await writeFile(join(group.dataDir("app-0"), name), "");
    expect((await fatalLineOf(runSidecar(group.environment("app-0"))))["code"]).toBe("storage_corrupt");
  });

  /** A group of one that has held the lock, in a second life, so that its log has a sealed part and some more. */
  async function stoppedMember(): Promise<LocalGroup> {
    const group = await startGroup({ size: 1, leaseDuration: "300ms", heartbeatInterval: "50ms" });
    await group.agreed();
    await group.member("app-0").crash();
    await group.startMember("app-0");
    await group.agreed();
    await group.member("app-0").crash();
    return group;
  }

  async function digestOf(directory: string): Promise<readonly string[]> {
    const names = (await readdir(directory)).toSorted();
    return Promise.all(
      names.map(async (name) => {
        const hash = createHash("sha256").update(await readFile(join(directory, name)));
        return `${name} ${hash.digest("hex")}`;
      }),
    );
  }
});
