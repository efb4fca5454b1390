/**
 * One life: this incarnation as a member of one group, with what the group was made of.
 *
 * Invariant: group id and token base never change in a life; a snapshot that it writes carries them.
 *
 * Deliberately absent: the way in and the way out; see node.ts.
 */
import type { Member, Now } from "../base/types.ts";
import type { NodeEvent } from "../ports/observer.ts";
import type { Snapshot, StoredState } from "../ports/storage.ts";
import type { Transport } from "../ports/transport.ts";
import { Core } from "../raft/core.ts";
import type { Effects } from "../raft/effect.ts";
import { Admission } from "./admission.ts";
import { Group } from "./group.ts";
import type { NodeOptions } from "./options.ts";

export interface LifeOptions {
  readonly node: NodeOptions;
  readonly self: Member;
  /** What the log starts from. */
  readonly snapshot: Snapshot;
  readonly state: Pick<StoredState, "hardState" | "entries">;
  readonly observe: (event: NodeEvent) => void;
  readonly after: (batch: readonly Effects[]) => void;
  readonly changed: () => void;
  readonly fail: (error: unknown) => void;
}

export class Life {
  readonly groupId: string;
  readonly tokenBase: number;
  readonly group: Group;
  readonly admission: Admission;
  readonly #self: Member;
  readonly #transport: Transport;

  constructor({ node, self, snapshot, state, observe, after, changed, fail }: LifeOptions) {
    const { clock, storage, timing, priority, entropy, drainTimeoutMs, transport } = node;
    const { groupId, tokenBase, index, term, configuration, lock, removed } = snapshot;
    this.groupId = groupId;
    this.tokenBase = tokenBase;
    this.#self = self;
    this.#transport = transport;
    const base = { index, term, configuration };
    const bootedAt = clock.now();
    const seed = entropy.seed();
    const core = new Core({ self, timing, priority, seed, base, tokenBase, lock, removed, ...state, bootedAt });
    this.admission = new Admission({
      core,
      self,
      timing,
      groupId,
      welcome: (committed) => ({ kind: "joinAccepted", snapshot: { ...committed, groupId, tokenBase } }),
      sendTo: (name, message) => {
        transport.sendTo(name, message);
      },
    });
    this.group = new Group({
      core,
      clock,
      storage,
      saveSnapshot: (committed) => storage.saveSnapshot({ ...committed, groupId, tokenBase }),
      drainTimeoutMs,
      handoverTimeoutMs: timing.leaseDurationMs,
      send: (to, message) => {
        transport.send(to, message);
      },
      observe,
      after,
      changed,
      fail,
    });
  }

  /** Proposes the next change of members, if this node leads and there is one. */
  lookAtMembers(now: Now): void {
    const change = this.admission.next(now);
    if (change !== null) this.group.offer({ kind: "change", change });
  }

  /**
   * Its log says that it is out, but not yet for certain; or it is a learner to whom no leader speaks, and a learner
   * may be removed for silence without a word that reaches it.
   */
  mayBeOut(now: Now): boolean {
    const { core } = this.group;
    if (!core.isMember) return true;
    return core.configuration.learners.some(({ id }) => id === this.#self.id) && core.lockView(now).leader === null;
  }

  /**
   * It votes in no configuration that it knows, nobody leads it, and every voter's pod is in another group by now: its
   * group was given up, and may have taken it in by a message that was late. A person may want a vote back; this one
   * has none.
   *
   * @param rivals names of pods that are in another group
   */
  isStranded(rivals: readonly string[], now: Now): boolean {
    const { core } = this.group;
    const voters = [core.configuration, core.committedConfiguration].flatMap((configuration) => configuration.voters);
    const isElsewhere = ({ id, name }: Member): boolean =>
      id !== this.#self.id && (name === this.#self.name || rivals.includes(name));
    return rivals.length > 0 && voters.every(isElsewhere) && this.group.leaderless(now);
  }

  /** The leader will take it in, and whoever knows that it is out will say so. */
  askToJoin(): void {
    for (const { name } of this.group.core.configuration.voters) {
      this.#transport.sendTo(name, { kind: "joinRequest" });
    }
  }
}
