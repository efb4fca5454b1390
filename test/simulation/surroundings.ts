/**
 * What machines, ports and faults need of the world around them.
 *
 * Invariant: one of it per world; only `stormy` ever changes.
 *
 * Deliberately absent: anything that a node under test may see. It sees its ports alone.
 */
import type { Agenda } from "./agenda.ts";
import type { Chance } from "./chance.ts";
import type { Checks } from "./checks.ts";
import type { Directory } from "./directory.ts";
import type { Machine } from "./machine.ts";
import type { Members } from "./members.ts";
import type { Network } from "./network.ts";
import type { Swarm, Tally } from "./swarm.ts";
import type { Transcript } from "./transcript.ts";
import type { SimulatedTransport } from "./transport-port.ts";

export interface Surroundings {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly swarm: Swarm;
  readonly tally: Tally;
  readonly transcript: Transcript;
  readonly network: Network;
  readonly directory: Directory;
  readonly members: Members;
  readonly checks: Checks;
  readonly machines: readonly Machine[];
  /** Who listens at each machine's address. */
  readonly listening: (SimulatedTransport | null)[];
  /** Whether faults may strike now. */
  stormy: boolean;
  /** The process of a machine has ended by itself: the world sees to the restart. */
  readonly ended: (machine: Machine) => void;
  /** A node was elected, or began to hold: a good moment for a fault. */
  readonly promoted: (machine: Machine) => void;
  /** Somebody has become a member of this group. */
  readonly grouped: (groupId: string) => void;
  /** Nobody with an empty disk starts earlier: token bases rise with the seconds of wall clocks. */
  readonly reformableAtMs: () => number;
  /** Whether so many disks of the present group are gone that nobody can bring it back. */
  readonly hopeless: (without?: readonly Machine[]) => boolean;
  /** Undoes a fault after a random time, at the latest when the calm begins. */
  readonly undoLater: (undo: () => void, meanUnits: number) => true;
  /** Something is wrong with the code under test, or with the simulator: the seed ends after this event. */
  readonly broken: (error: unknown) => void;
}
