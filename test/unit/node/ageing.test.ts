/** The timer of answers that grow old. */
import { describe, expect, it } from "vitest";
import { holderMs, type MonotonicMs, monotonicMs } from "../../../src/base/types.ts";
import { Ageing } from "../../../src/node/ageing.ts";
import type { Clock } from "../../../src/ports/clock.ts";

/** A clock whose timers fire when the test says so. */
class HandClock implements Clock {
  nowMs = 0;
  readonly armed = new Map<() => void, number>();
  arms = 0;

  now(): ReturnType<Clock["now"]> {
    return { monotonicMs: monotonicMs(this.nowMs), holderMs: holderMs(this.nowMs) };
  }

  monotonic(): MonotonicMs {
    return monotonicMs(this.nowMs);
  }

  toMonotonicNs(): bigint {
    return 0n;
  }

  wallSeconds(): number {
    return 0;
  }

  wakeAt(at: MonotonicMs, callback: () => void): () => void {
    this.arms += 1;
    this.armed.set(callback, at);
    return () => this.armed.delete(callback);
  }

  to(ms: number): void {
    this.nowMs = ms;
    for (const [callback, at] of this.armed) {
      if (at <= ms && this.armed.delete(callback)) callback();
    }
  }
}

function ageing(ends: number[]): { clock: HandClock; timer: Ageing; aged: number[] } {
  const clock = new HandClock();
  const aged: number[] = [];
  const next = (): MonotonicMs | null => {
    const ahead = ends.filter((end) => end > clock.nowMs);
    return ahead.length === 0 ? null : monotonicMs(Math.min(...ahead));
  };
  return { clock, timer: new Ageing(clock, next, () => aged.push(clock.nowMs)), aged };
}

describe("ageing", () => {
  it("tells of each instant, one after the other, and then of none", () => {
    const { clock, timer, aged } = ageing([100, 250]);
    timer.look();
    for (let ms = 0; ms <= 400; ms += 10) clock.to(ms);
    expect(aged).toEqual([100, 250]);
    expect(clock.armed.size).toBe(0);
  });

  it("is in time when the instant moves nearer, and leaves its timer alone when it moves away", () => {
    const ends = [100];
    const { clock, timer, aged } = ageing(ends);
    timer.look();
    for (let ms = 10; ms <= 90; ms += 10) {
      clock.to(ms);
      ends[0] = 100 + ms;
      timer.look();
    }
    expect(clock.arms).toBe(1);
    ends[0] = 95;
    timer.look();
    clock.to(95);
    expect(aged).toEqual([95]);
  });

  it("looks again at a timer that came early", () => {
    const ends = [100];
    const { clock, timer, aged } = ageing(ends);
    timer.look();
    ends[0] = 300;
    clock.to(100);
    clock.to(299);
    expect(aged).toEqual([100]);
    clock.to(300);
    expect(aged).toEqual([100, 300]);
  });

  it("stops, and does not begin again", () => {
    const { clock, timer, aged } = ageing([100]);
    timer.look();
    timer.stop();
    timer.look();
    clock.to(200);
    expect(aged).toEqual([]);
    expect(clock.armed.size).toBe(0);
  });
});
