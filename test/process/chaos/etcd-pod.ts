/**
 * One pod of the peer: an etcd server and etcd's own client, which campaigns through it.
 *
 * What an application of that client may believe: from the line that says it was elected until the client ends or is
 * killed. It is given no deadline. While the whole pod is paused its application cannot act, so that time does not
 * count.
 *
 * Invariant: the client is started again whenever it ends, as its supervisor would; processes bear the run's name.
 *
 * Deliberately absent: tokens. The client prints none; an application that wants one reads the revision of its key.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { machineMs } from "../../../demo/machine-clock.ts";
import type { Host } from "./network.ts";
import type { Span } from "./record.ts";

const CLIENT_PORT = 2_379;
const PEER_PORT = 2_380;
const RESTART_MS = 100;

export interface EtcdPodOptions {
  readonly host: Host;
  readonly all: readonly Host[];
  readonly directory: string;
  readonly mark: Readonly<Record<string, string>>;
  /** Of etcdctl: an election or a lock. */
  readonly campaign: readonly string[];
  readonly heartbeatMs: number;
  readonly electionMs: number;
}

export class EtcdPod {
  readonly #options: EtcdPodOptions;
  #server: ChildProcess | null = null;
  #client: ChildProcess | null = null;
  #wanted = false;
  #believesSinceMs: number | null = null;
  #pausedSinceMs: number | null = null;
  /** What was believed while it could act. */
  readonly beliefs: Span[] = [];

  constructor(options: EtcdPodOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.host.name;
  }

  get believes(): boolean {
    return this.#believesSinceMs !== null && this.#pausedSinceMs === null;
  }

  get running(): boolean {
    return this.#wanted && this.#pausedSinceMs === null;
  }

  /** With the one that goes on. */
  get allBeliefs(): readonly Span[] {
    const open = this.believes ? [{ fromMs: this.#believesSinceMs ?? 0, toMs: machineMs() }] : [];
    return [...this.beliefs, ...open];
  }

  start(): void {
    const { host, all, directory, heartbeatMs, electionMs } = this.#options;
    const peerUrl = ({ address }: Host): string => `http://${address}:${PEER_PORT}`;
    const clientUrl = `http://${host.address}:${CLIENT_PORT}`;
    this.#wanted = true;
    const flags = {
      name: host.name,
      "data-dir": join(directory, host.name),
      "log-level": "error",
      "listen-peer-urls": peerUrl(host),
      "initial-advertise-peer-urls": peerUrl(host),
      "listen-client-urls": clientUrl,
      "advertise-client-urls": clientUrl,
      "initial-cluster": all.map((one) => `${one.name}=${peerUrl(one)}`).join(","),
      "heartbeat-interval": heartbeatMs,
      "election-timeout": electionMs,
    };
    this.#server = this.#spawn(["etcd", ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)]);
    this.#startClient();
  }

  /** kill -9 of both. */
  async kill(): Promise<void> {
    this.#wanted = false;
    this.#end();
    const gone = [this.#server, this.#client].map(async (child) => {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => void child.once("exit", resolve));
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      await ended;
    });
    await Promise.all(gone);
    this.#pausedSinceMs = null;
  }

  pause(): void {
    for (const child of [this.#server, this.#client]) child?.kill("SIGSTOP");
    const nowMs = machineMs();
    this.#pausedSinceMs = nowMs;
    if (this.#believesSinceMs !== null) this.beliefs.push({ fromMs: this.#believesSinceMs, toMs: nowMs });
  }

  resume(): void {
    if (this.#believesSinceMs !== null) this.#believesSinceMs = machineMs();
    this.#pausedSinceMs = null;
    for (const child of [this.#client, this.#server]) child?.kill("SIGCONT");
  }

  #startClient(): void {
    const { all, campaign } = this.#options;
    const endpoints = all.map(({ address }) => `${address}:${CLIENT_PORT}`).join(",");
    const client = this.#spawn(["etcdctl", "--endpoints", endpoints, ...campaign], { ETCDCTL_API: "3" });
    this.#client = client;
    client.stdout?.on("data", () => {
      if (client === this.#client && this.#wanted) this.#believesSinceMs ??= machineMs();
    });
    client.once("exit", () => {
      if (client !== this.#client) return;
      this.#end();
      setTimeout(() => {
        if (this.#wanted && client === this.#client) this.#startClient();
      }, RESTART_MS);
    });
  }

  #end(): void {
    if (this.#believesSinceMs !== null && this.#pausedSinceMs === null) {
      this.beliefs.push({ fromMs: this.#believesSinceMs, toMs: machineMs() });
    }
    this.#believesSinceMs = null;
  }

  #spawn(command: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const [program = "", ...args] = [...this.#options.host.enter, ...command];
    const child = spawn(program, args, {
      env: { ...process.env, ...this.#options.mark, ...env },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    child.stdout?.resume();
    child.once("error", () => undefined);
    return child;
  }
}
