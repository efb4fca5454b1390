/** Who waits at a standby for a change hears of each, although others poll and scrape the same sidecar. */
import { get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Leader, Sidecar } from "../support/sidecar.ts";
import { startGroup } from "../support/process-test.ts";

/** Much shorter than the time between two changes, so that a poll sees each of them first. */
const POLL_MS = 20;

/** All states that `/watch` has sent so far. */
function watching(sidecar: Sidecar): readonly Leader[] {
  const seen: Leader[] = [];
  const sent = get({ host: "127.0.0.1", port: sidecar.ports.api, path: "/watch", agent: false }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const data = /^data: (.*)$/mu.exec(text.slice(0, end))?.[1];
        // The lock API's contract.
        if (data !== undefined) seen.push(JSON.parse(data) as Leader);
        text = text.slice(end + 2);
      }
    });
    response.on("error", () => undefined);
  });
  sent.on("error", () => undefined);
  onTestFinished(() => void sent.destroy());
  return seen;
}

/** Polls and scrapes until it is told to stop; the reasons and indexes that were seen. */
function polling(sidecar: Sidecar): { readonly seen: readonly Leader[]; readonly stop: () => Promise<void> } {
  const seen: Leader[] = [];
  const stop = new AbortController();
  const done = (async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const answer = await sidecar.leader();
      if (answer.index !== seen.at(-1)?.index) seen.push(answer);
      await sidecar.metric("tenure_is_leader");
      await delay(POLL_MS);
    }
  })();
  return {
    seen,
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

describe("a watcher of a standby beside a poller", () => {
  it("hears that the holder is gone, and that there is no quorum, and of each change that the poller saw", async () => {
    const group = await startGroup({ size: 3 });
    const holder = await group.agreed();
    const [standby, other] = group.othersThan(holder);
    if (standby === undefined || other === undefined) throw new Error("there are three");
    const told = watching(standby);
    await group.until("the state as it is", () => (told.length > 0 ? true : null));
    const poller = polling(standby);
    await Promise.all([holder.crash(), other.crash()]);
    await group.until("no-quorum", () => (poller.seen.at(-1)?.reason === "no-quorum" ? true : null));
    await poller.stop();
    const last = poller.seen.at(-1)?.index ?? 0;
    await group.until("the last change", () => ((told.at(-1)?.index ?? 0) >= last ? true : null));
    expect(told.at(-1)).toMatchObject({ isLeader: false, name: null, reason: "no-quorum" });
    const indexes = told.map(({ index }) => index);
    expect(indexes).toEqual(expect.arrayContaining(poller.seen.map(({ index }) => index)));
  });

  it("has its long poll answered by a change that time alone brought, long before the wait is over", async () => {
    const group = await startGroup({ size: 3 });
    const holder = await group.agreed();
    const [standby, other] = group.othersThan(holder);
    if (standby === undefined || other === undefined) throw new Error("there are three");
    const { index } = await standby.leader();
    const answered = standby.ask("GET", `/leader?index=${index}&wait=5m`);
    const poller = polling(standby);
    await Promise.all([holder.crash(), other.crash()]);
    const { text } = await answered;
    await poller.stop();
    expect((JSON.parse(text) as Leader).index).toBeGreaterThan(index);
  });
});
