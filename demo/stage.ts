/**
 * Everything that the demo runs: the group with its DNS, the links between members, the ledger, three pods; and what
 * may be done to them.
 *
 * Invariant: `close` ends all of it, at any time, also when `start` is still under way or has failed.
 *
 * Deliberately absent: an order of events. The script and the person at the keyboard decide.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { usableLeaseMs } from "../src/lease/timing.ts";
import { LocalGroup } from "../test/support/local-group.ts";
import { Links } from "./cut.ts";
import { type Entry, Evidence } from "./evidence.ts";
import type { Journal } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { machineMs } from "./machine-clock.ts";
import { Pod } from "./pod.ts";

export const MEMBERS: readonly string[] = ["app-0", "app-1", "app-2"];
/** The sidecars' default, for the length of the bars. */
const CLOCK_DRIFT = 0.1;
const LOOK_INTERVAL_MS = 5;
/** Without a write for this long, a worker is not writing. */
export const WRITING_MS = 200;
/** Node starts in a fraction of a second; a machine that is busy with other things may take its time. */
const START_LIMIT_MS = 20_000;
/** The drain time of a sidecar, whose worker may be paused, and its handover. */
const STOP_LIMIT_MS = 15_000;

export interface Timing {
  readonly leaseDurationMs: number;
  readonly heartbeatIntervalMs: number;
}

export interface StageOptions extends Timing {
  readonly journal: Journal;
  readonly keepDirectory: boolean;
  /** Nobody else is expected to lay hands on a sidecar: one that ends by itself fails the demo. */
  readonly isScripted: boolean;
  /** Whoever waits for a condition stops waiting when it is aborted. */
  readonly signal: AbortSignal;
}

/** What the ledger has seen of one worker. */
export interface Tally {
  readonly writes: number;
  readonly refused: number;
  readonly lastWriteMs: number;
  readonly lastRefusalMs: number;
}

const NOTHING: Tally = { writes: 0, refused: 0, lastWriteMs: 0, lastRefusalMs: 0 };

export class Stage {
  readonly options: StageOptions;
  readonly group: LocalGroup;
  readonly evidence = new Evidence();
  readonly pods: readonly Pod[];
  /** Token → what ended its tenure, as far as the demo did it. */
  readonly endings = new Map<number, string>();
  /** The newest accepted write. */
  newest: Entry | null = null;
  readonly #links: Links;
  readonly #tallies = new Map<string, Tally>();
  #ledger: Ledger | null = null;
  #broken: Error | null = null;
  #closing = false;

  private constructor(options: StageOptions, group: LocalGroup, links: Links) {
    this.options = options;
    this.group = group;
    this.#links = links;
    this.pods = MEMBERS.map(
      (name) =>
        new Pod({
          name,
          journal: options.journal,
          ledgerUrl: () => this.ledger.url,
          startSidecar: () => group.startMember(name),
          broke: (how, isFault) => this.#broke(name, how, isFault),
        }),
    );
  }

  /** Opens everything but the pods. */
  static async create(options: StageOptions): Promise<Stage> {
    const links = await Links.create(MEMBERS);
    const group = await LocalGroup.create({
      size: MEMBERS.length,
      leaseDuration: `${options.leaseDurationMs}ms`,
      heartbeatInterval: `${options.heartbeatIntervalMs}ms`,
      // The directories outlive the processes, so a member that was stopped comes back as itself.
      env: { TENURE_STORAGE: "persistent" },
      link: (from, to, port) => links.address(from, to, port),
    });
    const stage = new Stage(options, group, links);
    try {
      stage.#ledger = await Ledger.open(join(group.directory, "ledger.jsonl"), {
        written: (entry) => stage.#written(entry),
        stopped: (stop) => stage.evidence.stop(stop),
      });
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  get usableLeaseMs(): number {
    return usableLeaseMs(this.options.leaseDurationMs, CLOCK_DRIFT);
  }

  get ledger(): Ledger {
    if (this.#ledger === null) throw new Error("the ledger is not open");
    return this.#ledger;
  }

  pod(name: string): Pod {
    const pod = this.pods.find((candidate) => candidate.name === name);
    if (pod === undefined) throw new Error(`there is no ${name}`);
    return pod;
  }

  tally(name: string): Tally {
    return this.#tallies.get(name) ?? NOTHING;
  }

  isCutOff(name: string): boolean {
    return this.#links.isCutOff(name);
  }

  async start(): Promise<void> {
    await this.within("three sidecars listen", START_LIMIT_MS, Promise.all(this.pods.map((pod) => pod.start())));
  }

  /** Everything that was started is gone when this resolves. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.pods.map((pod) => pod.kill()));
    await Promise.all([this.#links.close(), this.#ledger?.close()]);
    await this.group.stop({ keepDirectory: this.options.keepDirectory });
  }

  /** A sidecar has failed: then the demo has not gone well, whatever the evidence says. */
  get broken(): Error | null {
    return this.#broken;
  }

  async kill(name: string): Promise<void> {
    this.#deed(name, `kill -9 of ${name}'s sidecar and worker`, "killed");
    await this.pod(name).kill();
    this.group.publish();
  }

  async terminate(name: string): Promise<number | null> {
    this.#deed(name, `SIGTERM to ${name}'s sidecar`, "SIGTERM, drained");
    const status = await this.within(`${name}'s sidecar ends`, STOP_LIMIT_MS, this.pod(name).terminate());
    this.group.publish();
    return status;
  }

  async restart(name: string): Promise<void> {
    if (this.#closing) return;
    this.#deed(name, `${name} is started again, with its data`, null);
    await this.within(`${name}'s sidecar listens`, START_LIMIT_MS, this.pod(name).start());
  }

  pause(name: string): void {
    this.#deed(name, `SIGSTOP to ${name}'s sidecar; its worker runs on`, "sidecar paused");
    this.pod(name).pause();
  }

  resume(name: string): void {
    const pod = this.pod(name);
    this.#deed(name, `SIGCONT to ${name}'s sidecar${pod.asleep ? " and worker" : ""}`, null);
    pod.resume();
  }

  cutOff(name: string): void {
    this.#deed(name, `${name} is cut off from its peers, in both directions`, "cut off");
    this.#links.cutOff(name);
  }

  heal(name: string): void {
    this.#deed(name, `${name} is connected again`, null);
    this.#links.heal(name);
  }

  killWorker(name: string): void {
    this.#deed(name, `kill -9 of ${name}'s worker alone`, null);
    this.pod(name).worker?.kill("SIGKILL");
  }

  /** The worker of `from` stops and resigns. */
  handOver(from: string, to: string | null): void {
    this.#deed(from, `${from}'s worker is told to hand over${to === null ? "" : ` to ${to}`}`, "handed over");
    this.pod(from).worker?.order({ order: "resign", to });
  }

  /** The worker falls asleep between its look at the deadline and its write; then its sidecar is stopped as well. */
  async sleep(name: string, limitMs: number): Promise<void> {
    const pod = this.pod(name);
    this.#deed(name, `${name}'s pod is about to freeze`, "pod frozen");
    pod.worker?.order({ order: "sleep" });
    await this.until(`${name}'s worker falls asleep`, limitMs, () => (pod.asleep ? true : null));
    pod.pause();
  }

  /**
   * Waits until `look` returns something. Rejects when `limitMs` is over, when the demo is aborted, and in the script
   * when a sidecar has ended by itself.
   */
  async until<T>(what: string, limitMs: number, look: () => Promise<T | null> | T | null): Promise<T> {
    const endMs = machineMs() + limitMs;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (this.#broken !== null && this.options.isScripted) throw this.#broken;
      this.options.signal.throwIfAborted();
      if (machineMs() > endMs) throw new Error(`expected within ${limitMs} ms: ${what}`);
      await delay(LOOK_INTERVAL_MS);
    }
  }

  /** As `until`, for what settles by itself. */
  async within<T>(what: string, limitMs: number, promise: Promise<T>): Promise<T> {
    let settled: { readonly read: () => T } | null = null;
    promise.then(
      (value) => (settled = { read: () => value }),
      (error: unknown) => {
        settled = {
          read: () => {
            throw error;
          },
        };
      },
    );
    const { read } = await this.until(what, limitMs, () => settled);
    return read();
  }

  #written(entry: Entry): void {
    this.evidence.add(entry);
    const { writes, refused, lastWriteMs, lastRefusalMs } = this.tally(entry.worker);
    if (entry.refusal === null) {
      const { newest } = this;
      if (newest !== null && newest.token < entry.token) {
        const after = `${Math.round(entry.atMs - newest.atMs)} ms after the last write of ${newest.worker}`;
        this.options.journal.say(`ledger: ${entry.worker} writes, ${after}`);
      }
      this.newest = entry;
      this.#tallies.set(entry.worker, { writes: writes + 1, refused, lastWriteMs: entry.atMs, lastRefusalMs });
      return;
    }
    this.#tallies.set(entry.worker, { writes, refused: refused + 1, lastWriteMs, lastRefusalMs: entry.atMs });
    const { highestToken } = this.ledger;
    this.options.journal.say(`ledger refuses ${entry.worker}: ${entry.token} is below ${highestToken}`, "refusal");
  }

  /** @param ending what it means for the tenure of this member, if it is the one that writes or was the last to */
  #deed(name: string, text: string, ending: string | null): void {
    this.options.journal.say(text, "deed");
    const { newest } = this;
    if (ending === null || newest?.worker !== name) return;
    // What came first has ended it, unless it went on writing all the same.
    const goesOn = machineMs() - newest.atMs < WRITING_MS;
    if (goesOn || !this.endings.has(newest.token)) this.endings.set(newest.token, ending);
  }

  #broke(name: string, how: string, isFault: boolean): void {
    if (this.#closing) return;
    const text = `${name}'s sidecar ended by itself, with ${how}`;
    this.options.journal.say(text, "trouble");
    if (this.newest?.worker === name) this.endings.set(this.newest.token, how);
    if (isFault || this.options.isScripted) this.#broken = new Error(text);
    this.group.publish();
  }
}
