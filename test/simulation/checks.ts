/**
 * Everything that must be true of the group, whatever happens to it: one list, asked at every step.
 *
 * Invariant: checks see all nodes and true time, and change nothing that a node can see.
 *
 * Deliberately absent: liveness. It is due only in a calm world, see calm.ts.
 */
import type { Now } from "../../src/base/types.ts";
import type { Effects, Input, Outgoing } from "../../src/raft/effect.ts";
import type { CoreView } from "../../src/raft/view.ts";
import type { Agenda } from "./agenda.ts";
import { CalmnessChecks } from "./calmness-checks.ts";
import { LeaseChecks } from "./lease-checks.ts";
import { LogChecks } from "./log-checks.ts";
import type { Network } from "./network.ts";
import { PromiseChecks } from "./promise-checks.ts";
import type { Replica } from "./replica.ts";
import { VoteChecks } from "./vote-checks.ts";

/** One step of one node, after it. */
export interface Observed {
  readonly input: Input;
  readonly effects: Effects;
  /** The view before the step, as somebody last took it. */
  readonly before: CoreView | null;
  readonly view: CoreView;
  readonly now: Now;
}

export interface Scene {
  readonly agenda: Agenda;
  readonly network: Network;
  /** Filled once all machines stand. */
  readonly replicas: readonly Replica[];
  /** How many of the replicas vote: the first ones. */
  readonly voters: number;
  readonly honestDrift: number;
  /** Whether all clocks keep that bound. */
  readonly honest: boolean;
}

export class Checks {
  readonly lease: LeaseChecks;
  readonly log: LogChecks;
  readonly #promises: PromiseChecks;
  readonly #calmness = new CalmnessChecks();
  readonly #votes = new VoteChecks();

  constructor(scene: Scene) {
    this.lease = new LeaseChecks(scene);
    this.log = new LogChecks(scene);
    this.#promises = new PromiseChecks();
  }

  starts(replica: Replica): void {
    this.#promises.starts(replica);
    this.#calmness.starts(replica);
  }

  stepped(replica: Replica, observed: Observed): void {
    this.#votes.stepped(replica, observed);
    this.log.stepped(replica, observed);
    this.#promises.stepped(replica, observed);
    this.#calmness.stepped(replica, observed);
    this.lease.stepped(replica, observed);
  }

  looked(replica: Replica, before: CoreView | null, view: CoreView): void {
    this.lease.looked(replica, before, view);
  }

  granted(replica: Replica, view: CoreView, held: NonNullable<CoreView["held"]>): void {
    this.lease.granted(replica, view, held);
  }

  persisted(replica: Replica): void {
    this.#votes.persisted(replica);
  }

  sends(replica: Replica, outgoing: Outgoing, dueTo: Input): void {
    this.#votes.sends(replica, outgoing);
    this.log.sends(replica, outgoing, dueTo);
  }
}
