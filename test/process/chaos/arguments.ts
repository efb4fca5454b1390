/**
 * The command line of the chaos test-bed.
 *
 * Invariant: anything that is not understood is said, and nothing is started.
 *
 * Deliberately absent: settings of faults. They are in the table of kinds.ts.
 */
import { parseArgs } from "node:util";
import { messageOf } from "../../../src/base/errors.ts";
import { SLOW } from "./clock.ts";
import { FAULT_KINDS, type FaultKind, isFaultKind, rowOf } from "./kinds.ts";

export interface CampaignRequest {
  readonly kind: "run" | "plan";
  readonly seed: number;
  readonly minutes: number;
  /** Ends after so many rounds, if that is sooner; null: when the time is up. */
  readonly rounds: number | null;
  readonly nodes: number;
  readonly kinds: readonly FaultKind[];
  readonly leaseMs: number;
  readonly loopback: boolean;
  readonly slowRate: number;
  /** Null: dist/main.js, built anew when it is stale. */
  readonly bundle: string | null;
  /** Where everything is kept; null: only after a failure, in a new directory. */
  readonly out: string | null;
  readonly peer: "etcd" | null;
}

export type Request =
  CampaignRequest | { readonly kind: "help" } | { readonly kind: "fault"; readonly message: string };

const WIDTH = Math.max(...FAULT_KINDS.map((kind) => kind.length));
const TABLE = FAULT_KINDS.map((kind) => `  ${kind.padEnd(WIDTH)}  ${rowOf(kind).about}`);

export const HELP = `npm run chaos [-- options]

Runs real sidecars under real faults, with a witness beside each of them, and checks that no two ever held at once.
As root on Linux every pod has a network of its own; without root, all are on loopback, and faults that need more are
skipped and counted as skipped.

  --seed S       of the schedule; one is drawn and printed else
  --minutes M    how long, 3 unless said
  --rounds R     end after so many rounds, if that is sooner
  --nodes N      pods, 3 unless said
  --fault A,B    only these kinds, see below; may be given again
  --lease MS     D, 1000 unless said
  --slow RATE    the rate of the slow pod's clock, ${SLOW} unless said; below 0.9 exclusion is not promised any more
  --loopback     no network namespaces, also as root
  --bundle FILE  the sidecar to test; dist/main.js unless said, built anew when it is stale
  --out DIR      keep records, logs and the timeline there; after a failure they are kept anyway
  --peer etcd    the same kills and pauses for tenure and for etcd's own client, side by side
  --plan         print the first rounds of the schedule and start nothing
  --help         print this

Faults:
${TABLE.join("\n")}

Exit status: 0 without a violation, 1 with one, 2 for a bad command line, 130 after Ctrl-C.
`;

const OPTIONS = {
  seed: { type: "string" },
  minutes: { type: "string" },
  rounds: { type: "string" },
  nodes: { type: "string" },
  fault: { type: "string", multiple: true },
  lease: { type: "string" },
  slow: { type: "string" },
  loopback: { type: "boolean" },
  bundle: { type: "string" },
  out: { type: "string" },
  peer: { type: "string" },
  plan: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const MAX_SEED = 2 ** 31;
const MAX_NODES = 9;

export function readArguments(args: readonly string[]): Request {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false });
    if (values.help === true) return { kind: "help" };
    if (values.peer !== undefined && values.peer !== "etcd") throw new Error("--peer knows etcd only");
    return {
      kind: values.plan === true ? "plan" : "run",
      seed: numberOf("seed", values.seed, Math.floor(Math.random() * MAX_SEED), 0, 2 ** 52),
      minutes: numberOf("minutes", values.minutes, 3, 0.1, 10_000, false),
      rounds: values.rounds === undefined ? null : numberOf("rounds", values.rounds, 1, 1, 1_000_000),
      nodes: numberOf("nodes", values.nodes, 3, 1, MAX_NODES),
      kinds: kindsOf(values.fault ?? []),
      leaseMs: numberOf("lease", values.lease, 1_000, 300, 60_000),
      loopback: values.loopback === true,
      slowRate: numberOf("slow", values.slow, SLOW, 0.1, 1, false),
      bundle: values.bundle ?? null,
      out: values.out ?? null,
      peer: values.peer ?? null,
    };
  } catch (error) {
    return { kind: "fault", message: messageOf(error) };
  }
}

/** The command that plays these rounds again. */
export function replayOf(request: CampaignRequest, rounds: number): string {
  const { seed, nodes, leaseMs, loopback, kinds, slowRate } = request;
  const isUsual = kinds.length === FAULT_KINDS.length && kinds.every((kind, at) => kind === FAULT_KINDS[at]);
  const faults = isUsual ? "" : ` --fault ${kinds.join(",")}`;
  const lease = leaseMs === 1_000 ? "" : ` --lease ${leaseMs}`;
  const slow = slowRate === SLOW ? "" : ` --slow ${slowRate}`;
  const where = loopback ? " --loopback" : "";
  const base = `npm run chaos -- --seed ${seed} --nodes ${nodes} --rounds ${rounds} --minutes 10000`;
  return `${base}${faults}${lease}${slow}${where}`;
}

function kindsOf(lists: readonly string[]): readonly FaultKind[] {
  if (lists.length === 0) return FAULT_KINDS;
  return lists
    .flatMap((list) => list.split(","))
    .map((text) => {
      if (!isFaultKind(text)) throw new Error(`--fault ${text}: there is no such fault`);
      return text;
    });
}

function numberOf(
  name: string,
  text: string | undefined,
  usual: number,
  low: number,
  high: number,
  whole = true,
): number {
  const value = text === undefined ? usual : Number(text);
  if (text?.trim() === "" || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
    throw new Error(`--${name} takes a ${whole ? "whole " : ""}number from ${low} to ${high}, not ${text}`);
  }
  return value;
}
