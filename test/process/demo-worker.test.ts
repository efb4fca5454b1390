/** The demo's worker, a real process, against a sidecar that the test plays: it must obey, and stop by itself. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Entry, Evidence, type Stop } from "../../demo/evidence.ts";
import { faultsOf } from "../../demo/check.ts";
import { Ledger } from "../../demo/ledger.ts";
import { machineMs } from "../../demo/machine-clock.ts";
import type { Report } from "../../demo/worker-talk.ts";
import { WorkerProcess } from "../../demo/worker-process.ts";
import { createTemporaryDirectory } from "../support/temporary-directory.ts";

type Mood = "leader" | "follower" | "draining" | "silent";

const LEASE_MS = 400;
const PATIENCE_MS = 10_000;

/** What the played sidecar says, and what it was asked to do. */
class PlayedSidecar {
  mood: Mood = "leader";
  token = 10;
  remainingMs = LEASE_MS;
  port = 0;
  readonly resignations: { readonly atMs: number; readonly body: unknown }[] = [];
  readonly #held: ServerResponse[] = [];

  async start(): Promise<void> {
    const server = createServer((req, res) => {
      let text = "";
      req.on("data", (chunk) => (text += String(chunk)));
      req.once("end", () => this.#asked(req.method ?? "", text, res));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
  }

  /** As after SIGCONT: what was held back is answered now. */
  speak(mood: Mood): void {
    this.mood = mood;
    for (const res of this.#held.splice(0)) this.#answer(res);
  }

  #asked(method: string, text: string, res: ServerResponse): void {
    if (method === "POST") {
      this.resignations.push({ atMs: machineMs(), body: JSON.parse(text) });
      res.end("{}");
    } else if (this.mood === "silent") this.#held.push(res);
    else this.#answer(res);
  }

  #answer(res: ServerResponse): void {
    const isLeader = this.mood === "leader";
    const reason = isLeader ? "holder" : this.mood;
    const [token, remainingMs] = isLeader ? [this.token, this.remainingMs] : [null, 0];
    const answer = { isLeader, token, remainingMs, reason };
    res.writeHead(isLeader ? 200 : 503).end(JSON.stringify(answer));
  }
}

interface Bench {
  readonly sidecar: PlayedSidecar;
  readonly worker: WorkerProcess;
  readonly entries: Entry[];
  readonly reports: Report[];
  readonly stops: Stop[];
  readonly ledger: Ledger;
  /** Waits until `look` is true. */
  readonly until: (look: () => boolean) => Promise<void>;
  readonly stopped: () => Promise<Extract<Report, { report: "stopped" }>>;
}

/** @param heldLedger takes the place of the real one */
async function start(heldLedger: string | null = null): Promise<Bench> {
  const directory = await createTemporaryDirectory();
  const [entries, reports, stops]: [Entry[], Report[], Stop[]] = [[], [], []];
  const sidecar = new PlayedSidecar();
  await sidecar.start();
  const ledger = await Ledger.open(join(directory.path, "ledger"), {
    written: (entry) => entries.push(entry),
    stopped: (stop) => stops.push(stop),
  });
  const worker = new WorkerProcess({
    name: "app-0",
    apiPort: sidecar.port,
    ledgerUrl: heldLedger ?? ledger.url,
    reported: (report) => reports.push(report),
    ended: () => undefined,
  });
  onTestFinished(async () => {
    await worker.stop();
    await ledger.close();
    await directory.remove();
  });
  const until = async (look: () => boolean): Promise<void> => {
    const endMs = machineMs() + PATIENCE_MS;
    while (!look()) {
      if (machineMs() > endMs) throw new Error(`in vain: ${JSON.stringify({ reports, stderr: worker.stderr })}`);
      await delay(5);
    }
  };
  const find = (): Report | undefined => reports.find(({ report }) => report === "stopped");
  const stopped = async (): Promise<Extract<Report, { report: "stopped" }>> => {
    await until(() => find() !== undefined);
    const report = find();
    if (report?.report !== "stopped") throw new Error("it has not stopped");
    return report;
  };
  await until(() => (heldLedger === null ? entries.length >= 5 : reports.length > 0));
  return { sidecar, worker, entries, reports, stops, ledger, until, stopped };
}

describe("the demo's worker", () => {
  it("stops by itself at its deadline when its sidecar says nothing any more", async () => {
    const { sidecar, entries, stopped } = await start();
    sidecar.mood = "silent";
    const silentFromMs = machineMs();
    expect(await stopped()).toMatchObject({ reason: "deadline", token: 10 });
    const last = entries.at(-1);
    // It went on for what it had been given, and not longer.
    expect(last?.decidedAtMs).toBeGreaterThan(silentFromMs + LEASE_MS / 2);
    expect(last?.decidedAtMs).toBeLessThan(silentFromMs + LEASE_MS);
    const count = entries.length;
    sidecar.speak("follower");
    await delay(100);
    expect(entries).toHaveLength(count);
  });

  it("keeps the deadline that it was given when a later question is answered slowly", async () => {
    const { sidecar, entries, reports, until } = await start();
    sidecar.mood = "silent";
    await delay(LEASE_MS / 2);
    // The question is half a lease old, and so would be the deadline that begins with it.
    sidecar.remainingMs = LEASE_MS / 4;
    sidecar.speak("leader");
    const count = entries.length;
    await until(() => entries.length >= count + 2);
    expect(reports.filter(({ report }) => report === "stopped")).toEqual([]);
  });

  it("stops at once when it is told so", async () => {
    const { sidecar, entries, stopped } = await start();
    sidecar.mood = "follower";
    const toldMs = machineMs();
    expect(await stopped()).toMatchObject({ reason: "told" });
    expect(entries.at(-1)?.decidedAtMs).toBeLessThan(toldMs + LEASE_MS / 2);
  });

  it("finishes and confirms once when its sidecar drains", async () => {
    const { sidecar, entries, stops, reports, until, stopped } = await start();
    sidecar.mood = "draining";
    expect(await stopped()).toMatchObject({ reason: "draining" });
    await until(() => reports.some(({ report }) => report === "handedOver"));
    const [resignation] = sidecar.resignations;
    expect(entries.at(-1)?.atMs).toBeLessThan(stops[0]?.atMs ?? 0);
    expect(stops[0]?.atMs).toBeLessThan(resignation?.atMs ?? 0);
    await delay(100);
    expect(sidecar.resignations).toHaveLength(1);
  });

  it("waits for the write that is on its way before it resigns", async () => {
    const writes: ServerResponse[] = [];
    const stops: number[] = [];
    const ledger = createServer((req, res) => {
      req.resume();
      if (req.url === "/entries") writes.push(res);
      else {
        stops.push(machineMs());
        res.end("{}");
      }
    });
    ledger.listen(0, "127.0.0.1");
    await once(ledger, "listening");
    onTestFinished(() => void ledger.close());
    const address = ledger.address();
    const { sidecar, worker, until, stopped } = await start(
      `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    );
    await until(() => writes.length === 1);
    worker.order({ order: "resign", to: null });
    expect(await stopped()).toMatchObject({ reason: "handover" });
    await delay(100);
    expect([stops, sidecar.resignations]).toEqual([[], []]);
    for (const res of writes) res.end("{}");
    await until(() => sidecar.resignations.length === 1);
    expect(stops).toHaveLength(1);
  });

  it("hands over when it is told to, and trusts no answer to a question of before", async () => {
    const { sidecar, worker, entries, reports, until } = await start();
    sidecar.mood = "silent";
    // Now a question is on its way, whose answer will come after the resignation.
    await delay(60);
    worker.order({ order: "resign", to: "app-2" });
    await until(() => reports.some(({ report }) => report === "handedOver"));
    expect(sidecar.resignations[0]?.body).toEqual({ to: "app-2" });
    const count = entries.length;
    const begun = reports.filter(({ report }) => report === "began").length;
    sidecar.speak("leader");
    sidecar.mood = "follower";
    await delay(100);
    expect(entries).toHaveLength(count);
    expect(reports.filter(({ report }) => report === "began")).toHaveLength(begun);
  });

  it("that froze after its look at the deadline writes late with its old token, and is refused", async () => {
    const { sidecar, worker, entries, reports, ledger, until, stopped } = await start();
    worker.order({ order: "sleep" });
    await until(() => reports.some(({ report }) => report === "asleep"));
    const count = entries.length;
    const from = { decidedAtMs: machineMs() + 10 * LEASE_MS, fromMs: machineMs() + 10 * LEASE_MS };
    const other = { worker: "app-1", token: 11, ...from, untilMs: from.fromMs + 1 };
    const response = await fetch(`${ledger.url}/entries`, { method: "POST", body: JSON.stringify(other) });
    expect(response.status).toBe(201);
    await delay(LEASE_MS);
    // The one of the test alone: the worker's process stands still.
    expect(entries).toHaveLength(count + 1);
    sidecar.mood = "follower";
    worker.kill("SIGCONT");
    await stopped();
    await until(() => entries.length === count + 2);
    const late = entries.at(-1);
    expect(late).toMatchObject({ token: 10, refusal: "stale token" });
    expect(late?.atMs).toBeGreaterThan(late?.untilMs ?? Number.POSITIVE_INFINITY);
    const evidence = new Evidence();
    for (const entry of entries) evidence.add(entry);
    // A refusal of this kind is the fence at work, and no fault.
    expect(faultsOf(evidence.tenures).filter((fault) => fault.startsWith("app-0"))).toEqual([]);
  });

  it("ends when the demo is gone", async () => {
    const { worker } = await start();
    worker.disconnect();
    await worker.ended;
    expect(worker.running).toBe(false);
  });
});
