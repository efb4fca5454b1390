/**
 * The application: what somebody would write who has only read the lock API's page. One such process runs in each pod.
 *
 * It asks `/leader` every 20 ms and writes to the ledger for as long as it is the leader *and* before its deadline,
 * which it counts from the moment at which it sent the question. Whatever else it hears, it stops at once.
 *
 * Invariant: every write is decided on a fresh look at the clock and carries the token. After "I hand over", no answer
 * to a question asked before counts any more.
 *
 * Deliberately absent: imports from the sidecar. HTTP is all that they share.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Attempt } from "./evidence.ts";
import { machineMs } from "./machine-clock.ts";
import type { Order, Report, StopReason } from "./worker-talk.ts";

const POLL_INTERVAL_MS = 20;
const WRITE_INTERVAL_MS = 20;
/** Longer than any lease here: a sidecar that is paused says nothing, and the deadline is what stops the worker. */
const ANSWER_TIMEOUT_MS = 30_000;

interface Lease {
  readonly token: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The fields of `/leader` that matter here. */
interface LeaderAnswer {
  readonly isLeader: boolean;
  readonly token: number | null;
  readonly remainingMs: number;
  readonly reason: string;
}

const { NAME: name = "", LOCK_API: lockApi = "", LEDGER: ledger = "" } = process.env;

let lease: Lease | null = null;
/** Answers to questions asked before this instant are out of date. */
let ignoreBeforeMs = 0;
/** Whether the end of this drain, or of a drain with nothing to finish, has been confirmed. */
let confirmed = false;
let write: Promise<void> = Promise.resolve();
let sleepBeforeNextWrite = false;

function tell(report: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(report, () => resolve());
  });
}

async function post(url: string, body: object): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

function stop(reason: StopReason): void {
  if (lease === null) return;
  void tell({ report: "stopped", token: lease.token, reason });
  lease = null;
}

async function poll(): Promise<void> {
  for (;;) {
    const askedAtMs = machineMs();
    try {
      const response = await fetch(`${lockApi}/leader`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      // The lock API's contract; a field that is missing compares as "not the leader".
      obey((await response.json()) as LeaderAnswer, askedAtMs);
    } catch {
      stop("unanswered");
    }
    await delay(POLL_INTERVAL_MS);
  }
}

function obey(answer: LeaderAnswer, askedAtMs: number): void {
  if (askedAtMs < ignoreBeforeMs) return;
  if (answer.isLeader && answer.token !== null) {
    const isNews = lease?.token !== answer.token;
    // An answer that was long on its way takes nothing back from what an earlier one has given.
    const givenMs = lease === null || isNews ? 0 : lease.untilMs;
    const untilMs = Math.max(givenMs, askedAtMs + answer.remainingMs);
    lease = { token: answer.token, fromMs: machineMs(), untilMs };
    confirmed = false;
    if (isNews) void tell({ report: "began", token: answer.token });
  } else if (answer.reason === "draining" && !confirmed) {
    confirmed = true;
    void handOver(null, "draining");
  } else {
    stop("told");
  }
}

async function act(): Promise<void> {
  for (;;) {
    const decidedAtMs = machineMs();
    if (lease !== null && decidedAtMs >= lease.untilMs) stop("deadline");
    if (lease !== null) {
      write = append({ worker: name, decidedAtMs, ...lease });
      await write;
    }
    await delay(WRITE_INTERVAL_MS);
  }
}

/** The lease was looked at when this is called; whatever delays the write from here on is for the fence to catch. */
async function append(attempt: Attempt): Promise<void> {
  if (sleepBeforeNextWrite) {
    sleepBeforeNextWrite = false;
    await tell({ report: "asleep", token: attempt.token });
    process.kill(process.pid, "SIGSTOP");
  }
  try {
    const status = await post(`${ledger}/entries`, attempt);
    if (status === 409 && lease?.token === attempt.token) stop("refused");
  } catch {
    // A ledger that is gone ends the demo, not the lease.
  }
}

/** The order matters: no new write, the last write done, the stop on record, and only then the resignation. */
async function handOver(to: string | null, reason: "handover" | "draining"): Promise<void> {
  const token = lease?.token;
  stop(reason);
  ignoreBeforeMs = Number.POSITIVE_INFINITY;
  let status = 0;
  try {
    await write;
    if (token !== undefined) await post(`${ledger}/stops`, { worker: name, token, atMs: machineMs() });
    status = await post(`${lockApi}/resign`, to === null ? {} : { to });
  } catch {
    // Status 0 says it: the sidecar is gone, and with it the lock.
  }
  ignoreBeforeMs = machineMs();
  await tell({ report: "handedOver", status });
}

process.on("message", (order: Order) => {
  if (order.order === "sleep") sleepBeforeNextWrite = true;
  else void handOver(order.to, "handover");
});
// Without the demo there is nobody to write for.
process.on("disconnect", () => process.exit(0));

await Promise.all([poll(), act()]);
