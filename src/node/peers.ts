/**
 * The other pods, as this node sees them: to whom it keeps connections, whom it has heard, who belongs elsewhere.
 *
 * Invariant: the transport is told whom to keep a connection to whenever that may have changed, and what is remembered
 * of others is bounded by the same names.
 *
 * Deliberately absent: what follows for the group; see membership.ts and rescue.ts.
 */
import type { Member, MemberId, MonotonicMs } from "../base/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Transport } from "../ports/transport.ts";
import type { Core } from "../raft/core.ts";
import { isMemberOf } from "../raft/entry.ts";
import { Contacts } from "./contacts.ts";
import { Neighbours } from "./neighbours.ts";
import { Rivals } from "./rivals.ts";
import type { Survey } from "./rescue.ts";

export interface PeersOptions {
  readonly name: string;
  /** All names of the set but this node's own. */
  readonly others: readonly string[];
  readonly clock: Clock;
  readonly transport: Transport;
  /** What this node is a member by; null while it has no group. */
  readonly membership: () => { readonly self: Member; readonly core: Core } | null;
}

export class Peers {
  readonly contacts = new Contacts();
  readonly #options: PeersOptions;
  readonly #neighbours: Neighbours;
  readonly #rivals: Rivals;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#neighbours = new Neighbours(options.name);
    this.#rivals = new Rivals(options.name);
  }

  /** Tells the transport whom to keep connections to. */
  keep(): void {
    const { others, membership, transport } = this.#options;
    const of = membership();
    const names =
      of === null
        ? this.#neighbours.ofSet(others)
        : this.#neighbours.ofGroup(of.self, of.core.configuration, of.core.committedConfiguration);
    this.contacts.keep(names);
    transport.setPeers(names);
  }

  /** Keeps a connection for a while to a name that may not be among those it is kept to anyway. */
  mayNeedAnswer(name: string): void {
    if (this.#neighbours.welcome(name, this.#options.clock.monotonic())) this.keep();
  }

  /** Of those who are kept for a while only. */
  forget(now: MonotonicMs, isChanged: boolean): void {
    if (this.#neighbours.forget(now) || isChanged) this.keep();
  }

  /** A connection was refused because the two ends are in two groups of one name, or it was not. */
  otherGroup(name: string, isRefused: boolean): void {
    if (isRefused) this.#rivals.refused(name, this.#options.clock.monotonic());
    else this.#rivals.accepted(name);
  }

  /** Pods that are in another group of this name. */
  get rivals(): readonly string[] {
    return this.#rivals.names(this.#options.clock.monotonic());
  }

  isConnected(name: string, id: MemberId): boolean {
    return this.#options.transport.connectedId(name) === id;
  }

  /** What is to be known before a rescue. */
  survey(self: Member, core: Core): Survey {
    const strangers = this.contacts.members.filter(
      (member) => this.isConnected(member.name, member.id) && !core.isRemoved(member.id) && !isKnown(core, member),
    );
    // Who speaks to this node as a member of nothing has not become a voter of anything.
    const isOutside = ({ name, id }: Member): boolean =>
      this.isConnected(name, id) && this.contacts.members.every((member) => member.id !== id);
    const learners = [...core.committedConfiguration.learners, ...core.configuration.learners];
    return {
      self,
      voters: core.configuration.voters,
      // After a restart, what was committed is known as of the last snapshot only.
      votes: [core.committedConfiguration, core.configuration].every(({ voters }) =>
        voters.some(({ id }) => id === self.id),
      ),
      standbys: learners.filter((learner) => !isOutside(learner)),
      connectedId: (name) => this.#options.transport.connectedId(name),
      strangers,
      rivals: this.rivals,
    };
  }
}

function isKnown({ configuration, committedConfiguration }: Core, { id }: Member): boolean {
  return isMemberOf(configuration, id) || isMemberOf(committedConfiguration, id);
}
