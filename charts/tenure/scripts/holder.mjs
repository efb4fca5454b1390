/**
 * `helm test`: asks the operations port of every pod of the group who holds. Status 0 when every pod has answered and
 * one of them holds, before the deadline; 1 otherwise.
 *
 * Invariant: pods that do not answer are never taken for pods that do not hold.
 */
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const { SERVICE = "", PORT = "9464", REPLICAS = "", DEADLINE_SECONDS = "60" } = process.env;
const ASK_TIMEOUT_MS = 2_000;
const PAUSE_MS = 1_000;

function valueOf(metrics, name) {
  const value = new RegExp(String.raw`^${name}(?:\{[^}]*\})? (\S+)$`, "m").exec(metrics)?.[1];
  return value === undefined ? null : Number(value);
}

async function ask(address) {
  const host = isIPv6(address) ? `[${address}]` : address;
  try {
    const response = await fetch(`http://${host}:${PORT}/metrics`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    const metrics = await response.text();
    const holds = valueOf(metrics, "tenure_is_leader");
    return {
      address,
      holds,
      token: valueOf(metrics, "tenure_fencing_token"),
      fault: holds === null ? "no metric" : "",
    };
  } catch (error) {
    return { address, holds: null, token: null, fault: error.cause?.code ?? error.name };
  }
}

async function askAll() {
  try {
    const found = await lookup(SERVICE, { all: true });
    return await Promise.all([...new Set(found.map(({ address }) => address))].map((address) => ask(address)));
  } catch (error) {
    console.log(`${SERVICE}: ${error.code ?? error.message}`);
    return [];
  }
}

function lineOf({ address, holds, token, fault }) {
  if (holds === null) return `  ${address}  no answer (${fault})`;
  return `  ${address}  ${holds === 1 ? `holds, token ${token}` : "stands by"}`;
}

const deadlineMs = performance.now() + Number(DEADLINE_SECONDS) * 1_000;
for (;;) {
  const answers = await askAll();
  const answered = answers.filter(({ holds }) => holds !== null).length;
  const holders = answers.filter(({ holds }) => holds === 1).length;
  for (const answer of answers) console.log(lineOf(answer));
  console.log(`${holders} of ${answered} pods that answered hold the lock; ${REPLICAS} are wanted`);
  // Two, for once, may be two answers around a handover.
  if (answered === answers.length && answered >= Number(REPLICAS) && holders === 1) break;
  if (performance.now() > deadlineMs) {
    console.log(`not one holder of ${REPLICAS} pods within ${DEADLINE_SECONDS} s`);
    process.exit(1);
  }
  await delay(PAUSE_MS);
}
