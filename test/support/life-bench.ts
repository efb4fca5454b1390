/**
 * One `Life` of app-0 and the mail that it gets, without a node around it: the test plays peers, clock and node.
 *
 * Invariant: all that is said to peers, saved and asked of the node is kept in order; time stands still unless a test
 * moves it.
 *
 * Deliberately absent: formation, and any answer from peers.
 */
import { holderMs, type Member, memberId, monotonicMs } from "../../src/base/types.ts";
import { Contacts } from "../../src/node/contacts.ts";
import { Life } from "../../src/node/life.ts";
import { type Addressee, handlersOf } from "../../src/node/mail.ts";
import type { NodeOptions } from "../../src/node/options.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { NodeEvent } from "../../src/ports/observer.ts";
import type { Snapshot, Storage, StoredState } from "../../src/ports/storage.ts";
import type { IntroductoryMessage, Transport, TransportHandlers } from "../../src/ports/transport.ts";
import type { Message } from "../../src/raft/message.ts";
import { baseOf, configurationOf, hardStateOf } from "./entries.ts";
import { TIMING } from "./timing.ts";

export const GROUP_ID = "b".repeat(32);
export const OTHER_GROUP_ID = "c".repeat(32);
export const BENCH_TOKEN_BASE = 7_000_000;

/** The incarnation of `m<position>`; another letter is another life of the same pod. */
export function lifeOf(position: number, life = "0"): Member {
  return { id: memberId(life + String(position).padStart(31, "0")), name: `m${position}` };
}

export interface LifeBench {
  readonly life: Life;
  readonly said: { readonly to: string; readonly message: IntroductoryMessage | Message }[];
  readonly saved: Snapshot[];
  readonly failures: unknown[];
  readonly clock: Clock & { nowMs: number };
}

export interface LifeBenchOptions {
  readonly snapshot?: Partial<Snapshot>;
  readonly state?: Partial<Pick<StoredState, "hardState" | "entries">>;
}

/** m0 of three, unless the snapshot says otherwise; not started. */
export function lifeBench({ snapshot = {}, state = {} }: LifeBenchOptions = {}): LifeBench {
  const said: LifeBench["said"] = [];
  const saved: Snapshot[] = [];
  const failures: unknown[] = [];
  const clock = stillClock();
  const formed = { ...baseOf(configurationOf([0, 1, 2])), lock: [], removed: [], groupId: GROUP_ID };
  const node: NodeOptions = {
    group: "app",
    name: "m0",
    replicas: 3,
    timing: TIMING,
    priority: 0,
    drainTimeoutMs: 0,
    ephemeral: true,
    version: "test",
    clock,
    storage: diskThatNotes(saved),
    transport: mute(said),
    entropy: { id: () => lifeOf(0).id, seed: () => 1 },
    observer: { observe: () => undefined },
    fatal: (error) => void failures.push(error),
  };
  const life = new Life({
    node,
    self: lifeOf(0),
    snapshot: { ...formed, tokenBase: BENCH_TOKEN_BASE, ...snapshot },
    state: { hardState: hardStateOf(0), entries: [], ...state },
    observe: () => undefined,
    after: () => undefined,
    changed: () => undefined,
    fail: (error) => void failures.push(error),
  });
  return { life, said, saved, failures, clock };
}

/** What mail asks of the node, and the handlers under test. */
export interface MailBench {
  readonly handlers: TransportHandlers;
  readonly contacts: Contacts;
  /** Each call to the node, as one line. */
  readonly calls: string[];
  readonly events: NodeEvent[];
}

export function mailBench(clock: Clock, life: Life | null): MailBench {
  const contacts = new Contacts();
  contacts.keep(["m1", "m2", "m9"]);
  const calls: string[] = [];
  const events: NodeEvent[] = [];
  const node: Addressee = {
    clock,
    contacts,
    self: () => lifeOf(0),
    founding: () => null,
    life: () => life,
    observe: (event) => void events.push(event),
    mayNeedAnswer: (name) => void calls.push(`may need an answer: ${name}`),
    otherGroup: (name, isRefused) => void calls.push(`other group: ${name} ${isRefused}`),
    joined: (snapshot) => void calls.push(`joined: ${snapshot.groupId}`),
    removed: (groupId) => void calls.push(`removed: ${groupId}`),
  };
  return { handlers: handlersOf(node), contacts, calls, events };
}

function stillClock(): Clock & { nowMs: number } {
  return {
    nowMs: 1_000,
    now() {
      return { monotonicMs: monotonicMs(this.nowMs), holderMs: holderMs(this.nowMs) };
    },
    monotonic() {
      return monotonicMs(this.nowMs);
    },
    toMonotonicNs: (instant) => BigInt(Math.floor(instant)) * 1_000_000n,
    wallSeconds: () => 0,
    wakeAt: () => () => undefined,
  };
}

function diskThatNotes(saved: Snapshot[]): Storage {
  const done = (): Promise<void> => Promise.resolve();
  const nothing: StoredState = { identity: null, form: null, snapshot: null, hardState: hardStateOf(0), entries: [] };
  return {
    load: () => Promise.resolve(nothing),
    saveIdentity: done,
    saveForm: done,
    saveSnapshot: (snapshot) => Promise.resolve(void saved.push(snapshot)),
    append: done,
    wipe: done,
    close: done,
  };
}

function mute(said: LifeBench["said"]): Transport {
  const note = (to: string, message: IntroductoryMessage | Message): boolean => said.push({ to, message }) > 0;
  return {
    start: () => Promise.resolve(),
    setLocal: () => undefined,
    setPeers: () => undefined,
    sendTo: note,
    send: ({ name }, message) => note(name, message),
    connectedId: () => null,
    close: () => Promise.resolve(),
  };
}
