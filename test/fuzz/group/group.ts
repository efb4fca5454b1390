/**
 * A small group of cores under a network that obeys nobody, for fast-check to command: the second driver of the state
 * machine, beside test/simulation and with nothing of it.
 *
 * Every member has a clock of its own rate, within the drift bound. Disks keep what was persisted; a crash forgets the
 * rest. An application trusts the deadline that its sidecar last gave it, also when the sidecar is dead.
 *
 * Invariant: `check` runs after each command, and the referee throws when a promise is broken.
 *
 * Deliberately absent: chance. fast-check draws it, repeats it and shrinks it.
 */
import { present } from "../../../src/base/assert.ts";
import { holderMs, type Member, type MemberId, monotonicMs, type Now } from "../../../src/base/types.ts";
import { Core } from "../../../src/raft/core.ts";
import type { Input } from "../../../src/raft/effect.ts";
import type { Message } from "../../../src/raft/message.ts";
import { memberAt, TOKEN_BASE } from "../../support/cluster.ts";
import { Disk, formed, pastOf } from "./disk.ts";
import { Referee } from "./referee.ts";

export const TIMING = { leaseDurationMs: 1_000, clockDrift: 0.1, heartbeatIntervalMs: 100 } as const;
/** The bounds that `clockDrift` sets, mostly: a slow holder among fast voters has no margin to spare. */
const RATES = [0.9, 1.1, 1.1, 0.9, 1];

interface Pod {
  readonly member: Member;
  readonly rate: number;
  /** How long its machine was suspended in all, on its own clock: CLOCK_MONOTONIC stood still. */
  asleepMs: number;
  core: Core | null;
  readonly disk: Disk;
  /** A committed configuration has left it out: it does not come back. */
  isGone: boolean;
}

interface Flight {
  readonly from: Member;
  readonly to: MemberId;
  readonly message: Message;
}

export class Group {
  readonly pods: Pod[] = [];
  readonly flights: Flight[] = [];
  readonly #cut = new Set<string>();
  readonly referee = new Referee();
  #starts = 0;
  nowMs = 0;
  /** What has happened, so that a test can tell that it happened at all. */
  readonly tally = { tenures: 0, snapshotsSent: 0, changes: 0, crashes: 0, handovers: 0, removals: 0 };

  /** `logs`: how many entries of a common past each founder has on its disk. */
  constructor(logs: readonly number[]) {
    const founders = logs.map((_, position) => memberAt(position));
    const base = formed({ voters: founders, learners: [] });
    // Whoever lacks the entries of term 1 knows of the term: else there could be another leader in it.
    const pastTerm = Math.max(...logs) === 0 ? 0 : 1;
    for (const length of logs) this.#add(new Disk(base, pastOf(length), pastTerm));
  }

  #add(disk: Disk): Pod {
    const position = this.pods.length;
    const rate = RATES[position % RATES.length] ?? 1;
    const pod: Pod = { member: memberAt(position), rate, asleepMs: 0, core: null, disk, isGone: false };
    this.pods.push(pod);
    this.start(pod);
    return pod;
  }

  now({ rate, member, asleepMs }: Pod): Now {
    // Clocks share no beginning either.
    const ms = 1_000 * Number(member.name.slice(1)) + this.nowMs * rate;
    return { monotonicMs: monotonicMs(ms - asleepMs), holderMs: holderMs(ms) };
  }

  start(pod: Pod): void {
    if (pod.core !== null || pod.isGone) return;
    const { disk, member } = pod;
    this.#starts += 1;
    pod.core = new Core({
      self: member,
      timing: TIMING,
      priority: 0,
      seed: this.#starts,
      base: disk.snapshot,
      tokenBase: TOKEN_BASE,
      lock: disk.snapshot.lock,
      removed: disk.snapshot.removed,
      hardState: disk.hardState,
      entries: disk.entries,
      bootedAt: this.now(pod),
    });
  }

  /** What was on its way to it is lost; what it has sent arrives. */
  crash(pod: Pod): void {
    if (pod.core === null) return;
    this.tally.crashes += 1;
    pod.core = null;
    for (let at = this.flights.length - 1; at >= 0; at -= 1) {
      if (this.flights[at]?.to === pod.member.id) this.flights.splice(at, 1);
    }
  }

  step(pod: Pod, input: Input): void {
    if (pod.core === null) return;
    const effects = pod.core.step(input, this.now(pod));
    pod.disk.write(effects);
    for (const { to, message } of effects.send) {
      if (message.kind === "installSnapshot") this.tally.snapshotsSent += 1;
      if (!this.#cut.has(`${pod.member.name} ${to.name}`)) this.flights.push({ from: pod.member, to: to.id, message });
    }
    for (const entry of effects.apply) this.referee.commits(entry);
    for (const event of effects.events) {
      if (event.kind === "holding") this.referee.holds(event.tenure.token);
      if (event.kind === "holding") this.tally.tenures += 1;
      if (event.kind === "configurationCommitted") this.tally.changes += 1;
      if (event.kind === "transferStarted") this.tally.handovers += 1;
      if (event.kind === "removed") pod.isGone = true;
    }
    const last = effects.persist?.entries.at(-1);
    if (pod.isGone) {
      this.tally.removals += 1;
      pod.core = null;
    } else if (last !== undefined) this.step(pod, { kind: "persisted", index: last.index, term: last.term });
  }

  /** Hands over the message at a place of the queue, if there is one; `keep`: it may come once more. */
  deliver(at: number, keep: boolean): void {
    const flight = this.flights[at];
    if (flight === undefined) return;
    if (!keep) this.flights.splice(at, 1);
    const pod = this.pods.find(({ member }) => member.id === flight.to);
    if (pod !== undefined) this.step(pod, { kind: "message", from: flight.from, message: flight.message });
  }

  settle(most: number): void {
    for (let left = most; left > 0 && this.flights.length > 0; left -= 1) this.deliver(0, false);
  }

  /** Lets true time pass while everyone wakes when it asked to, and every message arrives at once. */
  calm(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    for (;;) {
      this.settle(200);
      const [first] = this.pods
        .filter(({ core }) => core !== null)
        .map((pod) => ({ pod, atMs: this.nowMs + this.#waitMs(pod) }))
        .sort((left, right) => left.atMs - right.atMs);
      if (first === undefined || first.atMs > untilMs) break;
      this.nowMs = first.atMs;
      this.step(first.pod, { kind: "tick" });
      this.check();
    }
    this.nowMs = untilMs;
  }

  /** Lets true time pass while nobody wakes and nothing arrives, as on machines that were stopped. */
  pause(durationMs: number): void {
    this.nowMs += durationMs;
    for (const pod of this.pods) this.step(pod, { kind: "tick" });
  }

  /** The machine of one pod is suspended; the others go on. */
  suspend(pod: Pod, durationMs: number): void {
    const { core } = pod;
    pod.core = null;
    this.calm(durationMs);
    pod.core = core;
    // A hair less, so that rounding does not turn its clock back.
    pod.asleepMs += durationMs * pod.rate * (1 - 1e-9);
  }

  #waitMs(pod: Pod): number {
    const now = this.now(pod);
    const wakeAt = present(pod.core, "it runs").wakeAt(now);
    // A hair later: rounding must not wake it before its time, over and over.
    return Math.max(0, (wakeAt - now.monotonicMs) / pod.rate) + 1e-6;
  }

  cut(from: Pod, to: Pod): void {
    this.#cut.add(`${from.member.name} ${to.member.name}`);
  }

  heal(): void {
    this.#cut.clear();
  }

  /** A new pod, with the committed state of `leader`, which is asked to take it in. */
  join(leader: Pod): void {
    if (leader.core === null || this.pods.length > 7 || !leader.core.mayChange(this.now(leader))) return;
    const { member } = this.#add(new Disk(leader.core.snapshot(), [], 0));
    this.step(leader, { kind: "change", change: { kind: "addLearner", member } });
  }

  check(): void {
    for (const pod of this.pods) {
      const now = this.now(pod);
      const view = pod.core?.view(now);
      if (view?.role === "leader") this.referee.leads(pod.member.id, view.term);
      const end = view?.held?.end;
      if (end !== undefined) this.referee.tells(pod.member.name, this.nowMs + (end - now.holderMs) / pod.rate);
    }
    this.referee.atMostOneActs(this.nowMs);
  }
}
