/**
 * Hosts in network namespaces, joined by a bridge in one of its own; or, without root, all of them on loopback.
 *
 * Invariant: names begin with the run's, so that leftovers.ts finds whatever is still there. A fault is a table of its
 * own in nftables with counters in its rules: to take the table away is to heal it, and the counters are the proof.
 *
 * Deliberately absent: delay and reordering, for which this kernel has no queue; see agent.ts.
 */
import { run } from "./shell.ts";

export interface Host {
  readonly name: string;
  /** Where its peers find it. */
  readonly address: string;
  /** What a command is put behind to run there. */
  readonly enter: readonly string[];
}

/** A rule and what it does; the counter is added here. */
interface Rule {
  readonly matches: string;
  readonly verdict: "drop" | "reject with tcp reset";
}

const SUBNET = "10.77.0";
const FIRST = 10;

export class Network {
  readonly #run: string;
  readonly #bridge: string;
  readonly hosts: readonly Host[];
  #tables = 0;

  private constructor(runName: string, names: readonly string[]) {
    this.#run = runName;
    this.#bridge = `${runName}b`;
    this.hosts = names.map((name, ordinal) => ({
      name,
      address: `${SUBNET}.${FIRST + ordinal}`,
      enter: entering(`${runName}n${ordinal}`),
    }));
  }

  static async create(runName: string, names: readonly string[]): Promise<Network> {
    const network = new Network(runName, names);
    await network.#build();
    return network;
  }

  /** Cuts what crosses the bridge. `matches` of pairs of hosts; see `from` and `to`. */
  async cut(matches: readonly string[]): Promise<Cut> {
    const rules = matches.map((match) => ({ matches: match, verdict: "drop" as const }));
    return this.#table(entering(this.#bridge), "bridge", ["forward"], rules);
  }

  /** Resets every TCP connection of a host, as long as it lasts. */
  async reset(host: Host): Promise<Cut> {
    // The resets that these rules send must themselves get out.
    const matches = 'iifname != "lo" oifname != "lo" meta l4proto tcp tcp flags & rst == 0';
    const chains = ["input", "output"];
    return this.#table(host.enter, "inet", chains, [{ matches, verdict: "reject with tcp reset" }]);
  }

  async setLink(host: Host, up: boolean): Promise<void> {
    const port = this.#port(host);
    await run(["ip", "-n", this.#bridge, "link", "set", port, up ? "up" : "down"]);
  }

  /** As the kernel sees it: not only switched on, but with a carrier. */
  async isLinkUp(host: Host): Promise<boolean> {
    const text = await run([...entering(this.#bridge), "ip", "-j", "link", "show", this.#port(host)]);
    return text.includes('"operstate":"UP"');
  }

  /** What comes from a host, for the rules of `cut`. */
  from(host: Host): string {
    return `iifname "${this.#port(host)}"`;
  }

  to(host: Host): string {
    return `oifname "${this.#port(host)}"`;
  }

  #port({ name }: Host): string {
    return `p${this.hosts.findIndex((host) => host.name === name)}`;
  }

  async #build(): Promise<void> {
    await run(["ip", "netns", "add", this.#bridge]);
    await run(["ip", "-n", this.#bridge, "link", "add", "br0", "type", "bridge"]);
    await run(["ip", "-n", this.#bridge, "link", "set", "br0", "up"]);
    for (const [ordinal, host] of this.hosts.entries()) {
      const space = `${this.#run}n${ordinal}`;
      const port = this.#port(host);
      await run(["ip", "netns", "add", space]);
      await run(["ip", "-n", space, "link", "set", "lo", "up"]);
      const ends = ["eth0", "netns", space, "type", "veth", "peer", "name", port, "netns", this.#bridge];
      await run(["ip", "link", "add", ...ends]);
      await run(["ip", "-n", this.#bridge, "link", "set", port, "master", "br0", "up"]);
      await run(["ip", "-n", space, "addr", "add", `${host.address}/24`, "dev", "eth0"]);
      await run(["ip", "-n", space, "link", "set", "eth0", "up"]);
    }
  }

  async #table(enter: readonly string[], family: string, hooks: readonly string[], rules: readonly Rule[]) {
    this.#tables += 1;
    const table = `${family} f${this.#tables}`;
    const chains = hooks.map((hook) => `add chain ${table} ${hook} { type filter hook ${hook} priority 0 ; }`);
    const added = hooks.flatMap((hook) =>
      rules.map(({ matches, verdict }) => `add rule ${table} ${hook} ${onlyOf(hook, matches)} counter ${verdict}`),
    );
    await run([...enter, "nft", "-f", "-"], `${[`add table ${table}`, ...chains, ...added].join("\n")}\n`);
    return new Cut(enter, table);
  }
}

/** One table of rules, in force until it is healed. */
export class Cut {
  readonly #enter: readonly string[];
  readonly #table: string;

  constructor(enter: readonly string[], table: string) {
    this.#enter = enter;
    this.#table = table;
  }

  /** Packets that the rules have met so far. */
  async packets(): Promise<number> {
    const text = await run([...this.#enter, "nft", "-j", "list", "table", ...this.#table.split(" ")]);
    return [...text.matchAll(/"packets": (\d+)/gu)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** Returns the packets that the rules have met. */
  async heal(): Promise<number> {
    const packets = await this.packets();
    await run([...this.#enter, "nft", "delete", "table", ...this.#table.split(" ")]);
    return packets;
  }
}

/** Not `ip netns exec`, which would give every process a mount namespace of its own. */
function entering(space: string): readonly string[] {
  return ["nsenter", `--net=/run/netns/${space}`];
}

/** Interfaces in and out are known in different hooks. */
function onlyOf(hook: string, matches: string): string {
  if (hook === "input") return matches.replace(/oifname \S+ "lo" /u, "");
  return hook === "output" ? matches.replace(/iifname \S+ "lo" /u, "") : matches;
}
