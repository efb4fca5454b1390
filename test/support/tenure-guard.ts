/**
 * Stands beside a group under attack: the holder must keep its tenure, and nobody's memory may grow without bound.
 *
 * Invariant: the holder is asked all the time, on a connection of its own; every answer that is not "leader, with the
 * same token" is kept as an oddity.
 *
 * Deliberately absent: the attacks, and how fast answers come.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { LocalGroup } from "./local-group.ts";
import type { Leader, Sidecar } from "./sidecar.ts";

const POLL_MS = 20;
const MIB = 1_048_576;

export class TenureGuard {
  readonly holder: Sidecar;
  readonly #token: number;
  readonly #residentBytes: ReadonlyMap<Sidecar, number>;
  readonly #maxGrowthMib: number;
  readonly #oddities: string[] = [];
  readonly #over = new AbortController();
  #answers = 0;
  #polls: Promise<void> = Promise.resolve();

  private constructor(holder: Sidecar, token: number, residentBytes: ReadonlyMap<Sidecar, number>, maxMib: number) {
    this.holder = holder;
    this.#token = token;
    this.#residentBytes = residentBytes;
    this.#maxGrowthMib = maxMib;
  }

  /**
   * Call it once everything has been used, and much: the first use of a thing loads code, and the heap takes some time
   * to reach the size that it then keeps. Neither is growth.
   */
  static async of(group: LocalGroup, maxGrowthMib: number): Promise<TenureGuard> {
    const holder = await group.agreed();
    const { token } = await holder.leader();
    if (token === null) throw new Error(`${holder.name} lost its lease in a group that nobody had attacked yet`);
    const resident = group.members.map(async (member) => [member, await member.residentBytes()] as const);
    const guard = new TenureGuard(holder, token, new Map(await Promise.all(resident)), maxGrowthMib);
    guard.#polls = guard.#poll();
    return guard;
  }

  /** What was wrong so far, in words: also when the holder was not asked at all. */
  async complaints(): Promise<readonly string[]> {
    const grown: string[] = [];
    for (const [member, before] of this.#residentBytes) {
      if (!member.running) continue;
      const mib = ((await member.residentBytes()) - before) / MIB;
      if (mib > this.#maxGrowthMib) grown.push(`${member.name} grew by ${Math.round(mib)} MiB`);
    }
    const idle = this.#answers === 0 ? ["the holder has not answered once"] : [];
    return [...this.#oddities, ...grown, ...idle];
  }

  /** Waits for an answer that was asked for after this call. */
  async look(): Promise<void> {
    const seen = this.#answers;
    while (this.#answers < seen + 2) await delay(POLL_MS, undefined, { signal: this.#over.signal });
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#polls;
  }

  async #poll(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        const { status, text } = await this.holder.ask("GET", "/leader", { signal });
        const answer = JSON.parse(text) as Leader;
        if (status !== 200 || answer.token !== this.#token) this.#oddities.push(`${status} ${text}`);
      } catch (error) {
        if (!signal.aborted) this.#oddities.push(String(error));
      }
      this.#answers += 1;
      await delay(POLL_MS);
    }
  }
}
