/**
 * The example worker: one step of work a second, and only while its pod holds the lock.
 *
 * It asks before every step, acts before the deadline, and takes every error for "not the leader". Its work is a line
 * of the log with the fencing token; yours sends the token along with what it writes.
 *
 * Invariant: no step begins after the deadline that came with the answer.
 */
import { setTimeout as delay } from "node:timers/promises";

const tenure = process.env.TENURE_URL ?? "http://127.0.0.1:4040";
const STEP_MS = 1_000;
const NOBODY = { isLeader: false, name: null, reason: "unknown" };

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => stop.abort());

async function ask(query = "") {
  try {
    const response = await fetch(`${tenure}/leader${query}`, { signal: AbortSignal.timeout(5_000) });
    return await response.json();
  } catch {
    return NOBODY;
  }
}

/** "I have stopped." 409 says that there was nothing to give back. */
async function resign() {
  await fetch(`${tenure}/resign`, { method: "POST", signal: AbortSignal.timeout(5_000) }).catch(() => null);
}

let steps = 0;
let said = "";

function say(text) {
  if (text !== said) console.log(text);
  said = text;
}

while (!stop.signal.aborted) {
  const answer = await ask();
  const leftMs = answer.isLeader ? Number(BigInt(answer.deadlineMonotonicNs) - process.hrtime.bigint()) / 1e6 : 0;
  if (leftMs > 0) {
    steps += 1;
    say(`${answer.self} holds the lock: step ${steps} with token ${answer.token}, ${Math.floor(leftMs)} ms left`);
    await delay(STEP_MS);
  } else if (answer.reason === "draining") {
    await resign(); // no step is under way here, so this is true: "I have stopped"
    await delay(100);
  } else if (answer.index === undefined) {
    say("no answer from the sidecar");
    await delay(100);
  } else {
    say(`${answer.self} stands by: ${answer.name ?? "nobody"} holds the lock (${answer.reason})`);
    // Returns early when something changes.
    await ask(`?index=${answer.index}&wait=2s`);
  }
}
await resign();
console.log("stopped");
