/** The runner: persist, then send, then tell (DESIGN, section 4). */
import { describe, expect, it } from "vitest";
import {
  holderMs,
  logIndex,
  memberId,
  type MonotonicMs,
  monotonicMs,
  type Now,
  term,
} from "../../../src/base/types.ts";
import { CoreRunner, merge } from "../../../src/node/runner.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Append, Storage } from "../../../src/ports/storage.ts";
import { Core } from "../../../src/raft/core.ts";
import type { Effects } from "../../../src/raft/effect.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import { memberAt, TOKEN_BASE } from "../../support/cluster.ts";

class ManualClock implements Clock {
  nowMs = 0;
  readonly wakes: { at: MonotonicMs; callback: () => void }[] = [];

  now(): Now {
    return { monotonicMs: monotonicMs(this.nowMs), holderMs: holderMs(this.nowMs) };
  }
  monotonic(): MonotonicMs {
    return monotonicMs(this.nowMs);
  }
  toMonotonicNs(instant: MonotonicMs): bigint {
    return BigInt(Math.floor(instant)) * 1_000_000n;
  }
  wallSeconds(): number {
    return 0;
  }
  wakeAt(at: MonotonicMs, callback: () => void): () => void {
    const wake = { at, callback };
    this.wakes.push(wake);
    return () => this.wakes.splice(this.wakes.indexOf(wake), 1);
  }
}

interface Rig {
  readonly runner: CoreRunner;
  readonly clock: ManualClock;
  readonly trace: string[];
  readonly failures: unknown[];
  finishSync: (error?: Error) => void;
}

/** One voter of three, whose disk finishes only when it is told to. */
function rig(): Rig {
  const clock = new ManualClock();
  const trace: string[] = [];
  const failures: unknown[] = [];
  const members = [0, 1, 2].map(memberAt);
  const core = new Core({
    self: memberAt(0),
    timing: { leaseDurationMs: 1_000, clockDrift: 0.1, heartbeatIntervalMs: 100 },
    priority: 0,
    seed: 1,
    base: { index: logIndex(0), term: term(0), configuration: { voters: members, learners: [] } },
    tokenBase: TOKEN_BASE,
    lock: [],
    removed: [],
    hardState: { term: term(0), votedFor: null, largestPromiseMs: 0 },
    entries: [],
    bootedAt: clock.now(),
  });
  const made: Rig = {
    clock,
    trace,
    failures,
    finishSync: () => undefined,
    runner: new CoreRunner({
      core,
      clock,
      storage: {
        append: (batch: Append) => {
          trace.push(`sync ${batch.hardState?.term ?? "-"} ${batch.entries.length}`);
          return new Promise<void>((resolve, reject) => {
            made.finishSync = (error) => (error === undefined ? resolve() : reject(error));
          });
        },
      } as Pick<Storage, "append"> as Storage,
      saveSnapshot: async () => undefined,
      send: (to, message) => trace.push(`send ${to.name} ${message.kind}`),
      done: (batch) => trace.push(`done ${batch.length}`),
      fail: (error) => failures.push(error),
    }),
  };
  return made;
}

function voteRequest(from: number, inTerm: number): Parameters<CoreRunner["offer"]>[0] {
  const message = { kind: "voteRequest", term: term(inTerm), lastIndex: logIndex(0), lastTerm: term(0) } as const;
  return { kind: "message", from: memberAt(from), message };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe("the runner", () => {
  it("sends a vote only once it is durable", async () => {
    const made = rig();
    made.runner.offer(voteRequest(1, 1));
    await turn();
    expect(made.trace, "the disk has not answered").toEqual(["sync 1 0"]);
    made.finishSync();
    await turn();
    expect(made.trace).toEqual(["sync 1 0", "send m1 voteReply", "done 1"]);
  });

  it("steps what waited for the disk together, and syncs it once", async () => {
    const made = rig();
    made.runner.offer(voteRequest(1, 1));
    await turn();
    made.runner.offer(voteRequest(2, 2));
    made.runner.offer(voteRequest(1, 3));
    made.finishSync();
    await turn();
    expect(made.trace).toEqual(["sync 1 0", "send m1 voteReply", "done 1", "sync 3 0"]);
    made.finishSync();
    await turn();
    expect(made.trace.slice(4)).toEqual(["send m2 voteReply", "send m1 voteReply", "done 2"]);
  });

  it("ends, and sends nothing, when the disk fails", async () => {
    const made = rig();
    made.runner.offer(voteRequest(1, 1));
    await turn();
    const error = new Error("EIO");
    made.finishSync(error);
    await turn();
    made.runner.offer(voteRequest(2, 2));
    await turn();
    expect(made.failures).toEqual([error]);
    expect(made.trace).toEqual(["sync 1 0"]);
  });

  it("says how long the disk has been busy", async () => {
    const made = rig();
    made.runner.offer(voteRequest(1, 1));
    await turn();
    made.clock.nowMs = 700;
    expect(made.runner.syncingMs(made.clock.monotonic())).toBe(700);
    made.finishSync();
    await turn();
    expect(made.runner.syncingMs(made.clock.monotonic())).toBe(0);
  });

  it("keeps one timer, at the core's next instant", async () => {
    const made = rig();
    made.runner.start();
    expect(made.clock.wakes).toHaveLength(1);
    made.runner.offer(voteRequest(1, 1));
    await turn();
    made.finishSync();
    await turn();
    expect(made.clock.wakes).toHaveLength(1);
  });
});

describe("an input that is offered from within", () => {
  it("waits for its turn: two writes never overlap", async () => {
    const clock = new ManualClock();
    let writing = 0;
    let most = 0;
    // Every other step has something to write.
    let steps = 0;
    const core = {
      step: (): Effects => {
        steps += 1;
        const persist = steps % 2 === 0 ? { entries: [] } : null;
        return { persist, snapshot: null, send: [], apply: [], events: [] };
      },
      wakeAt: () => monotonicMs(1_000_000),
    };
    const runner: CoreRunner = new CoreRunner({
      core: core as unknown as Core,
      clock,
      storage: {
        append: async () => {
          writing += 1;
          most = Math.max(most, writing);
          await turn();
          writing -= 1;
        },
      } as Pick<Storage, "append"> as Storage,
      saveSnapshot: async () => undefined,
      send: () => undefined,
      done: () => {
        if (steps < 10) runner.offer({ kind: "tick" });
      },
      fail: (error) => {
        throw error;
      },
    });
    await Promise.all([runner.perform({ kind: "tick" }), runner.perform({ kind: "tick" })]);
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect(steps).toBe(10);
    expect(most).toBe(1);
  });
});

function effects(persist: Append): Effects {
  return { persist, snapshot: null, send: [], apply: [], events: [] };
}

function noop(index: number, inTerm: number): Entry {
  return { kind: "noop", index: logIndex(index), term: term(inTerm) };
}

describe("merging appends", () => {
  it("is as if each had been made durable in turn", () => {
    const voter = memberId("1".padStart(32, "0"));
    const merged = merge([
      effects({ entries: [noop(5, 1), noop(6, 1)], hardState: { term: term(1), votedFor: null, largestPromiseMs: 0 } }),
      effects({ truncateAfter: logIndex(5), entries: [noop(6, 2)] }),
      effects({
        truncateAfter: logIndex(3),
        entries: [noop(4, 3)],
        hardState: { term: term(3), votedFor: voter, largestPromiseMs: 9 },
      }),
      effects({ entries: [noop(5, 3)] }),
    ]);
    expect(merged).toEqual({
      truncateAfter: 3,
      entries: [noop(4, 3), noop(5, 3)],
      hardState: { term: 3, votedFor: voter, largestPromiseMs: 9 },
    });
  });

  it("cuts nothing off the disk that only this batch has added", () => {
    const merged = merge([
      effects({ entries: [noop(5, 3), noop(6, 3)] }),
      effects({ truncateAfter: logIndex(5), entries: [noop(6, 4)] }),
    ]);
    expect(merged).toEqual({ entries: [noop(5, 3), noop(6, 4)] });
    const all = merge([
      effects({ entries: [noop(5, 3)] }),
      effects({ truncateAfter: logIndex(4), entries: [noop(5, 4)] }),
    ]);
    expect(all).toEqual({ entries: [noop(5, 4)] });
  });

  it("is nothing when nothing changed", () => {
    expect(merge([{ persist: null, snapshot: null, send: [], apply: [], events: [] }])).toBeNull();
  });
});
