/**
 * Carries out the rounds of a schedule on a test-bed.
 *
 * Invariant: every planned fault ends as one of: done (with or without proof), missed (it could not be made at that
 * moment, with the reason), skipped (this machine cannot). A round ends when all of its faults are healed and a holder
 * is there; if none comes in PATIENCE_MS, that is a violation.
 *
 * Deliberately absent: the verdict on what happened.
 */
import { setTimeout as delay } from "node:timers/promises";
import { machineMs } from "../../../demo/machine-clock.ts";
import { messageOf } from "../../../src/base/errors.ts";
import { DISK_FAULTS } from "./disk-faults.ts";
import { type FaultKind, rowOf } from "./kinds.ts";
import { whyNot } from "./means.ts";
import { MEMBER_FAULTS } from "./member-faults.ts";
import { NETWORK_FAULTS } from "./network-faults.ts";
import { PEER_FAULTS } from "./peer-faults.ts";
import type { Pod } from "./pod.ts";
import { PROCESS_FAULTS } from "./process-faults.ts";
import type { FaultRecord } from "./record.ts";
import { type Executors, type Injection } from "./scene.ts";
import { within } from "./wait.ts";
import type { PlannedFault, Round } from "./schedule.ts";
import type { Testbed } from "./testbed.ts";

const EXECUTORS: Executors = { ...PROCESS_FAULTS, ...NETWORK_FAULTS, ...DISK_FAULTS, ...PEER_FAULTS, ...MEMBER_FAULTS };
/** No bound of liveness is near it: beyond it there is no use in going on. */
const PATIENCE_MS = 30_000;

const ALONE: ReadonlySet<FaultKind> = new Set(["delay", "wall-step", "directory-emptied"]);

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

export class Runner {
  readonly #testbed: Testbed;
  readonly #note: (text: string) => void;
  readonly records: Mutable<FaultRecord>[] = [];
  readonly missed = new Map<FaultKind, string[]>();
  readonly skipped = new Map<FaultKind, string[]>();
  /** Facets of pods that a fault has hold of. */
  readonly #taken = new Set<string>();

  constructor(testbed: Testbed, note: (text: string) => void) {
    this.#testbed = testbed;
    this.#note = note;
  }

  /** Kinds that were to be made here and have not had an effect yet. */
  unproven(): readonly FaultKind[] {
    const proven = new Set(this.records.filter(({ proof }) => proof !== null).map(({ kind }) => kind));
    const tried = new Set([...this.records.map(({ kind }) => kind), ...this.missed.keys()]);
    return [...tried].filter((kind) => !proven.has(kind));
  }

  async run(round: Round, signal: AbortSignal): Promise<void> {
    const started = machineMs();
    await Promise.all(round.faults.map((fault) => this.#strike(round.number, fault, signal)));
    if (signal.aborted) return;
    await this.#recover(round.settles);
    const tookMs = Math.round(machineMs() - started);
    this.#note(`round ${round.number}: over after ${tookMs} ms, holder ${this.#testbed.holder?.name ?? "none"}`);
  }

  /** Waits for a holder: at least one; everyone's, when the round settles. */
  async #recover(settles: boolean): Promise<void> {
    const { pods, broken } = this.#testbed;
    const isThere = await within(PATIENCE_MS, () => {
      if (broken.length > 0) return true;
      const { holder } = this.#testbed;
      if (holder === null) return false;
      return !settles || pods.every(({ lastAnswer }) => lastAnswer.holder === holder.name);
    });
    if (isThere) return;
    const answers = pods.map(({ name, lastAnswer }) => `${name}: ${JSON.stringify(lastAnswer)}`);
    broken.push(
      `${PATIENCE_MS} ms after the last fault was healed: no holder that all agree on; ${answers.join("; ")}`,
    );
  }

  async #strike(round: number, fault: PlannedFault, signal: AbortSignal): Promise<void> {
    const { kind } = fault;
    const reason = whyNot(kind, this.#testbed.missing);
    if (reason !== null) return put(this.skipped, kind, reason);
    await delay(fault.atMs, undefined, { signal }).catch(() => undefined);
    const pods = this.#take(fault);
    const [pod] = pods;
    if (signal.aborted) return this.#give(kind, pods);
    if (pod === undefined) return put(this.missed, kind, "everyone is in the hands of another fault");
    try {
      await this.#carryOut(round, fault, pod, pods, signal);
    } finally {
      this.#give(kind, pods);
    }
  }

  async #carryOut(
    round: number,
    fault: PlannedFault,
    pod: Pod,
    all: readonly Pod[],
    signal: AbortSignal,
  ): Promise<void> {
    const { kind } = fault;
    const execute = EXECUTORS[kind];
    if (execute === undefined) throw new Error(`nobody knows how to make ${kind}`);
    const fromMs = machineMs();
    // On the books while it is under way: what happens meanwhile is its doing.
    const record: Mutable<FaultRecord> = {
      round,
      kind,
      targets: [pod.name],
      impaired: all.map(({ name }) => name),
      blind: rowOf(kind).facet === "application",
      injected: { fromMs, toMs: fromMs },
      healed: null,
      proof: null,
    };
    this.records.push(record);
    let injection: Injection;
    try {
      injection = await execute({ testbed: this.#testbed, fault, pod, all });
    } catch (error) {
      this.records.splice(this.records.indexOf(record), 1);
      this.#note(`  ${kind} of ${pod.name} missed: ${messageOf(error)}`);
      return put(this.missed, kind, messageOf(error));
    }
    record.injected = { fromMs, toMs: machineMs() };
    record.targets = (injection.targets ?? [pod]).map(({ name }) => name);
    record.blind = injection.blind ?? false;
    record.impaired = (injection.impaired ?? []).map(({ name }) => name);
    await delay(fault.forMs, undefined, { signal }).catch(() => undefined);
    const healFromMs = machineMs();
    try {
      record.proof = await injection.heal();
    } catch (error) {
      this.#testbed.broken.push(`${record.targets.join(", ")} did not come back from ${kind}: ${messageOf(error)}`);
    }
    record.healed = { fromMs: healFromMs, toMs: machineMs() };
    const beganMs = Math.round(fromMs - this.#testbed.startedMs);
    const lastedMs = Math.round(machineMs() - fromMs);
    const proof = record.proof ?? "NO EFFECT SEEN";
    this.#note(`  ${beganMs} ms: ${kind} of ${record.targets.join(", ")} for ${lastedMs} ms: ${proof}`);
  }

  /** Whom the fault strikes: the one it is aimed at first; nobody else has hold of their facet meanwhile. */
  #take({ kind, aim }: PlannedFault): readonly Pod[] {
    const { pods, holder } = this.#testbed;
    const others = pods.filter((pod) => pod !== holder);
    const first = aim === "holder" ? holder : others[aim % Math.max(1, others.length)];
    const inOrder = first === null || first === undefined ? pods : [first, ...pods.filter((pod) => pod !== first)];
    const free = inOrder.filter(({ name }) => !keysOf(kind, name).some((key) => this.#taken.has(key)));
    const struck = kind.endsWith("-all") ? free : free.slice(0, 1);
    for (const { name } of struck) for (const key of keysOf(kind, name)) this.#taken.add(key);
    return struck;
  }

  #give(kind: FaultKind, pods: readonly Pod[]): void {
    for (const { name } of pods) for (const key of keysOf(kind, name)) this.#taken.delete(key);
  }
}

/** What a fault has hold of: one facet of a pod. Of a few kinds there is only one at a time in the whole test-bed. */
function keysOf(kind: FaultKind, name: string): readonly string[] {
  const { facet } = rowOf(kind);
  const own = facet === null ? [] : [`${facet} ${name}`];
  return ALONE.has(kind) ? [...own, kind] : own;
}

function put(map: Map<FaultKind, string[]>, kind: FaultKind, reason: string): void {
  map.set(kind, [...(map.get(kind) ?? []), reason]);
}
