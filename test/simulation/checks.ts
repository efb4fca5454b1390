/**
 * Everything that must be true of the group, whatever happens to it: one list, asked at every step.
 *
 * Invariant: checks see all machines and true time, and change nothing that a node can see.
 *
 * Deliberately absent: liveness. It is due only in a calm world, see calm.ts.
 */
import type { FencingToken, HolderMs } from "../../src/base/types.ts";
import type { Snapshot } from "../../src/ports/storage.ts";
import type { PeerMessage } from "../../src/ports/transport.ts";
import type { Effects, Input } from "../../src/raft/effect.ts";
import type { Member } from "../../src/raft/entry.ts";
import { type Append, isAppend } from "./appends.ts";
import type { CoreView } from "../../src/raft/view.ts";
import type { Agenda } from "./agenda.ts";
import { BoundChecks } from "./bound-checks.ts";
import { CalmnessChecks } from "./calmness-checks.ts";
import type { Reading } from "./clock-port.ts";
import { DiskChecks } from "./disk-checks.ts";
import { LeaseChecks } from "./lease-checks.ts";
import type { Life } from "./life.ts";
import { LockHistory } from "./lock-history.ts";
import { LogChecks } from "./log-checks.ts";
import type { Machine } from "./machine.ts";
import { MemberChecks } from "./member-checks.ts";
import type { Members } from "./members.ts";
import type { Network } from "./network.ts";
import { PromiseChecks } from "./promise-checks.ts";
import { VoteChecks } from "./vote-checks.ts";

/** One step of one node, after it. */
export interface Observed {
  readonly input: Input;
  readonly effects: Effects;
  /** The view before the step, as somebody last took it. */
  readonly before: CoreView | null;
  readonly view: CoreView;
  readonly now: Reading;
}

export interface Scene {
  readonly agenda: Agenda;
  readonly network: Network;
  readonly members: Members;
  /** Filled once all machines stand. */
  readonly machines: readonly Machine[];
  readonly honestDrift: number;
  /** Whether the set may have more pods than they know. */
  readonly scaled: boolean;
  /** Whether all clocks keep that bound. */
  readonly honest: boolean;
}

export class Checks {
  readonly lease: LeaseChecks;
  readonly log: LogChecks;
  readonly votes = new VoteChecks();
  readonly history: LockHistory;
  readonly #promises = new PromiseChecks();
  readonly #calmness = new CalmnessChecks();
  readonly #disks: DiskChecks;
  readonly #members: MemberChecks;
  readonly #bounds = new BoundChecks();
  /** The append that each reply which is about to leave answers. */
  readonly #dueTo = new WeakMap<PeerMessage, Append>();

  constructor(scene: Scene) {
    this.lease = new LeaseChecks(scene);
    this.log = new LogChecks(scene);
    this.history = new LockHistory(scene);
    this.#disks = new DiskChecks(scene);
    this.#members = new MemberChecks(scene, this.log);
  }

  starts(life: Life): void {
    this.#promises.starts(life);
    this.#calmness.starts(life);
  }

  stepped(life: Life, observed: Observed): void {
    const { input, effects } = observed;
    if (input.kind === "message" && isAppend(input.message)) {
      for (const { message } of effects.send) this.#dueTo.set(message, input.message);
    }
    this.votes.stepped(life, observed);
    this.log.stepped(life, observed);
    this.#promises.stepped(life, observed);
    this.#members.stepped(life, observed);
    this.#calmness.stepped(life, observed);
    this.lease.stepped(life, observed);
    this.#bounds.stepped(life, observed);
  }

  looked(life: Life, before: CoreView | null, view: CoreView): void {
    this.lease.looked(life, before, view);
  }

  /** @param token null: not the leader */
  answered(life: Life, token: FencingToken | null): void {
    this.lease.answered(life, token);
  }

  granted(life: Life, token: FencingToken, end: HolderMs): void {
    this.lease.granted(life, token, end);
    this.history.told(life.machine, token);
    life.machine.application.told(end, token);
  }

  persisted(life: Life): void {
    this.votes.persisted(life);
  }

  savedSnapshot(life: Life, snapshot: Snapshot): void {
    this.log.savedSnapshot(life, snapshot);
    this.#disks.savedSnapshot(life, snapshot);
  }

  sends(life: Life, to: Member, message: PeerMessage): void {
    this.#disks.sends(life, message);
    switch (message.kind) {
      case "formQuery":
      case "formStatus":
      case "formPropose":
      case "formReply":
      case "joinRequest":
      case "joinAccepted":
      case "removed":
        return;
      default:
        this.votes.sends(life, to, message);
        this.log.sends(life, message, this.#dueTo.get(message) ?? null);
    }
  }
}
