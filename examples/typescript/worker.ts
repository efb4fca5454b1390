/**
 * A worker in TypeScript for Node 24, without packages: it works while its pod holds the lock.
 *
 * `/watch` says when to begin and when to stop; a step that is under way is then aborted. For how long to act, each
 * step asks `/leader`: renewals are no events. Whatever is not a clear "yes" means "not the leader", and a watch that
 * breaks is no "yes". The token goes with every write, and the resource refuses an older one.
 *
 * process.hrtime is CLOCK_MONOTONIC on Linux, the clock of deadlineMonotonicNs, and the containers of a pod share it.
 *
 * TENURE_URL: the lock API. STORE_URL: what the work writes to.
 */
import { setTimeout as delay } from "node:timers/promises";

const { TENURE_URL: tenure = "http://127.0.0.1:4040", STORE_URL: store = "http://127.0.0.1:8080/" } = process.env;

/** The fields of `/leader` that matter here. */
interface Leader {
  readonly isLeader: boolean;
  readonly self: string;
  readonly token: number | null;
  readonly deadlineMonotonicNs: string | null;
  readonly reason: string;
}

const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGINT", () => stop.abort());

async function ask(lost: AbortSignal): Promise<Leader> {
  const response = await fetch(`${tenure}/leader`, { signal: AbortSignal.any([lost, AbortSignal.timeout(2_000)]) });
  return (await response.json()) as Leader;
}

/** The state at once and at each change; ends or throws when the sidecar is gone. */
async function* watch(signal: AbortSignal): AsyncGenerator<Leader> {
  const response = await fetch(`${tenure}/watch`, { signal });
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const events = `${text}${chunk}`.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data) as Leader;
    }
  }
}

/** "I have stopped." 409 says that there was nothing to give back. */
async function resign(): Promise<void> {
  await fetch(`${tenure}/resign`, { method: "POST", signal: AbortSignal.timeout(5_000) }).catch(() => null);
}

async function step(token: number, body: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(store, { method: "PUT", headers: { "Fencing-Token": String(token) }, body, signal });
  if (!response.ok) throw new Error(await response.text());
}

// [readme]
/** Ends when `lost` is aborted, and never acts after a deadline. */
async function work(lost: AbortSignal): Promise<void> {
  for (let steps = 1; !lost.aborted; steps += 1) {
    try {
      const { isLeader, self, token, deadlineMonotonicNs } = await ask(lost);
      const leftMs = Math.floor(Number(BigInt(deadlineMonotonicNs ?? 0) - process.hrtime.bigint()) / 1e6);
      if (isLeader && token !== null && leftMs > 0) {
        await step(token, `${self} step ${steps}`, AbortSignal.any([lost, AbortSignal.timeout(leftMs)]));
      }
    } catch (error) {
      console.error(`step failed: ${String(error)}`);
    }
    await delay(100, undefined, { signal: lost }).catch(() => null);
  }
}

while (!stop.signal.aborted) {
  let lost = new AbortController();
  let working = Promise.resolve();
  try {
    for await (const { isLeader, reason } of watch(stop.signal)) {
      lost.abort();
      await working; // nothing is under way any more: "I have stopped" is true
      if (reason === "draining") await resign();
      lost = new AbortController();
      working = isLeader ? work(lost.signal) : Promise.resolve();
    }
  } catch {
    // The sidecar is away, or this worker shall stop.
  }
  lost.abort();
  await working;
  await delay(100);
}
await resign();
// [/readme]
