/**
 * The test-bed: pods in their network, the ledger, and the books of what was claimed and done.
 *
 * Invariant: everything it makes bears the run's name and is removed by `close`, or by the room's
 * undertaker when this process dies. Claims of witnesses go to the books in the order of their arrival.
 *
 * Deliberately absent: faults, schedule, verdict.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { machineMs } from "../../../demo/machine-clock.ts";
import { Certificates } from "./certificates.ts";
import { clocksOf, stepWallClock, TRUE_CLOCK } from "./clock.ts";
import type { FaultKind } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { type Missing, missingMeans } from "./means.ts";
import { type Host, Network } from "./network.ts";
import { Pod } from "./pod.ts";
import { Claims } from "./claims.ts";
import type { Claim } from "./record.ts";
import { Room } from "./room.ts";
import { run, tryRun } from "./shell.ts";
import { within } from "./wait.ts";
import { Volume } from "./volume.ts";
import type { Report } from "./witness-talk.ts";

/** A pod with connections says something in this time; one without has nothing to break. */
const BREAK_PATIENCE_MS = 1_000;

interface Peer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface TestbedOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly kinds: readonly FaultKind[];
  readonly loopback: boolean;
  /** The rate of the slow pod's clock. */
  readonly slowRate: number;
  /** The bundle under test; a private copy of it is what runs. */
  readonly bundle: string;
  readonly say: (text: string) => void;
}

export class Testbed {
  readonly options: TestbedOptions;
  readonly #room = new Room();
  readonly missing: Missing;
  readonly startedMs = machineMs();
  readonly ledger = new Ledger();
  readonly certificates: Certificates;
  network: Network | null = null;
  pods: readonly Pod[] = [];
  /** What is wrong at once, without an oracle. */
  readonly broken: string[] = [];
  readonly #claims = new Claims();
  /** Pods whose links go through proxies now; without namespaces it is all of them, always. */
  readonly #proxied = new Set<string>();
  #closed: Promise<void> | null = null;

  private constructor(options: TestbedOptions) {
    this.options = options;
    this.missing = missingMeans(this.runName, options.loopback);
    this.certificates = new Certificates(join(this.directory, "tls"));
  }

  /** All processes are there, and a group is formed. */
  static async create(options: TestbedOptions): Promise<Testbed> {
    const testbed = new Testbed(options);
    try {
      await testbed.#build();
      return testbed;
    } catch (error) {
      await testbed.close();
      throw error;
    }
  }

  get runName(): string {
    return this.#room.runName;
  }

  get directory(): string {
    return this.#room.directory;
  }

  get names(): readonly string[] {
    return Array.from({ length: this.options.nodes }, (_, ordinal) => `app-${ordinal}`);
  }

  get logDirectory(): string {
    return join(this.directory, "logs");
  }

  /** In the order of their first claim. */
  get claims(): readonly Claim[] {
    return this.#claims.all;
  }

  /** Whoever claims right now. */
  get holder(): Pod | null {
    const nowMs = machineMs();
    const current = this.claims.findLast(({ untilMs }) => untilMs > nowMs);
    return this.pods.find(({ name }) => name === current?.name) ?? null;
  }

  othersThan(pod: Pod): readonly Pod[] {
    return this.pods.filter((other) => other !== pod);
  }

  hostOf(pod: Pod): Host {
    return pod.options.host;
  }

  /** Tells every agent where everyone listens. */
  async publish(): Promise<void> {
    await Promise.all(this.pods.map((pod) => this.publishTo(pod)));
  }

  /** @param disguise changes what this one is told, for a fault of its DNS */
  async publishTo(pod: Pod, disguise = (peers: readonly Peer[]): readonly Peer[] => peers): Promise<void> {
    const peers = this.pods.flatMap(({ peerAddress }) => (peerAddress === null ? [] : [peerAddress]));
    const proxied = this.names.filter(
      (name) => name !== pod.name && (this.#proxied.has(name) || this.#proxied.has(pod.name)),
    );
    await pod.agent.order({ do: "peers", peers: disguise(peers), proxied });
  }

  /** Leads the links of a pod, in both directions, through proxies. Connections stay until they break. */
  async proxy(pod: Pod, proxied: boolean): Promise<void> {
    if (this.network === null) return;
    if (proxied) this.#proxied.add(pod.name);
    else this.#proxied.delete(pod.name);
    await this.publish();
  }

  get everythingIsProxied(): boolean {
    return this.network === null;
  }

  /** Breaks what a pod is connected to, so that everything is looked up and shaken hands over anew. */
  async breakConnections(pod: Pod, forMs: number): Promise<number> {
    if (this.network === null) {
      await Promise.all(this.pods.map((other) => other.agent.order({ do: "drop" })));
      return 1;
    }
    const cut = await this.network.reset(pod.options.host);
    await delay(forMs);
    await within(BREAK_PATIENCE_MS, async () => (await cut.packets()) > 0);
    return cut.heal();
  }

  async startPod(pod: Pod): Promise<void> {
    await pod.start();
    if (this.network === null) await this.publish();
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  get mark(): Readonly<Record<string, string>> {
    return this.#room.mark;
  }

  async #build(): Promise<void> {
    const { nodes, kinds, seed, bundle, leaseMs, heartbeatMs } = this.options;
    for (const folder of ["logs", "clocks"]) mkdirSync(join(this.directory, folder));
    const main = join(this.directory, "main.js");
    copyFileSync(bundle, main);
    const stillFile = join(this.directory, "clocks", "still");
    writeFileSync(stillFile, "1.00 1.00\n");
    const still = tryRun(["unshare", "--mount", "true"]) ? stillFile : null;
    const hosts = await this.#hosts();
    const fileOf = (name: string): string => join(this.directory, "clocks", name);
    const clocks = clocksOf(this.names, seed, kinds, this.missing, fileOf, this.options.slowRate);
    for (const clock of clocks.values()) if (clock.kind === "stepped") stepWallClock(clock.file, 0);
    await this.certificates.create(this.names);
    const volumes = await this.#volumes();
    this.pods = this.names.flatMap((name, ordinal) => {
      const [host, volume] = [hosts[ordinal], volumes[ordinal]];
      if (host === undefined || volume === undefined) return [];
      return new Pod({
        name,
        host,
        isIsolated: this.network !== null,
        volume,
        clock: clocks.get(name) ?? TRUE_CLOCK,
        still,
        tlsDirectory: this.certificates.directoryOf(name),
        main,
        replicas: nodes,
        leaseMs,
        heartbeatMs,
        mark: this.mark,
        logFile: join(this.logDirectory, `${name}.log`),
        reported: (pod, report) => this.#take(pod, report),
        ended: (pod, exit, last) => {
          if (pod.expectsEnd || this.#closed !== null) return;
          this.broken.push(`${pod.name} ended by itself: ${JSON.stringify(exit)} ${JSON.stringify(last)}`);
        },
      });
    });
    if (this.network === null) for (const name of this.names) this.#proxied.add(name);
    await Promise.all(this.pods.map((pod) => pod.open()));
    // Peers look each other up while they start.
    await this.publish();
    await Promise.all(this.pods.map((pod) => this.startPod(pod)));
    await this.publish();
  }

  async #hosts(): Promise<readonly Host[]> {
    if (this.missing.has("namespaces")) {
      return this.names.map((name) => ({ name, address: "127.0.0.1", enter: [] }));
    }
    this.network = await Network.create(this.runName, this.names);
    return this.network.hosts;
  }

  async #volumes(): Promise<readonly Volume[]> {
    const below = join(this.directory, "volumes");
    mkdirSync(below);
    if (this.missing.has("loop")) return Promise.all(this.names.map((name) => Volume.plain(join(below, name))));
    // In memory: the machine's own disk, which others use as well, is not what is tested. Shared, so that a volume that
    // is unmounted here is unmounted in the mount namespaces of slow pods as well.
    await run(["mount", "-t", "tmpfs", "none", below]);
    await run(["mount", "--make-shared", below]);
    return Promise.all(this.names.map((name) => Volume.loop(join(below, name), join(below, `${name}.image`))));
  }

  #take(pod: Pod, report: Report): void {
    const { name } = pod;
    this.#claims.take(name, report);
    if (report.report === "write") {
      const { token, decidedAtMs, untilMs, late } = report;
      this.ledger.write({ name, token, atMs: machineMs(), decidedAtMs, untilMs, late });
    } else if (report.report === "broken") {
      if (this.#closed === null) this.broken.push(`${name}: ${report.text}`);
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.pods.map((pod) => pod.close()));
    await this.#room.clear();
  }
}
