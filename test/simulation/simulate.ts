/**
 * Runs one seed and says what came of it.
 *
 * Invariant: equal seeds and equal changes give equal outcomes.
 *
 * Deliberately absent: many seeds; see main.ts.
 */
import type { CalmResult } from "./calm.ts";
import { assertSettles } from "./microtasks.ts";
import type { Swarm, Tally } from "./swarm.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly violation: Violation | null;
  /** The last events, for people. */
  readonly transcript: string;
  /** Of everything that happened: equal for equal seeds. */
  readonly fingerprint: string;
  readonly tally: Tally;
  readonly simulatedMs: number;
  readonly events: number;
  /** How often a node became leader, and how often one began to hold. */
  readonly elections: number;
  readonly tenures: number;
  readonly committed: number;
  readonly calm: CalmResult | null;
}

/**
 * Anything but a broken promise is a fault of the simulator, and is thrown. To be called outside of microtasks, see
 * microtasks.ts.
 */
export function simulate(seed: number, alter: (swarm: Swarm) => Swarm = (swarm) => swarm): Outcome {
  assertSettles();
  const world = new World(seed, alter);
  let violation: Violation | null = null;
  let calm: CalmResult | null = null;
  try {
    world.storm();
    calm = world.calm();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  const { swarm, transcript, tally, agenda, checks } = world;
  return {
    seed,
    swarm,
    violation,
    transcript: violation === null ? "" : transcript.text,
    fingerprint: transcript.fingerprint,
    tally,
    simulatedMs: agenda.nowMs,
    events: agenda.events,
    elections: checks.votes.elections,
    tenures: checks.lease.tenures,
    committed: checks.log.committed,
    calm,
  };
}
