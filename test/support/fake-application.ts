/**
 * An `Application` that does as a test says.
 *
 * Invariant: like the real one, `leader()` is computed at each call and fails closed: past the deadline it is no
 * leader's answer, whatever a test has set before.
 *
 * Deliberately absent: any protocol. A test sets the state, and sees what the API makes of it.
 */
import { TenureError } from "../../src/base/errors.ts";
import { fencingToken, memberId, term } from "../../src/base/types.ts";
import type { Application, ClusterAnswer, HistoryAnswer, LeaderAnswer, Reason } from "../../src/ports/application.ts";

export interface FakeApplication extends Application {
  /** Holds the lock for `remainingMs` from now; a change. Default: a minute. */
  hold(token: number, remainingMs?: number): void;
  /** Holds no lock, and knows this holder; a change. */
  follow(holder: string | null, reason?: Reason): void;
  /** Prolongs the lease; no change of the index. */
  renew(remainingMs: number): void;
  /** From now on `init` and `rescue` are refused with this. */
  refuse(error: Error): void;
  /** What `init` and `rescue` were told. */
  readonly orders: readonly unknown[];
  /** From now on every question and order fails with this; null ends it. */
  breakWith(error: Error | null): void;
  /** Tells the listeners, though nothing has changed. */
  notify(): void;
  /** Called for each resignation instead of the usual answer. */
  onResign(handler: (to: string | null) => Promise<void>): void;
  /** The same for each transfer, which is a resignation else. */
  onTransfer(handler: (to: string | null) => Promise<void>): void;
  setReady(ready: boolean): void;
  /** How many listeners there are. */
  listeners(): number;
  /** How often `leader()` was asked. */
  asked(): number;
}

const NAMES = ["app-0", "app-1", "app-2"];

export function createFakeApplication(self = "app-1", group = "app"): FakeApplication {
  const listeners = new Set<() => void>();
  let index = 0;
  let asked = 0;
  let token: number | null = null;
  let deadlineMs = 0;
  let holder: string | null = null;
  let reason: Reason = "starting";
  let eligible = true;
  let isReady = false;
  let broken: Error | null = null;
  let resign = async (to: string | null): Promise<void> => {
    if (token === null) throw new TenureError("not_holder", `${self} does not hold the lock`);
    if (to !== null && !NAMES.includes(to)) throw new TenureError("unknown_target", `${to} is no voter of the group`);
    change(() => {
      token = null;
      holder = to;
      reason = "follower";
    });
  };
  let transfer: typeof resign | null = null;
  const orders: unknown[] = [];
  let refused: Error | null = null;
  const order = async (what: unknown): Promise<void> => {
    await Promise.resolve();
    if (refused !== null) throw refused;
    orders.push(what);
  };
  const notify = (): void => {
    for (const listener of listeners) listener();
  };
  const change = (apply: () => void): void => {
    apply();
    index += 1;
    notify();
  };
  const check = (): void => {
    if (broken !== null) throw broken;
  };
  return {
    leader(): LeaderAnswer {
      asked += 1;
      check();
      const nowMs = performance.now();
      const isLeader = token !== null && nowMs < deadlineMs;
      return {
        isLeader,
        name: holder,
        self,
        group,
        token: isLeader && token !== null ? fencingToken(token) : null,
        term: term(12),
        remainingMs: isLeader ? Math.floor(deadlineMs - nowMs) : 0,
        deadlineMonotonicNs: isLeader ? String(process.hrtime.bigint() + msToNs(deadlineMs - nowMs)) : null,
        reason,
        index,
      };
    },
    ready: () => isReady,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async resign(to) {
      check();
      await resign(to);
    },
    async transfer(to) {
      check();
      await (transfer ?? resign)(to);
    },
    async init() {
      check();
      await order("init");
    },
    async rescue(confirm, lost) {
      check();
      await order({ confirm, lost });
    },
    async setEligible(wanted) {
      await Promise.resolve();
      check();
      change(() => {
        eligible = wanted;
        if (!wanted) reason = "ineligible";
      });
    },
    eligible() {
      check();
      return eligible;
    },
    cluster() {
      check();
      return clusterAnswer(self, group, holder);
    },
    history() {
      check();
      return historyAnswer(group);
    },
    hold: (newToken, remainingMs = 60_000) =>
      change(() => {
        token = newToken;
        deadlineMs = performance.now() + remainingMs;
        holder = self;
        reason = "holder";
      }),
    follow: (newHolder, newReason = "follower") =>
      change(() => {
        token = null;
        holder = newHolder;
        reason = newReason;
      }),
    renew(remainingMs) {
      deadlineMs = performance.now() + remainingMs;
    },
    notify,
    orders,
    refuse(error) {
      refused = error;
    },
    breakWith(error) {
      broken = error;
    },
    onResign(handler) {
      resign = handler;
    },
    onTransfer(handler) {
      transfer = handler;
    },
    setReady(ready) {
      isReady = ready;
    },
    listeners: () => listeners.size,
    asked: () => asked,
  };
}

function msToNs(durationMs: number): bigint {
  return BigInt(Math.floor(durationMs * 1_000_000));
}

function idOf(name: string): ReturnType<typeof memberId> {
  return memberId(Buffer.from(name.padEnd(16, "_")).toString("hex"));
}

function clusterAnswer(self: string, group: string, holder: string | null): ClusterAnswer {
  return {
    group,
    groupId: "00112233445566778899aabbccddeeff",
    self,
    term: term(12),
    leader: holder,
    holder,
    holderForMs: holder === null ? null : 3_723_000,
    commitIndex: 41,
    lastIndex: 42,
    tokenBase: 251_301_442_093_016,
    leaseDurationMs: 2_000,
    trouble: holder === null ? "no majority of the voters is connected" : null,
    members: NAMES.map((name) => ({
      name,
      id: idOf(name),
      role: name === holder ? ("leader" as const) : ("follower" as const),
      voter: true,
      self: name === self,
      connected: name !== "app-2",
      lastContactMs: name === "app-2" ? null : 17,
      version: name === "app-2" ? null : "0.1.0",
      matchIndex: holder === self ? 41 : null,
      eligible: name === "app-2" ? null : true,
    })),
  };
}

function historyAnswer(group: string): HistoryAnswer {
  const past = (name: string, token: number, end: "released" | "superseded" | "current") => ({
    name,
    id: idOf(name),
    token: fencingToken(token),
    term: term(12),
    end,
  });
  return {
    group,
    tenures: [past("app-1", 251_301_442_093_057, "current"), past("app-0", 251_301_442_093_020, "released")],
  };
}
