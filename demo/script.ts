/**
 * The scripted faults, each awaited until the next holder writes and the group is whole again.
 *
 * Invariant: every wait has a bound, and a bound that is broken fails the demo. Nothing is slept for; the one span that
 * is waited out, 2 D of a pause, is the fault itself.
 *
 * Deliberately absent: the verdict over all writes; see check.ts.
 */
import { unreachable } from "../src/base/assert.ts";
import type { ClusterAnswer } from "../src/ports/application.ts";
import type { Entry } from "./evidence.ts";
import { machineMs } from "./machine-clock.ts";
import type { Pod } from "./pod.ts";
import type { Stage } from "./stage.ts";

export type Kind = "formation" | "handover" | "failover" | "worker restart";

/** From the deed to the first write of whoever writes next. */
export interface Measurement {
  readonly kind: Kind;
  readonly what: string;
  readonly durationMs: number;
  readonly limitMs: number;
}

export interface ScriptEvents {
  readonly step: (number: number, title: string) => void;
  readonly done: (text: string) => void;
}

/** Three processes that start on a busy machine, and find each other through DNS. */
const FORMATION_LIMIT_MS = 20_000;
const SETTLE_LIMIT_MS = 20_000;
const WORKER_START_LIMIT_MS = 5_000;
/** Writes that a holder does in peace before the next fault. */
const PEACEFUL_WRITES = 40;

export class Script {
  readonly measurements: Measurement[] = [];
  readonly #stage: Stage;
  readonly #events: ScriptEvents;
  #steps = 0;

  constructor(stage: Stage, events: ScriptEvents) {
    this.#stage = stage;
    this.#events = events;
  }

  /** Rejects at the first step that does not go as it must. */
  async play(): Promise<void> {
    await this.#step("three sidecars form a group and elect a holder", () => this.#formation());
    await this.#step("the worker hands over with POST /resign", () => this.#handOver());
    await this.#step("kill -9 of the holder's pod", () => this.#killPod());
    await this.#step("SIGSTOP of the holder's sidecar for 2 leases; its worker runs on", () => this.#pause());
    await this.#step("the holder is cut off from its peers", () => this.#cutOff());
    await this.#step("the holder's pod freezes after its look at the deadline", () => this.#freeze());
    await this.#step("kill -9 of the holder's worker alone", () => this.#killWorker());
    await this.#step("SIGTERM of the holder: it drains, its worker confirms", () => this.#terminate());
  }

  async #step(title: string, run: () => Promise<void>): Promise<void> {
    this.#steps += 1;
    this.#events.step(this.#steps, title);
    await run();
  }

  async #formation(): Promise<void> {
    const begunMs = machineMs();
    await this.#stage.start();
    await this.#successor("formation", 0, begunMs);
    await this.#settled();
  }

  async #handOver(): Promise<void> {
    const { worker, token } = this.#holder();
    const begunMs = machineMs();
    this.#stage.handOver(worker, null);
    await this.#successor("handover", token, begunMs);
    await this.#settled();
  }

  async #killPod(): Promise<void> {
    const { worker, token } = this.#holder();
    const begunMs = machineMs();
    await this.#stage.kill(worker);
    await this.#successor("failover", token, begunMs);
    await this.#stage.restart(worker);
    await this.#settled();
  }

  async #pause(): Promise<void> {
    const stage = this.#stage;
    const { worker, token } = this.#holder();
    const { leaseDurationMs } = stage.options;
    const pod = stage.pod(worker);
    const refused = stage.tally(worker).refused;
    const begunMs = machineMs();
    stage.pause(worker);
    const stopped = this.#workerStops(pod, begunMs, "deadline");
    await Promise.all([stopped, this.#successor("failover", token, begunMs)]);
    const pausedFor = (): true | null => (machineMs() - begunMs >= 2 * leaseDurationMs ? true : null);
    await stage.until("two leases have passed", 3 * leaseDurationMs, pausedFor);
    stage.resume(worker);
    await this.#settled();
    this.#expect(stage.tally(worker).refused === refused, `${worker} does not write again with its old token`);
  }

  async #cutOff(): Promise<void> {
    const stage = this.#stage;
    const { worker, token } = this.#holder();
    const refused = stage.tally(worker).refused;
    const begunMs = machineMs();
    stage.cutOff(worker);
    const stopped = this.#workerStops(stage.pod(worker), begunMs, null);
    await Promise.all([stopped, this.#successor("failover", token, begunMs)]);
    stage.heal(worker);
    await this.#settled();
    this.#expect(stage.tally(worker).refused === refused, `${worker} never writes while somebody else holds the lock`);
  }

  async #freeze(): Promise<void> {
    const stage = this.#stage;
    const { leaseDurationMs } = stage.options;
    const { worker, token } = this.#holder();
    const refused = stage.tally(worker).refused;
    await stage.sleep(worker, leaseDurationMs);
    await this.#successor("failover", token, machineMs());
    stage.resume(worker);
    await stage.until(`the ledger refuses the write that ${worker} decided before it froze`, leaseDurationMs, () =>
      stage.tally(worker).refused > refused ? true : null,
    );
    this.#events.done(`the late write came with token ${token} and was refused`);
    await this.#settled();
  }

  async #killWorker(): Promise<void> {
    const stage = this.#stage;
    const { worker, token } = this.#holder();
    const begunMs = machineMs();
    stage.killWorker(worker);
    const again = await stage.until(`a new worker of ${worker} writes`, WORKER_START_LIMIT_MS, () => {
      const { newest } = stage;
      return newest !== null && (newest.token !== token || newest.fromMs > begunMs) ? newest : null;
    });
    this.#expect(again.worker === worker && again.token === token, `${worker} keeps its lease and token ${token}`);
    this.#measure("worker restart", again, begunMs, WORKER_START_LIMIT_MS);
    await this.#settled();
  }

  async #terminate(): Promise<void> {
    const stage = this.#stage;
    const { worker, token } = this.#holder();
    const begunMs = machineMs();
    const [status] = await Promise.all([stage.terminate(worker), this.#successor("handover", token, begunMs)]);
    this.#expect(status === 0, `${worker}'s sidecar exits with status 0, not ${status}`);
    const { lastReport } = stage.pod(worker);
    const confirmed = lastReport?.report === "handedOver" && lastReport.status === 200;
    this.#expect(confirmed, `${worker}'s worker confirms with POST /resign`);
    await stage.restart(worker);
    await this.#settled();
  }

  #holder(): Entry {
    const { newest } = this.#stage;
    if (newest === null) throw new Error("expected: somebody has written");
    return newest;
  }

  /** The first write with a token above `token`. */
  async #successor(kind: Kind, token: number, begunMs: number): Promise<void> {
    const limitMs = this.#limitMs(kind);
    const write = await this.#stage.until(`a next holder writes, with a token above ${token}`, limitMs, () => {
      const { newest } = this.#stage;
      return newest !== null && newest.token > token ? newest : null;
    });
    this.#measure(kind, write, begunMs, limitMs);
  }

  #measure(kind: Kind, write: Entry, begunMs: number, limitMs: number): void {
    const durationMs = write.atMs - begunMs;
    const what = `${write.worker}'s worker wrote`;
    this.measurements.push({ kind, what, durationMs, limitMs });
    this.#events.done(`${what} ${Math.round(durationMs)} ms later (limit ${limitMs} ms)`);
  }

  #limitMs(kind: Kind): number {
    const { leaseDurationMs } = this.#stage.options;
    switch (kind) {
      case "formation":
        return FORMATION_LIMIT_MS;
      case "handover":
        // Usually a twentieth of it; a whole lease only if the handover were not one.
        return leaseDurationMs;
      case "failover":
        // What is left of the lease, one election that may have to be repeated, and a commit.
        return 2 * leaseDurationMs;
      case "worker restart":
        return WORKER_START_LIMIT_MS;
      default:
        return unreachable(kind);
    }
  }

  /** @param reason null: whichever comes first, the sidecar's word or the deadline */
  async #workerStops(pod: Pod, begunMs: number, reason: "deadline" | null): Promise<void> {
    const stage = this.#stage;
    const limitMs = stage.options.leaseDurationMs;
    const before = pod.lastReport;
    const report = await stage.until(`${pod.name}'s worker stops by itself`, limitMs, () => {
      const { lastReport } = pod;
      return lastReport !== before && lastReport?.report === "stopped" ? lastReport : null;
    });
    const fits = reason === null || report.reason === reason;
    this.#expect(fits, `${pod.name}'s worker stops because of its ${reason ?? "lease"}, not: ${report.reason}`);
    const durationMs = Math.round(machineMs() - begunMs);
    this.#events.done(`${pod.name}'s worker had stopped after ${durationMs} ms (limit ${limitMs} ms)`);
  }

  /** All three are connected, know one holder, and it has written in peace for a while. */
  async #settled(): Promise<void> {
    const stage = this.#stage;
    const agreed = "all three are connected and name one holder";
    const holder = await stage.until(agreed, SETTLE_LIMIT_MS, () => commonHolder(stage));
    const goal = stage.tally(holder).writes + PEACEFUL_WRITES;
    const done = (): true | null => (stage.tally(holder).writes >= goal ? true : null);
    await stage.until(`${holder}'s worker writes in peace`, SETTLE_LIMIT_MS, done);
  }

  #expect(condition: boolean, what: string): void {
    if (!condition) throw new Error(`expected: ${what}`);
  }
}

/** The holder that every member names, once each is connected to every other; null before. */
async function commonHolder({ pods }: Stage): Promise<string | null> {
  const answers = await Promise.all(
    pods.map(async ({ liveSidecar }) => JSON.parse((await liveSidecar.ask("GET", "/cluster")).text) as ClusterAnswer),
  );
  const [first] = answers;
  if (first === undefined || first.holder === null) return null;
  const agreed = answers.every(
    ({ holder, members }) =>
      holder === first.holder && members.length === pods.length && members.every(({ connected }) => connected),
  );
  return agreed ? first.holder : null;
}
