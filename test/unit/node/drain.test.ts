/** Draining: neither too early for the application nor for ever (DESIGN, Draining; cilium#42920). */
import { describe, expect, it } from "vitest";
import { holderMs, monotonicMs, type Now } from "../../../src/base/types.ts";
import { Drain } from "../../../src/node/drain.ts";

function at(monotonic: number, holder = monotonic): Now {
  return { monotonicMs: monotonicMs(monotonic), holderMs: holderMs(holder) };
}

describe("a drain", () => {
  it("lasts until the drain time is out", () => {
    const drain = new Drain("signal", monotonicMs(0), 10_000, holderMs(800));
    expect(drain.over(at(9_999))).toBe(false);
    expect(drain.over(at(10_000))).toBe(true);
  });

  it("lasts until the last deadline given has passed, if that is later", () => {
    const drain = new Drain("signal", monotonicMs(0), 0, holderMs(800));
    expect(drain.over(at(799))).toBe(false);
    expect(drain.wakeMs(at(500))).toBe(300);
    expect(drain.over(at(800))).toBe(true);
  });

  it("measures deadlines on the holder clock", () => {
    const drain = new Drain("signal", monotonicMs(0), 0, holderMs(800));
    expect(drain.over(at(300, 800)), "the machine was suspended for half a second").toBe(true);
  });

  it("is over at once when the application confirms", () => {
    const drain = new Drain("ineligible", monotonicMs(0), 10_000, holderMs(800));
    drain.confirm("app-2");
    expect(drain.over(at(1))).toBe(true);
    expect(drain.to).toBe("app-2");
  });

  it("keeps the target of whoever ordered it when the application confirms without one", () => {
    const drain = new Drain("transfer", monotonicMs(0), 10_000, holderMs(800));
    drain.aim("app-1");
    drain.aim(null);
    drain.confirm(null);
    expect(drain.to).toBe("app-1");
    drain.aim("app-2");
    expect(drain.to, "the last wish counts").toBe("app-2");
  });
});
