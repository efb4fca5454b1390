/** The holder clock: the fastest of both, in spite of the steps of /proc/uptime (DESIGN, Clocks). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { monotonicMs } from "../../../src/base/types.ts";
import { HolderClock } from "../../../src/clock/holder-clock.ts";

function uptime(trueMs: number): number {
  return Math.floor(trueMs / 10) * 10;
}

describe("the holder clock", () => {
  it("runs with CLOCK_MONOTONIC where there is no boot-time clock", () => {
    const clock = new HolderClock();
    expect(clock.read(monotonicMs(100), null)).toBe(100);
    expect(clock.read(monotonicMs(350), null)).toBe(350);
  });

  it("shows a suspension that CLOCK_MONOTONIC does not", () => {
    const clock = new HolderClock();
    const before = clock.read(monotonicMs(1_000), uptime(5_000));
    const after = clock.read(monotonicMs(1_001), uptime(5_000 + 1 + 3_600_000));
    expect(after - before).toBeGreaterThanOrEqual(3_600_001 - 10);
    expect(after - before).toBeLessThanOrEqual(3_600_001 + 10);
  });

  it("never goes back, and is behind neither clock by more than a step, whatever is suspended when", () => {
    const spans = fc.array(
      fc.record({
        run: fc.double({ min: 0, max: 500, noNaN: true }),
        suspended: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 })),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(spans, fc.double({ min: 0, max: 1e6, noNaN: true }), (steps, offset) => {
        const clock = new HolderClock();
        let monotonic = 0;
        let boot = offset;
        const first = clock.read(monotonicMs(monotonic), uptime(boot));
        let last = first;
        for (const { run, suspended } of steps) {
          const [fromMonotonic, fromBoot, fromHolder] = [monotonic, boot, last];
          monotonic += run;
          boot += run + suspended;
          last = clock.read(monotonicMs(monotonic), uptime(boot));
          expect(last).toBeGreaterThanOrEqual(fromHolder);
          expect(last - fromHolder).toBeGreaterThanOrEqual(monotonic - fromMonotonic - 1e-6);
          // The file is rounded down to 10 ms.
          expect(last - fromHolder).toBeGreaterThanOrEqual(boot - fromBoot - 10 - 1e-6);
        }
      }),
    );
  });
});
