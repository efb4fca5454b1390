/**
 * A witness: the application beside a sidecar, as its page tells people to write one. One process in each pod.
 *
 * It asks `/leader` all the time and believes the answer up to its deadline: `deadlineMonotonicNs`, or, on a pod whose
 * clock is faked, from the start of the question `remainingMs` of that pod's own time (RATE: the application of a real
 * pod shares the clock of its sidecar). While it believes, it writes to the ledger. After each tenure it sends one more
 * write with the old token, which the ledger must refuse once a newer one was used.
 *
 * Invariant: a claim is reported no later than the first write under it. A status other than 200 ends the belief.
 *
 * Deliberately absent: any judgement, see oracle.ts; any knowledge of faults.
 */
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { machineMs } from "../../../demo/machine-clock.ts";
import type { Leader } from "../../support/sidecar.ts";
import type { Order, Report } from "./witness-talk.ts";

const POLL_MS = 12;
const WRITE_MS = 30;
const NS_PER_MS = 1_000_000;
/** Deadlines come in whole ns and go through a double of ms: less than this is rounding. */
const ROUNDING_MS = 0.001;
/** A fast one shows the fence at work while the successor has hardly begun, a slow one when it is well under way. */
const MAX_LATENESS_MS = 2_500;

interface Belief {
  readonly token: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

const { RATE = "" } = process.env;
/** Empty: the sidecar's clock is the machine's. */
const rate = RATE === "" ? null : Number(RATE);
const agent = new Agent({ keepAlive: true, maxSockets: 2 });

let port: number | null = null;
let belief: Belief | null = null;
let last = "";
/** Answers to questions asked before this instant are out of date. */
let ignoreBeforeMs = 0;
/** The newest token that was believed, that was stopped, and that the sidecar has taken back with a 200. */
let heldToken = 0;
let stoppedToken = 0;
let releasedToken = 0;

function tell(report: Report): void {
  if (process.connected) process.send?.(report);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function http(method: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (port === null) return reject(new Error("the sidecar is not there"));
    const sent = request({ host: "127.0.0.1", port, method, path, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once("error", reject);
    sent.end(method === "POST" ? "{}" : undefined);
  });
}

async function poll(): Promise<void> {
  for (;;) {
    const askedAtMs = machineMs();
    try {
      const { status, text } = await http("GET", "/leader");
      // The lock API's contract; a field that is missing compares as "not the leader".
      obey(status, JSON.parse(text) as Leader, askedAtMs);
    } catch {
      unbelieve();
      note(0, "", null);
    }
    await delay(POLL_MS);
  }
}

function obey(status: number, answer: Leader, askedAtMs: number): void {
  const { isLeader, token, remainingMs, reason, name } = answer;
  note(status, reason, name);
  if ((status === 200) !== isLeader) tell({ report: "broken", text: `status ${status} with isLeader ${isLeader}` });
  if (askedAtMs < ignoreBeforeMs) return;
  if (status !== 200 || token === null) {
    unbelieve();
    if (reason === "draining" && heldToken > stoppedToken) void resign(heldToken);
    return;
  }
  if (token <= releasedToken) tell({ report: "broken", text: `token ${token} was released and is claimed again` });
  if (token <= stoppedToken) return;
  const untilMs = deadlineOf(answer, askedAtMs);
  // The sidecar looked at its clock after it was asked.
  if (rate === null && untilMs < askedAtMs - ROUNDING_MS) {
    const overMs = (askedAtMs - untilMs).toFixed(3);
    tell({ report: "broken", text: `200 to a question asked ${overMs} ms after its own deadline (token ${token})` });
  }
  if (remainingMs < 0) tell({ report: "broken", text: `200 with ${remainingMs} ms remaining` });
  const nowMs = machineMs();
  if (nowMs >= untilMs) return;
  const renewed = belief !== null && belief.token === token ? belief : null;
  if (renewed !== null && untilMs <= renewed.untilMs) return;
  if (renewed === null) unbelieve();
  belief = { token, fromMs: renewed?.fromMs ?? nowMs, untilMs };
  heldToken = token;
  tell({ report: "claim", ...belief });
}

/** Until when an application of that pod goes by this answer, on the true clock. */
function deadlineOf({ deadlineMonotonicNs, remainingMs }: Leader, askedAtMs: number): number {
  if (rate === null && deadlineMonotonicNs !== null) return Number(deadlineMonotonicNs) / NS_PER_MS;
  return askedAtMs + remainingMs / (rate ?? 1);
}

function note(status: number, reason: string, holder: string | null): void {
  const text = `${status} ${reason} ${holder}`;
  if (text === last) return;
  last = text;
  tell({ report: "answer", atMs: machineMs(), status, reason, holder });
}

function unbelieve(): void {
  if (belief === null) return;
  const old = belief;
  belief = null;
  setTimeout(() => write(old, true), Math.random() * MAX_LATENESS_MS);
}

function write({ token, untilMs }: Belief, late: boolean): void {
  tell({ report: "write", token, decidedAtMs: machineMs(), untilMs, late });
}

/** The lease is looked at right before every write. */
async function act(): Promise<void> {
  for (;;) {
    if (belief !== null && machineMs() >= belief.untilMs) unbelieve();
    if (belief !== null) write(belief, false);
    await delay(WRITE_MS);
  }
}

/** The order matters: the belief ends, the end is on record, and only then the sidecar hears of it. */
async function resign(token: number): Promise<void> {
  if (token === 0) tell({ report: "stop", token: null, atMs: machineMs() });
  if (token > stoppedToken) {
    stoppedToken = token;
    unbelieve();
    tell({ report: "stop", token, atMs: machineMs() });
  }
  ignoreBeforeMs = Number.POSITIVE_INFINITY;
  let status = 0;
  try {
    ({ status } = await http("POST", "/resign"));
  } catch {
    // Status 0 says it: the sidecar is gone, and with it the lock.
  }
  ignoreBeforeMs = machineMs();
  if (status === 200) releasedToken = stoppedToken;
  tell({ report: "resigned", status });
}

process.on("message", (order: Order) => {
  if (order.order === "ask") ({ port } = order);
  else void resign(belief?.token ?? 0);
});
// Without the test-bed there is nobody to tell.
process.on("disconnect", () => process.exit(0));

await Promise.all([poll(), act()]);
