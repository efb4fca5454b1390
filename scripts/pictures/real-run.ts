/**
 * The run behind the pictures of docs/how-to/observe.md: three real sidecars with TLS, a real Prometheus with the
 * chart's own rules, and what happens to a group in a bad quarter of an hour.
 *
 * Invariant: nothing is made up. What the pictures show is what Prometheus scraped; events.json says what was done.
 *
 * Deliberately absent: workers. The demo has them; here only the sidecars are looked at.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LocalGroup } from "../../test/support/local-group.ts";
import type { Sidecar } from "../../test/support/sidecar.ts";
import { Prometheus } from "./prometheus.ts";

const RULES = join(import.meta.dirname, "..", "..", "charts", "tenure", "files", "rules.yaml");
/** Longer than a second of file discovery and a scrape. */
const SETTLE_MS = 8_000;

export interface Deed {
  readonly atSeconds: number;
  readonly what: string;
}

class Run {
  readonly #group: LocalGroup;
  readonly #prometheus: Prometheus;
  readonly deeds: Deed[] = [];

  constructor(group: LocalGroup, prometheus: Prometheus) {
    this.#group = group;
    this.#prometheus = prometheus;
  }

  publish(): void {
    this.#prometheus.watch(this.#group.members.map(({ name, ports }) => ({ pod: name, port: ports.ops })));
  }

  note(what: string): void {
    this.deeds.push({ atSeconds: Date.now() / 1_000, what });
    console.log(`${new Date().toISOString().slice(11, 19)} ${what}`);
  }

  async handOver(): Promise<void> {
    const holder = await this.#group.agreed();
    this.note(`${holder.name} resigns`);
    await holder.ask("POST", "/resign");
    await this.#group.agreed(holder.name);
  }

  /** kill -9; Prometheus still looks for them, as it does for pods that crash. */
  async crash(victims: readonly Sidecar[], awayMs: number): Promise<void> {
    const names = victims.map(({ name }) => name);
    this.note(`kill -9 of ${names.join(" and ")}`);
    await Promise.all(victims.map((victim) => victim.crash()));
    this.#group.publish();
    await delay(awayMs);
    await this.start(names);
  }

  async start(names: readonly string[]): Promise<void> {
    this.note(`${names.join(" and ")} ${names.length === 1 ? "starts again with its" : "start again with their"} data`);
    await Promise.all(names.map((name) => this.#group.startMember(name)));
    this.publish();
    await this.#group.agreed();
    await delay(SETTLE_MS);
  }

  async freeze(victim: Sidecar, forMs: number): Promise<void> {
    this.note(`${victim.name} is paused for ${forMs / 1_000} s`);
    await victim.pause();
    await delay(forMs);
    victim.resume();
    await this.#group.agreed();
  }

  async terminate(victim: Sidecar, awayMs: number): Promise<void> {
    this.note(`SIGTERM to ${victim.name}`);
    victim.kill("SIGTERM");
    // As an application does that finishes its work and then says so.
    await victim.logged(({ event }) => event === "draining");
    await victim.ask("POST", "/resign");
    await victim.exited;
    this.#group.publish();
    await delay(awayMs);
    await this.start([victim.name]);
  }
}

/** Takes a quarter of an hour. Leaves the data of Prometheus and events.json in `directory`. */
export async function realRun(directory: string): Promise<void> {
  const prometheus = await Prometheus.start(directory, RULES);
  const group = await LocalGroup.start({
    size: 3,
    secure: true,
    leaseDuration: "2s",
    heartbeatInterval: "250ms",
    env: { TENURE_STORAGE: "persistent" },
  });
  const run = new Run(group, prometheus);
  const startSeconds = Date.now() / 1_000;
  try {
    run.publish();
    await group.agreed();
    await delay(120_000);
    await run.handOver();
    await delay(100_000);
    await run.crash([await group.agreed()], 45_000);
    await delay(90_000);
    await run.freeze(await group.agreed(), 5_000);
    await delay(100_000);
    await run.handOver();
    await delay(40_000);
    await run.terminate(await group.agreed(), 30_000);
    await delay(60_000);
    const holder = await group.agreed();
    await run.crash([holder, ...group.othersThan(holder).slice(0, 1)], 90_000);
    await delay(90_000);
  } finally {
    const endSeconds = Date.now() / 1_000;
    writeFileSync(join(directory, "events.json"), JSON.stringify({ startSeconds, endSeconds, deeds: run.deeds }));
    await group.stop();
    await prometheus.stop();
  }
}
