/** The log: one JSON line for each event, at a level that lets a person sleep. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { MAX_LOG_TEXT_LENGTH, MAX_REPEATED_FAULTS, REPEATED_FAULT_QUIET_MS } from "../../../src/base/limits.ts";
import { fencingToken, term } from "../../../src/base/types.ts";
import { createLogObserver, type LogObserver, type LogObserverOptions } from "../../../src/ops/log-observer.ts";
import type { NodeEvent } from "../../../src/ports/observer.ts";

const T = term(12);
const TOKEN = fencingToken(251_301_442_093_057);

interface Line {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

interface Bench {
  readonly log: LogObserver;
  readonly clock: { nowMs: number };
  readonly texts: string[];
  lines(): Line[];
}

function start(level: LogObserverOptions["level"] = "info"): Bench {
  const texts: string[] = [];
  const clock = { nowMs: 0 };
  const log = createLogObserver({
    level,
    destination: { write: (line) => void texts.push(line) },
    nowMs: () => clock.nowMs,
  });
  return { log, clock, texts, lines: (): Line[] => texts.map((text) => JSON.parse(text) as Line) };
}

const fault = (where: string, code: "peer_timeout" | "discovery_failed" = "peer_timeout"): NodeEvent => ({
  kind: "fault",
  code,
  where,
  message: `no answer of ${where}`,
});

describe("lines", () => {
  it("are JSON with time, level, event, words and the event's fields", () => {
    const { log, texts, lines } = start();
    log.observe({ kind: "holding", term: T, token: TOKEN });
    expect(texts[0]?.endsWith("}\n")).toBe(true);
    const [line] = lines();
    expect(line).toEqual({
      level: "info",
      time: line?.["time"],
      event: "holding",
      term: 12,
      token: 251_301_442_093_057,
      message: "holds the lock",
    });
    expect(Math.abs(Date.parse(String(line?.["time"])) - Date.now())).toBeLessThan(10_000);
  });

  it.each<[string, NodeEvent]>([
    ["info", { kind: "started", member: "app-1", incarnation: "00", version: "1.2.3" }],
    ["info", { kind: "listening", api: 4040, ops: 9464, peers: 7400 }],
    ["info", { kind: "formed", groupId: "00", founders: ["app-0"], tokenBase: 1 }],
    ["info", { kind: "roleChanged", role: "leader", term: T }],
    ["info", { kind: "waiting", term: T, waitMs: 1_000 }],
    ["info", { kind: "holding", term: T, token: TOKEN }],
    ["info", { kind: "lapsed", term: T, token: TOKEN }],
    ["info", { kind: "released", term: T, token: TOKEN }],
    ["info", { kind: "tenureSeen", holder: "app-2", token: TOKEN, leaderlessMs: 3, handover: true }],
    ["info", { kind: "draining", cause: "signal", timeoutMs: 10_000 }],
    ["info", { kind: "stopping", signal: "SIGTERM" }],
    ["info", { kind: "stopped" }],
    ["info", { kind: "electionEnded", outcome: "won", term: T }],
    ["debug", { kind: "electionEnded", outcome: "refused", term: T }],
    ["debug", { kind: "electionEnded", outcome: "lost", term: T }],
    ["debug", { kind: "roleChanged", role: "preCandidate", term: T }],
    ["debug", { kind: "peerConnected", peer: "app-2", incarnation: "00", version: "1.2.3" }],
    ["trace", { kind: "renewed" }],
    ["trace", { kind: "peerRoundTrip", peer: "app-2", durationMs: 1 }],
    ["trace", { kind: "storageSynced", durationMs: 1 }],
    ["warn", { kind: "storageTailCut", bytes: 3 }],
    ["warn", { kind: "transferFailed", term: T }],
    ["warn", fault("app-2")],
    ["fatal", { kind: "fatal", code: "storage_corrupt", message: "bad checksum", stack: null }],
  ])("%s: %j", (level, event) => {
    const { log, lines } = start("trace");
    log.observe(event);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatchObject({ level, event: event.kind });
  });

  it("carry the words of a fault and its code", () => {
    const { log, lines } = start();
    log.observe(fault("app-2"));
    log.observe({ kind: "fatal", code: "storage_corrupt", message: "bad checksum", stack: null });
    expect(lines()[0]).toMatchObject({ code: "peer_timeout", where: "app-2", message: "no answer of app-2" });
    expect(lines()[1]).toMatchObject({ code: "storage_corrupt", message: "bad checksum" });
  });

  it("are cut where a text from outside is too long, and stay one line whatever is in it", () => {
    const { log, texts, lines } = start();
    log.observe({ kind: "fault", code: "peer_name", where: `a\n${"b".repeat(1e6)}`, message: "c".repeat(1e6) });
    expect(texts[0]?.indexOf("\n")).toBe((texts[0]?.length ?? 0) - 1);
    expect(texts[0]?.length).toBeLessThan(3 * MAX_LOG_TEXT_LENGTH);
    expect(lines()[0]?.message).toHaveLength(MAX_LOG_TEXT_LENGTH + 1);
  });

  it("below the level are not written", () => {
    const { log, texts } = start("warn");
    log.observe({ kind: "holding", term: T, token: TOKEN });
    expect(texts).toEqual([]);
    log.observe({ kind: "transferFailed", term: T });
    expect(texts).toHaveLength(1);
  });
});

describe("what comes again and again", () => {
  it("is one line of a group without a majority: PreVotes and their end are debug, a candidacy is not", () => {
    const { log, lines } = start();
    for (let n = 0; n < 5; n += 1) {
      log.observe({ kind: "roleChanged", role: "preCandidate", term: T });
      log.observe({ kind: "electionEnded", outcome: "refused", term: T });
      log.observe({ kind: "roleChanged", role: "follower", term: T });
    }
    expect(lines()).toEqual([]);
    log.observe({ kind: "roleChanged", role: "preCandidate", term: T });
    log.observe({ kind: "roleChanged", role: "candidate", term: term(13) });
    log.observe({ kind: "roleChanged", role: "follower", term: term(13) });
    expect(lines().map((line) => line["role"])).toEqual(["candidate", "follower"]);
  });

  it("is one line of a formation that waits for the same pods", () => {
    const { log, lines } = start();
    const waits = (...silent: string[]): void => log.observe({ kind: "formationWaiting", silent, outsider: false });
    waits("app-1", "app-2");
    waits("app-1", "app-2");
    waits("app-2");
    waits("app-2");
    waits();
    expect(lines().map((line) => line["silent"])).toEqual([["app-1", "app-2"], ["app-2"], []]);
  });

  it("warns of a fault once, is then debug, and says later how often it was quiet", () => {
    const { log, clock, lines } = start("debug");
    for (let n = 0; n < 4; n += 1) log.observe(fault("app-2"));
    expect(lines().map((line) => line.level)).toEqual(["warn", "debug", "debug", "debug"]);
    // Another place and another code are other faults.
    log.observe(fault("app-0"));
    log.observe(fault("app-2", "discovery_failed"));
    expect(
      lines()
        .slice(4)
        .map((line) => line.level),
    ).toEqual(["warn", "warn"]);
    clock.nowMs = REPEATED_FAULT_QUIET_MS - 1;
    log.observe(fault("app-2"));
    clock.nowMs = REPEATED_FAULT_QUIET_MS;
    log.observe(fault("app-2"));
    log.observe(fault("app-2"));
    expect(
      lines()
        .slice(6)
        .map((line) => line.level),
    ).toEqual(["debug", "warn", "debug"]);
    expect(lines()[7]).toMatchObject({ repeated: 4 });
    expect(lines()[0]).not.toHaveProperty("repeated");
  });

  it("is remembered of a bounded number of faults, the newest", () => {
    const { log, lines } = start("warn");
    for (let n = 0; n <= MAX_REPEATED_FAULTS; n += 1) log.observe(fault(`peer-${n}`));
    log.observe(fault(`peer-${MAX_REPEATED_FAULTS}`));
    log.observe(fault("peer-1"));
    expect(lines()).toHaveLength(MAX_REPEATED_FAULTS + 1);
    log.observe(fault("peer-0")); // the oldest was forgotten: it warns anew
    expect(lines()).toHaveLength(MAX_REPEATED_FAULTS + 2);
  });
});

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

/** Runs `code`, with `log` as an observer on standard output, in a process of its own. */
function run(code: string): { readonly child: ChildProcess; readonly stdout: Readable } {
  const module = new URL("../../../src/ops/log-observer.ts", import.meta.url).href;
  const program = `import { createLogObserver } from ${JSON.stringify(module)};
    const log = createLogObserver({ level: "info" });
    const line = (member) => log.observe({ kind: "started", member, incarnation: "00", version: "1" });
    ${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  children.add(child);
  return { child, stdout: present(child.stdout, "stdout is a pipe") };
}

async function outputOf({ child, stdout }: ReturnType<typeof run>): Promise<{ lines: Line[]; status: number | null }> {
  let text = "";
  stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [status] = (await once(child, "close")) as [number | null];
  return {
    status,
    lines: text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line),
  };
}

describe("standard output", () => {
  it.each(["await log.end(); process.exit(3);", "log.flush(); process.exit(3);", "process.exit(3);"])(
    "has every line when the process ends: %s",
    async (end) => {
      const { lines, status } = await outputOf(run(`for (let n = 0; n < 500; n += 1) line("app-" + n); ${end}`));
      expect(status).toBe(3);
      expect(lines.map((line) => line["member"])).toEqual(Array.from({ length: 500 }, (_, n) => `app-${n}`));
    },
  );

  it("an orderly end keeps the order, however long the kernel takes for the lines before the last", async () => {
    const running = run(`
      const { pbkdf2 } = await import("node:crypto");
      // All threads that write are busy with something else.
      for (let n = 0; n < 8; n += 1) pbkdf2("a", "b", 50_000, 64, "sha512", () => {});
      line("first");
      log.observe({ kind: "fatal", code: "internal", message: "the reason", stack: null });
      await log.end();
      line("nobody waits for this one");
      process.exit(3);
    `);
    const { lines, status } = await outputOf(running);
    expect(status).toBe(3);
    expect(lines.map((line) => line["member"])).toEqual(["first", undefined]);
    expect(lines.at(-1)).toMatchObject({ event: "fatal", message: "the reason" });
  });

  it("never holds up the node: a reader that stands still costs lines, not time or memory", async () => {
    const running = run(`
      const text = "x".repeat(1000);
      const startMs = performance.now();
      for (let n = 0; n < 20000; n += 1) {
        line(text);
        if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      process.send({ tookMs: performance.now() - startMs, residentBytes: process.memoryUsage.rss() });
      process.once("message", () => {
        log.flush();
        process.exit(0);
      });
    `);
    // Nothing is read until the process has written all: 20 MB, of which the pipe takes 64 KiB.
    const [told] = (await once(running.child, "message")) as [{ tookMs: number; residentBytes: number }];
    expect(told.tookMs).toBeLessThan(5_000);
    expect(told.residentBytes).toBeLessThan(110e6);
    const output = outputOf(running);
    running.child.send("read on");
    const { lines, status } = await output;
    expect(status).toBe(0);
    expect(lines[0]?.message).toBe("started");
    expect(lines.length).toBeGreaterThan(500);
    expect(lines.length).toBeLessThan(3_000);
  });
});
