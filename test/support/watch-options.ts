/** What the metrics are told beside the sample of the node: settings, clocks that stand still, no certificate. */
import { holderMs, monotonicMs } from "../../src/base/types.ts";
import type { WatchOptions } from "../../src/ops/watch-metrics.ts";

export function watchOptions(change: Partial<WatchOptions> = {}): WatchOptions {
  return {
    leaseDurationMs: 2_000,
    clockDrift: 0.1,
    replicas: 3,
    now: () => ({ monotonicMs: monotonicMs(5_000), holderMs: holderMs(5_000) }),
    members: () => [],
    rescueNeeded: () => false,
    certificateNotAfterMs: () => null,
    ...change,
  };
}
