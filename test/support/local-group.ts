/**
 * A set of real sidecars on loopback, found through a real DNS server: what a StatefulSet is in a cluster.
 *
 * Invariant: a member's data directory stays with its name until it is emptied on purpose; its ports change with every
 * start and DNS follows.
 *
 * Deliberately absent: any test framework: the demo and the benchmarks use this file too.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { issue, makeCa, writeTlsDir } from "./ca.ts";
import { type DnsServer, startDnsServer } from "./dns-server.ts";
import { type Leader, Sidecar } from "./sidecar.ts";

export const SERVICE = "app-peers.default.svc.cluster.local";

export interface GroupSettings {
  readonly size: number;
  readonly leaseDuration?: string;
  readonly heartbeatInterval?: string;
  /** More variables, for all or by name. */
  readonly env?: Readonly<Record<string, string>> | ((name: string) => Readonly<Record<string, string>>);
  /** What starts the process, such as strace with its options. */
  readonly command?: (name: string) => readonly string[];
  /** Where a member's peers find it: itself, unless a test puts a proxy between. */
  readonly address?: (name: string, port: number) => { readonly host: string; readonly port: number };
  /**
   * Where `from` finds `to`, for a proxy in each link: every member then asks a DNS server of its own. The group's own
   * server still says where everyone really listens.
   */
  readonly link?: (from: string, to: string, port: number) => { readonly host: string; readonly port: number };
  /** Mutual TLS with a CA of the group's own; plain TCP else. */
  readonly secure?: boolean;
}

/** How long a condition is waited for before a test fails with a message. */
const PATIENCE_MS = 20_000;
const POLL_MS = 10;

export class LocalGroup {
  readonly settings: GroupSettings;
  readonly directory: string;
  readonly dns: DnsServer;
  /** By member; empty without links. */
  readonly #views: ReadonlyMap<string, DnsServer>;
  readonly #members = new Map<string, Sidecar>();

  constructor(
    settings: GroupSettings,
    directory: string,
    dns: DnsServer,
    views: ReadonlyMap<string, DnsServer> = new Map(),
  ) {
    this.settings = settings;
    this.directory = directory;
    this.dns = dns;
    this.#views = views;
  }

  static async create(settings: GroupSettings): Promise<LocalGroup> {
    const directory = await mkdtemp(join(tmpdir(), "tenure-"));
    const withViews = settings.link === undefined ? [] : namesOf(settings.size);
    const views = withViews.map(async (name) => [name, await startDnsServer()] as const);
    const group = new LocalGroup(settings, directory, await startDnsServer(), new Map(await Promise.all(views)));
    if (settings.secure === true) await group.#certify();
    return group;
  }

  /** A group whose members have all been started. */
  static async start(settings: GroupSettings): Promise<LocalGroup> {
    const group = await LocalGroup.create(settings);
    try {
      await Promise.all(group.names.map((name) => group.startMember(name)));
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  get names(): readonly string[] {
    return namesOf(this.settings.size);
  }

  get members(): readonly Sidecar[] {
    return [...this.#members.values()].filter((member) => member.running);
  }

  member(name: string): Sidecar {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`${name} was never started`);
    return member;
  }

  dataDir(name: string): string {
    return join(this.directory, name);
  }

  tlsDir(name: string): string {
    return join(this.directory, "tls", name);
  }

  environment(name: string): Record<string, string> {
    const { size, leaseDuration = "1s", heartbeatInterval = "100ms", env = {}, secure = false } = this.settings;
    return {
      TENURE_NAME: name,
      TENURE_SERVICE: SERVICE,
      TENURE_REPLICAS: String(size),
      TENURE_DATA_DIR: this.dataDir(name),
      TENURE_LEASE_DURATION: leaseDuration,
      TENURE_HEARTBEAT_INTERVAL: heartbeatInterval,
      TENURE_DNS_SERVER: (this.#views.get(name) ?? this.dns).address,
      TENURE_PEER_HOST: "127.0.0.1",
      TENURE_PEER_PORT: "0",
      TENURE_HTTP_PORT: "0",
      TENURE_OPS_HOST: "127.0.0.1",
      TENURE_OPS_PORT: "0",
      ...(secure ? { TENURE_TLS_DIR: this.tlsDir(name) } : { TENURE_INSECURE_PEERS: "true" }),
      ...(typeof env === "function" ? env(name) : env),
    };
  }

  /** What a pod finds that comes back without its volume. */
  async emptyDirectory(name: string): Promise<void> {
    await rm(this.dataDir(name), { recursive: true });
  }

  async startMember(name: string): Promise<Sidecar> {
    const member = new Sidecar(name, this.environment(name), [], this.settings.command?.(name) ?? []);
    this.#members.set(name, member);
    await member.listening();
    this.publish();
    return member;
  }

  /** Tells DNS where everyone listens who is running. */
  publish(): void {
    const { address = (_name: string, port: number) => ({ host: "127.0.0.1", port }) } = this.settings;
    const { link } = this.settings;
    const listening = this.members.flatMap((member) => {
      try {
        return [{ name: member.name, port: member.ports.peers }];
      } catch {
        return [];
      }
    });
    this.dns.setPeers(
      SERVICE,
      listening.map(({ name, port }) => ({ name, ...address(name, port) })),
    );
    if (link === undefined) return;
    for (const [from, view] of this.#views) {
      view.setPeers(
        SERVICE,
        listening.map(({ name, port }) => ({ name, ...link(from, name, port) })),
      );
    }
  }

  async #certify(): Promise<void> {
    const ca = await makeCa();
    for (const name of this.names) {
      await writeTlsDir(this.tlsDir(name), ca, await issue(ca, { dnsNames: [`${name}.${SERVICE}`] }));
    }
  }

  /** The answers of all running members that answer. */
  async answers(): Promise<readonly Leader[]> {
    const settled = await Promise.allSettled(this.members.map((member) => member.leader()));
    return settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  }

  /** Waits for a holder other than `not`. */
  async holder(not: string | null = null): Promise<Sidecar> {
    const found = await this.until("a holder", async () => {
      for (const member of this.members) {
        if (member.name === not) continue;
        const answer = await member.leader().catch(() => null);
        if (answer?.isLeader === true) return member;
      }
      return null;
    });
    return found;
  }

  /** Waits until every running member answers and all name the same holder, who is another than `not`. */
  async agreed(not: string | null = null): Promise<Sidecar> {
    return this.until("everyone to name one holder", async () => {
      const answers = await this.answers();
      const holder = answers.find(({ isLeader, self }) => isLeader && self !== not);
      const isAgreed = answers.length === this.members.length && answers.every(({ name }) => name === holder?.self);
      return holder !== undefined && isAgreed ? this.member(holder.self) : null;
    });
  }

  othersThan(member: Sidecar): readonly Sidecar[] {
    return this.members.filter((other) => other !== member);
  }

  /** Waits until `look` returns something. */
  async until<T>(what: string, look: () => Promise<T | null> | T | null): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (performance.now() > end) {
        throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}\n${this.logs()}`);
      }
      await delay(POLL_MS);
    }
  }

  /** The last lines of everyone, for a person. */
  logs(): string {
    const members = [...this.#members.values()];
    return members.map((member) => `--- ${member.name}\n${member.tail()}\n${member.stderr}`).join("\n");
  }

  async stop({ keepDirectory = false }: { readonly keepDirectory?: boolean } = {}): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.stop()));
    await Promise.all([this.dns, ...this.#views.values()].map((server) => server.close()));
    if (!keepDirectory) await rm(this.directory, { recursive: true, force: true });
  }
}

function namesOf(size: number): readonly string[] {
  return Array.from({ length: size }, (_, ordinal) => `app-${ordinal}`);
}
