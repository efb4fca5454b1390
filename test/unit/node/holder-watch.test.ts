/** Who holds the lock, and for how long this node has known it. */
import { describe, expect, it } from "vitest";
import { fencingToken, logIndex, memberId, monotonicMs, term } from "../../../src/base/types.ts";
import type { Tenure } from "../../../src/lease/register.ts";
import { HolderWatch } from "../../../src/node/holder-watch.ts";

function tenure(ordinal: number, claim: number): Tenure {
  const holder = { id: memberId(String(ordinal).repeat(32)), name: `app-${ordinal}` };
  return { holder, claim: logIndex(claim), term: term(1), token: fencingToken(100 + claim), released: false };
}

describe("a tenure", () => {
  const first = tenure(0, 2);
  const second = tenure(1, 5);

  it("is known from when it was first seen, through a moment without contact", () => {
    const watch = new HolderWatch(monotonicMs(0));
    watch.update(first, false, monotonicMs(1_000));
    watch.update(null, false, monotonicMs(1_500));
    watch.update(first, false, monotonicMs(1_600));
    expect(watch.knownForMs(first, monotonicMs(3_000.4))).toBe(2_000);
  });

  it("that is new begins anew, also before it was reported", () => {
    const watch = new HolderWatch(monotonicMs(0));
    expect(watch.knownForMs(first, monotonicMs(900))).toBe(0);
    watch.update(first, false, monotonicMs(1_000));
    expect(watch.knownForMs(second, monotonicMs(4_000))).toBe(0);
    watch.update(second, false, monotonicMs(4_000));
    expect(watch.knownForMs(second, monotonicMs(4_250))).toBe(250);
  });
});
