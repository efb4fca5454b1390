/**
 * The demo on a terminal: draws the group ten times a second, and does to it what the keys say.
 *
 * Invariant: a key that makes no sense right now says why and does nothing else. The terminal is restored before this
 * ends.
 *
 * Deliberately absent: the picture (screen.ts) and the deeds (stage.ts).
 */
import { messageOf } from "../src/base/errors.ts";
import { faultsOf } from "./check.ts";
import { machineMs } from "./machine-clock.ts";
import type { Pod } from "./pod.ts";
import { draw, type MemberPicture, type Picture } from "./screen.ts";
import { type Stage, WRITING_MS } from "./stage.ts";
import { Terminal } from "./terminal.ts";
import { LOOK_INTERVAL_MS, Watch } from "./watch.ts";

/** How long a refusal stays in the worker's column. */
const REFUSED_SHOWN_MS = 3_000;

/** Runs until a key or a signal ends it. Resolves to problems that the evidence does not show. */
export async function runLive(stage: Stage): Promise<readonly string[]> {
  const { signal, journal } = stage.options;
  const live = new Live(stage);
  journal.say("three sidecars, three workers and a ledger are starting", "deed");
  try {
    live.open();
    await Promise.race([Promise.all([stage.start(), live.quit]), rejectionOf(signal)]);
  } finally {
    live.close();
  }
  return stage.broken === null ? [] : [stage.broken.message];
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

class Live {
  readonly quit: Promise<void>;
  readonly #stage: Stage;
  readonly #watch: Watch;
  readonly #terminal: Terminal;
  /** Members with a deed under way that takes time. */
  readonly #busy = new Set<string>();
  #selected = 0;
  #timer: NodeJS.Timeout | null = null;
  #quit: () => void = () => undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#watch = new Watch(stage.pods);
    this.#terminal = new Terminal((key) => this.#onKey(key));
    this.quit = new Promise((resolve) => (this.#quit = resolve));
  }

  open(): void {
    this.#terminal.open();
    this.#watch.start();
    this.#show();
    this.#timer = setInterval(() => this.#show(), LOOK_INTERVAL_MS);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#watch.stop();
    this.#terminal.close();
  }

  #show(): void {
    this.#terminal.show(draw(this.#picture(), this.#terminal.paper));
  }

  #onKey(key: string): void {
    const { pods } = this.#stage;
    const last = pods.length - 1;
    if (key === "q" || key === "quit") return this.#quit();
    if (key === "up") this.#selected = this.#selected === 0 ? last : this.#selected - 1;
    else if (key === "down") this.#selected = this.#selected === last ? 0 : this.#selected + 1;
    else if (key === "tab") this.#selectWriter();
    else if (/^[1-9]$/u.test(key) && Number(key) <= pods.length) this.#selected = Number(key) - 1;
    else {
      const pod = pods[this.#selected];
      if (pod !== undefined) void this.#do(key, pod);
      return;
    }
    this.#show();
  }

  #selectWriter(): void {
    const { pods, newest } = this.#stage;
    const position = pods.findIndex(({ name }) => name === newest?.worker);
    if (position >= 0) this.#selected = position;
  }

  async #do(key: string, pod: Pod): Promise<void> {
    const { journal } = this.#stage.options;
    if (this.#busy.has(pod.name)) return journal.say(`${pod.name} is busy with what was asked before`);
    this.#busy.add(pod.name);
    try {
      await this.#deed(key, pod);
    } catch (error) {
      journal.say(messageOf(error), "trouble");
    } finally {
      this.#busy.delete(pod.name);
    }
  }

  async #deed(key: string, pod: Pod): Promise<void> {
    const stage = this.#stage;
    const { name } = pod;
    const say = (text: string): void => stage.options.journal.say(text);
    if (key === "r") {
      if (pod.life === "dead") return stage.restart(name);
      return say(`${name} runs: there is nothing to start`);
    }
    if (!"hpczkwt".includes(key)) return;
    if (!pod.running) return say(`${name} is ${pod.life}${pod.life === "dead" ? ": r starts it again" : ""}`);
    switch (key) {
      case "h":
        return this.#handOver(pod);
      case "p":
        return pod.paused ? stage.resume(name) : stage.pause(name);
      case "c":
        return stage.isCutOff(name) ? stage.heal(name) : stage.cutOff(name);
      case "z":
        return this.#freezeOrThaw(pod);
      case "k":
        return stage.kill(name);
      case "w":
        return stage.killWorker(name);
      case "t":
        if (pod.paused) return say(`${name} is paused and would not hear SIGTERM; continue it first`);
        await stage.terminate(name);
    }
  }

  /** The chosen member takes over; if it is the holder itself, whoever is best does. */
  #handOver(pod: Pod): void {
    const stage = this.#stage;
    const from = this.#writer();
    if (from === null) return stage.options.journal.say("nobody writes: there is nothing to hand over");
    stage.handOver(from, from === pod.name ? null : pod.name);
  }

  async #freezeOrThaw(pod: Pod): Promise<void> {
    const stage = this.#stage;
    if (pod.asleep) return stage.resume(pod.name);
    if (this.#writer() !== pod.name) {
      return stage.options.journal.say(`${pod.name} does not write: only a writer can freeze before its write`);
    }
    await stage.sleep(pod.name, stage.options.leaseDurationMs);
  }

  /** Who writes right now, or null. */
  #writer(): string | null {
    const { newest } = this.#stage;
    return newest !== null && machineMs() - newest.atMs < WRITING_MS ? newest.worker : null;
  }

  #picture(): Picture {
    const { options, ledger, evidence, pods, usableLeaseMs } = this.#stage;
    const { tenures } = evidence;
    const { leaseDurationMs, heartbeatIntervalMs, journal } = options;
    const members = pods.map((pod, position) => this.#member(pod, position));
    return {
      sinceMs: machineMs() - journal.startedMs,
      leaseDurationMs,
      heartbeatIntervalMs,
      usableLeaseMs,
      members,
      holder: holderOf(members),
      whyNobody: this.#whyNobody(),
      writes: ledger.length,
      highestToken: ledger.highestToken,
      refused: ledger.refusals.get("stale token") ?? 0,
      tenures: tenures.length,
      // Before the first write there is nothing to judge yet.
      faults: tenures.length === 0 ? [] : faultsOf(tenures),
      events: journal.lines,
    };
  }

  #member(pod: Pod, position: number): MemberPicture {
    const stage = this.#stage;
    const { name } = pod;
    const seen = this.#watch.sighting(name);
    const { writes, refused } = stage.tally(name);
    return {
      name,
      isSelected: position === this.#selected,
      role: pod.life === "dead" ? null : (seen?.role ?? null),
      state: this.#stateOf(pod),
      isFresh: pod.answers,
      term: seen?.term ?? null,
      token: seen?.token ?? null,
      leaseLeftMs: this.#leaseLeftMs(pod),
      worker: this.#workerOf(pod),
      writes,
      refused,
    };
  }

  #leaseLeftMs(pod: Pod): number {
    const seen = this.#watch.sighting(pod.name);
    if (seen === null || seen.deadlineMs === null || seen.token === pod.releasedToken) return 0;
    return Math.max(0, seen.deadlineMs - machineMs());
  }

  #whyNobody(): string {
    const answering = this.#stage.pods.filter(({ answers }) => answers);
    const reasons = answering.map(({ name }) => this.#watch.sighting(name)?.reason ?? "starting");
    const needed = Math.floor(this.#stage.pods.length / 2) + 1;
    if (answering.length < needed) return `nobody: ${answering.length} of 3 members left, ${needed} are needed`;
    if (reasons.every((reason) => reason === "no-quorum")) return "nobody: no majority is connected";
    return `nobody yet: ${[...new Set(reasons)].join(", ")}`;
  }

  #stateOf(pod: Pod): string {
    if (!pod.running) return pod.life;
    if (pod.asleep) return "frozen";
    const isCutOff = this.#stage.isCutOff(pod.name);
    if (pod.paused) return isCutOff ? "cut+paus" : "paused";
    return isCutOff ? "cut off" : "running";
  }

  #workerOf(pod: Pod): string {
    const { lastWriteMs, lastRefusalMs } = this.#stage.tally(pod.name);
    const nowMs = machineMs();
    if (!pod.running && pod.life !== "stopping") return "-";
    if (pod.asleep) return "asleep";
    if (nowMs - lastWriteMs < WRITING_MS) return "writing";
    return nowMs - lastRefusalMs < REFUSED_SHOWN_MS ? "refused" : "idle";
  }
}

/** Null when no lease runs. That of a member that is dead or paused runs on, and nobody else may hold until then. */
function holderOf(members: readonly MemberPicture[]): string | null {
  const holder = members.find(({ leaseLeftMs }) => leaseLeftMs > 0);
  if (holder === undefined) return null;
  const { name, state, isFresh } = holder;
  return isFresh ? name : `${name}, ${state}: its lease still runs, so nobody else may act`;
}
