/**
 * One pod of the test-bed: a sidecar, its application (the witness), its volume, its clock, and the agent in its
 * network.
 *
 * Invariant: a sidecar that ends without being expected to is reported; so is every line it logs.
 *
 * Deliberately absent: faults, and what is made of claims.
 */
import { appendFileSync } from "node:fs";
import { SERVICE } from "../../support/local-group.ts";
import { type Exit, type LogLine, Sidecar } from "../../support/sidecar.ts";
import { Agent } from "./agent-process.ts";
import { type ClockProfile, rateOf, underClock } from "./clock.ts";
import { HelperProcess } from "./helper-process.ts";
import type { Host } from "./network.ts";
import type { Volume } from "./volume.ts";
import type { Order, Report } from "./witness-talk.ts";

export interface PodOptions {
  readonly name: string;
  readonly host: Host;
  readonly isIsolated: boolean;
  readonly volume: Volume;
  readonly clock: ClockProfile;
  /** A file that stands still, for a slow pod's /proc/uptime; see clock.ts. */
  readonly still: string | null;
  readonly tlsDirectory: string;
  /** The bundle under test. */
  readonly main: string;
  readonly replicas: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** For every process: how a run's leftovers are found. */
  readonly mark: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly reported: (pod: Pod, report: Report) => void;
  readonly ended: (pod: Pod, exit: Exit, last: LogLine | undefined) => void;
}

export interface LastAnswer {
  readonly status: number;
  readonly reason: string;
  readonly holder: string | null;
}

const PEER_PORT = 7_400;
const NO_ANSWER: LastAnswer = { status: 0, reason: "", holder: null };
/** After this age, the times of a sidecar's own log lines tell its clock's rate well. */
const RATE_AGE_MS = 4_000;

export class Pod {
  readonly options: PodOptions;
  readonly agent: Agent;
  #dnsAddress = "";
  /** Without a network of its own, it takes what is free. */
  #peerPort: number | null = null;
  #witness: HelperProcess | null = null;
  #sidecar: Sidecar | null = null;
  /** Of a sidecar that listens: one that was started a moment ago has no port yet. */
  #apiPort: number | null = null;
  readonly #onResigned: ((status: number) => void)[] = [];
  lastAnswer: LastAnswer = NO_ANSWER;
  /** Whoever ends the sidecar says so here first. */
  expectsEnd = false;
  logBytes = 0;
  starts = 0;
  /** From the sidecar's own log: how fast its clock runs, and over which time that was seen. */
  measuredRate: { readonly rate: number; readonly ageMs: number } | null = null;

  constructor(options: PodOptions) {
    this.options = options;
    this.agent = new Agent(options.host.enter, options.mark);
  }

  get name(): string {
    return this.options.name;
  }

  get rate(): number {
    return rateOf(this.options.clock);
  }

  get sidecar(): Sidecar | null {
    return this.#sidecar?.running === true ? this.#sidecar : null;
  }

  /** Fails where a fault needs a running one. */
  get running(): Sidecar {
    if (this.sidecar === null) throw new Error(`${this.name} does not run`);
    return this.sidecar;
  }

  get witness(): HelperProcess | null {
    return this.#witness?.running === true ? this.#witness : null;
  }

  /** Where its peers find it, also while it is down; null before it ever told. */
  get peerAddress(): { readonly name: string; readonly host: string; readonly port: number } | null {
    const { host, isIsolated } = this.options;
    const port = isIsolated ? PEER_PORT : this.#peerPort;
    return port === null ? null : { name: this.name, host: host.address, port };
  }

  async open(): Promise<void> {
    this.#dnsAddress = (await this.agent.counts()).dnsAddress;
    this.startWitness();
  }

  /** Resolves once it listens. */
  async start(): Promise<void> {
    this.expectsEnd = false;
    this.starts += 1;
    const { host, clock, still, main } = this.options;
    // Out of this terminal's reach: Ctrl-C is for the test-bed, which then ends its pods.
    const command = ["setsid", ...host.enter, ...underClock(clock, still)];
    const spawnedMs = Date.now();
    const sidecar = new Sidecar(this.name, this.#environment(), [], command, main);
    this.#sidecar = sidecar;
    this.#apiPort = null;
    sidecar.follow((line) => this.#logged(line, spawnedMs));
    void sidecar.exited.then((exit) => this.#exited(sidecar, exit));
    const { api, peers } = await sidecar.listening();
    this.#peerPort = peers;
    this.#tellPort(api);
  }

  startWitness(): void {
    const { clock, mark, host, reported } = this.options;
    const witness = new HelperProcess({
      script: "witness.ts",
      enter: host.enter,
      env: { ...mark, RATE: clock.kind === "rate" ? String(clock.rate) : "" },
      // The other end is witness.ts, which sends nothing else.
      heard: (message) => this.#heard(message as Report, reported),
      ended: (signal, stderr) => {
        for (const resolve of this.#onResigned.splice(0)) resolve(0);
        if (signal !== "SIGKILL")
          this.options.reported(this, { report: "broken", text: `the witness ended: ${stderr}` });
      },
    });
    this.#witness = witness;
    this.#tellPort(this.#apiPort);
  }

  /** The application stops and hands over. Resolves with the status of the sidecar's answer, 0 when there was none. */
  resign(): Promise<number> {
    if (this.witness === null) return Promise.resolve(0);
    return new Promise((resolve) => {
      this.#onResigned.push(resolve);
      this.#tellWitness({ order: "resign" });
    });
  }

  /** A metric's line as it stands, or null; see Sidecar.metric, which is outside of this pod's network. */
  async metric(line: string): Promise<number | null> {
    const { text } = await this.agent.get(this.running.ports.ops, "/metrics");
    const found = text.split("\n").find((row) => row.startsWith(`${line} `));
    return found === undefined ? null : Number(found.slice(line.length + 1).split(" ")[0]);
  }

  async close(): Promise<void> {
    this.expectsEnd = true;
    await this.#sidecar?.stop();
    await this.#witness?.crash();
    await this.agent.crash();
  }

  #environment(): Record<string, string> {
    const { name, volume, replicas, leaseMs, heartbeatMs, host, isIsolated, tlsDirectory, mark } = this.options;
    return {
      ...mark,
      TENURE_NAME: name,
      TENURE_SERVICE: SERVICE,
      TENURE_REPLICAS: String(replicas),
      TENURE_DATA_DIR: volume.directory,
      TENURE_STORAGE: "persistent",
      TENURE_LEASE_DURATION: `${leaseMs}ms`,
      TENURE_HEARTBEAT_INTERVAL: `${heartbeatMs}ms`,
      TENURE_DRAIN_TIMEOUT: "2s",
      TENURE_DNS_SERVER: this.#dnsAddress,
      TENURE_PEER_HOST: host.address,
      TENURE_PEER_PORT: isIsolated ? String(PEER_PORT) : "0",
      TENURE_HTTP_PORT: "0",
      TENURE_OPS_HOST: "127.0.0.1",
      TENURE_OPS_PORT: "0",
      TENURE_TLS_DIR: tlsDirectory,
    };
  }

  #tellWitness(order: Order): void {
    this.#witness?.send(order);
  }

  #tellPort(port: number | null): void {
    this.#apiPort = port;
    this.#tellWitness({ order: "ask", port });
  }

  #heard(report: Report, reported: PodOptions["reported"]): void {
    if (report.report === "answer") this.lastAnswer = report;
    if (report.report === "resigned") for (const resolve of this.#onResigned.splice(0)) resolve(report.status);
    reported(this, report);
  }

  #logged(line: LogLine, spawnedMs: number): void {
    const text = JSON.stringify(line);
    this.logBytes += text.length + 1;
    appendFileSync(this.options.logFile, `${text}\n`);
    const ageMs = Date.now() - spawnedMs;
    if (ageMs < Math.max(RATE_AGE_MS, this.measuredRate?.ageMs ?? 0) || typeof line["time"] !== "string") return;
    this.measuredRate = { rate: (Date.parse(line["time"]) - spawnedMs) / ageMs, ageMs };
  }

  #exited(sidecar: Sidecar, exit: Exit): void {
    if (sidecar !== this.#sidecar) return;
    const told = JSON.stringify({ at: new Date().toISOString(), exit, stderr: sidecar.stderr });
    appendFileSync(this.options.logFile, `${told}\n`);
    this.#tellPort(null);
    this.options.ended(this, exit, sidecar.log.at(-1));
  }
}
