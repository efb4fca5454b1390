/** The clocks of the machine that runs this test. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { monotonicMs } from "../../../src/base/types.ts";
import { SystemClock } from "../../../src/clock/system-clock.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the system clock", () => {
  it("reads CLOCK_MONOTONIC, to the nanoseconds that a pod's containers share", () => {
    const clock = new SystemClock();
    const before = process.hrtime.bigint();
    const now = clock.toMonotonicNs(clock.now().monotonicMs);
    const after = process.hrtime.bigint();
    clock.close();
    expect(now).toBeGreaterThanOrEqual(before - 1_000n);
    expect(now).toBeLessThanOrEqual(after);
  });

  it("ends everything when CLOCK_MONOTONIC goes back", () => {
    const clock = new SystemClock();
    vi.spyOn(process.hrtime, "bigint").mockReturnValueOnce(5_000_000n).mockReturnValueOnce(4_999_999n);
    clock.monotonic();
    expect(() => clock.monotonic()).toThrow(expect.objectContaining({ code: "clock_backwards" }));
    clock.close();
  });

  it("takes suspensions from the boot-time clock", () => {
    const directory = mkdtempSync(join(tmpdir(), "tenure-clock-"));
    const path = join(directory, "uptime");
    writeFileSync(path, "1000.00 4000.00\n");
    const clock = new SystemClock(path);
    const before = clock.now();
    writeFileSync(path, "1060.00 4000.00\n");
    const after = clock.now();
    clock.close();
    rmSync(directory, { recursive: true });
    expect(after.monotonicMs - before.monotonicMs).toBeLessThan(30_000);
    expect(after.holderMs - before.holderMs).toBeGreaterThanOrEqual(60_000);
  });

  it("runs on CLOCK_MONOTONIC alone where there is no boot-time clock", () => {
    const clock = new SystemClock("/nonexistent");
    const { monotonicMs: monotonic, holderMs } = clock.now();
    expect(holderMs).toBe(monotonic);
  });

  it("wakes not before the instant asked for by more than a timer's step, and not when cancelled", async () => {
    const clock = new SystemClock();
    const at = monotonicMs(clock.monotonic() + 20);
    const cancel = clock.wakeAt(at, () => expect.unreachable("it was cancelled"));
    cancel();
    const woken = await new Promise<number>((resolve) => clock.wakeAt(at, () => resolve(clock.monotonic())));
    clock.close();
    expect(woken).toBeGreaterThanOrEqual(at - 1);
  });
});
