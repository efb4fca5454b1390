/**
 * What the screen knows of the sidecars: it asks each of them ten times a second, as any tool may.
 *
 * Invariant: a sidecar that does not answer holds up nobody; what it said last stays, with its deadline, so that one
 * can see the lease of a paused holder run out.
 *
 * Deliberately absent: influence. The checks do not use any of this.
 */
import type { ClusterAnswer } from "../src/ports/application.ts";
import { machineMsOf } from "./machine-clock.ts";
import type { Pod } from "./pod.ts";

export const LOOK_INTERVAL_MS = 100;

export interface Sighting {
  /** Of Raft, as the member says of itself. */
  readonly role: string;
  readonly term: number;
  /** The last token it held, and until when; null: none so far. */
  readonly token: number | null;
  /** On the machine's clock, in ms. */
  readonly deadlineMs: number | null;
  /** Why it is, or is not, the holder. */
  readonly reason: string;
}

export class Watch {
  readonly #pods: readonly Pod[];
  readonly #sightings = new Map<string, Sighting>();
  readonly #asking = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(pods: readonly Pod[]) {
    this.#pods = pods;
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const pod of this.#pods) void this.#look(pod);
    }, LOOK_INTERVAL_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Null before the first answer. */
  sighting(name: string): Sighting | null {
    return this.#sightings.get(name) ?? null;
  }

  async #look({ name, answers, sidecar }: Pod): Promise<void> {
    if (!answers || sidecar === null || this.#asking.has(name)) return;
    this.#asking.add(name);
    try {
      const [leader, cluster] = await Promise.all([sidecar.leader(), sidecar.ask("GET", "/cluster")]);
      // The lock API's contract.
      const { members } = JSON.parse(cluster.text) as ClusterAnswer;
      const role = members.find((member) => member.self)?.role ?? "starting";
      const { token, deadlineMonotonicNs, term, reason } = leader;
      this.#sightings.set(name, { role, term, token, deadlineMs: machineMsOf(deadlineMonotonicNs), reason });
    } catch {
      // It has just been killed, or has only begun to listen.
    } finally {
      this.#asking.delete(name);
    }
  }
}
