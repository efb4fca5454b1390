/**
 * Rules between settings, each with its sentence for the reference.
 *
 * Invariant: a rule speaks only when all settings that it needs are sound on their own, so that one mistake is told
 * once.
 *
 * Deliberately absent: repairs. Where two settings disagree, neither is taken to be the one that was meant.
 */
import { MAX_NAME_LENGTH } from "../base/limits.ts";
import { usableLeaseMs } from "../lease/timing.ts";
import { formatDuration } from "./duration.ts";
import type { Fault, Given } from "./fault.ts";
import type { Draft } from "./settings.ts";
import { VARIABLES, type Key } from "./variables.ts";

/** What the rules say, for --help and the reference; in the order of the functions below. */
export const RULES = [
  "U = D * (1 - drift) / (1 + drift), what the holder may use of its lease, must exceed two heartbeat intervals.",
  "The three ports must differ, unless they are 0.",
  "Either TENURE_TLS_DIR or TENURE_INSECURE_PEERS=true must be given, not both.",
  `<name>.<service> must fit into a DNS name, which is ${MAX_NAME_LENGTH} characters.`,
] as const;

type Problems = Pick<Fault, "problem" | "allowed">;

/** `given` tells what the faults repeat. Settings that are absent from `draft` have their fault already. */
export function crossChecks(draft: Draft, given: ReadonlyMap<Key, Given>): readonly Fault[] {
  const fault = (key: Key, problems: Problems): Fault => {
    const source = given.get(key);
    return { name: VARIABLES[key].name, given: source?.text ?? null, from: source?.from ?? null, ...problems };
  };
  return [
    ...heartbeatsFit(draft, fault),
    ...portsDiffer(draft, given, fault),
    ...peersDecided(draft, given, fault),
    ...namesFit(draft, fault),
  ];
}

type Report = (key: Key, problems: Problems) => Fault;

/** Two heartbeats inside U: one that is lost must not cost the lease (DESIGN, Configuration). */
function heartbeatsFit(draft: Draft, fault: Report): readonly Fault[] {
  const { leaseDurationMs, heartbeatIntervalMs, clockDrift } = draft;
  if (leaseDurationMs === undefined || heartbeatIntervalMs === undefined || clockDrift === undefined) return [];
  const usableMs = usableLeaseMs(leaseDurationMs, clockDrift);
  if (usableMs > 2 * heartbeatIntervalMs) return [];
  const longestMs = Math.ceil(usableMs / 2) - 1;
  return [
    fault("heartbeatIntervalMs", {
      problem: "two of them do not fit into what the holder may use of its lease",
      allowed:
        `at most ${formatDuration(longestMs)}: less than half of U = D * (1 - drift) / (1 + drift), ` +
        `with a lease duration D of ${formatDuration(leaseDurationMs)} and a clock drift of ${clockDrift}`,
    }),
  ];
}

function portsDiffer(draft: Draft, given: ReadonlyMap<Key, Given>, fault: Report): readonly Fault[] {
  const pairs = [
    ["httpPort", "peerPort"],
    ["httpPort", "opsPort"],
    ["peerPort", "opsPort"],
  ] as const;
  return pairs.flatMap(([first, second]) => {
    if (draft[first] === undefined || draft[first] === 0 || draft[first] !== draft[second]) return [];
    // The one that was set by hand is the one to mend.
    const isSet = given.get(second)?.from !== "the default";
    const [key, other] = isSet ? [second, first] : [first, second];
    return [fault(key, { problem: `also the port of ${VARIABLES[other].name}`, allowed: "a port of its own, or 0" })];
  });
}

/** Unprotected peers are a decision, never an oversight (DESIGN, Peers). */
function peersDecided(draft: Draft, given: ReadonlyMap<Key, Given>, fault: Report): readonly Fault[] {
  if (draft.insecurePeers === undefined || draft.tlsDir === undefined) return [];
  if (draft.insecurePeers && draft.tlsDir !== null) {
    const where = given.get("tlsDir")?.from ?? VARIABLES.tlsDir.name;
    return [
      fault("insecurePeers", {
        problem: `${where} is given too, and only one of them can be meant`,
        allowed: `either ${VARIABLES.tlsDir.name} or --insecure-peers`,
      }),
    ];
  }
  if (draft.insecurePeers || draft.tlsDir !== null) return [];
  return [
    fault("tlsDir", {
      problem: "not set, and peers without TLS were not asked for",
      allowed:
        `${VARIABLES.tlsDir.kind.allowed}; ` +
        `or pass --insecure-peers (${VARIABLES.insecurePeers.name}=true) to do without TLS`,
    }),
  ];
}

function namesFit(draft: Draft, fault: Report): readonly Fault[] {
  const { name, service } = draft;
  if (name === undefined || service === undefined) return [];
  const { length } = `${name}.${service}`;
  if (length <= MAX_NAME_LENGTH) return [];
  return [
    fault("service", {
      problem: `with the name ${name} in front it is ${length} characters long`,
      allowed: `<name>.<service> of at most ${MAX_NAME_LENGTH} characters`,
    }),
  ];
}
