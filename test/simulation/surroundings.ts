/**
 * What a machine and the faults need of the world around them.
 *
 * Invariant: one of it per world; only `stormy` ever changes.
 *
 * Deliberately absent: the other machines. Nodes meet over the network alone.
 */
import type { Member } from "../../src/base/types.ts";
import type { Configuration } from "../../src/raft/entry.ts";
import type { Agenda } from "./agenda.ts";
import type { Chance } from "./chance.ts";
import type { Checks } from "./checks.ts";
import type { Network } from "./network.ts";
import type { Replica } from "./replica.ts";
import type { Swarm, Tally } from "./swarm.ts";
import type { Transcript } from "./transcript.ts";

export interface Surroundings {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly swarm: Swarm;
  readonly tally: Tally;
  readonly transcript: Transcript;
  readonly network: Network;
  readonly checks: Checks;
  readonly configuration: Configuration;
  readonly positionOf: (member: Member) => number;
  /** Whether faults may strike now. */
  stormy: boolean;
  /** A crash between the effects of a step: the world sees to the restart. */
  readonly crashed: (replica: Replica) => void;
  /** A node was elected, or began to hold: a good moment for a fault. */
  readonly promoted: (replica: Replica) => void;
}
