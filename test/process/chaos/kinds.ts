/**
 * The table of faults: what each does, what it takes, how long it lasts, how often it is drawn.
 *
 * Invariant: every kind has one row here and one executor in the files `*-faults.ts`; a kind whose means are missing on
 * this machine is counted as skipped, with the reason, never as done.
 *
 * Deliberately absent: how a fault is made.
 */

/** What a machine must offer, each tried once before a campaign. */
export const MEANS = ["namespaces", "strace", "faketime", "loop", "cpu-cgroup"] as const;
export type Means = (typeof MEANS)[number];

interface KindRow {
  readonly about: string;
  readonly needs: readonly Means[];
  /** Drawn in proportion to it. */
  readonly weight: number;
  /** The shortest and the longest time between injection and heal, in lease durations D. */
  readonly lasts: readonly [number, number];
  /** Faults of one facet cannot strike one pod at the same time; null: they can. */
  readonly facet: "process" | "application" | "dns" | "certificate" | "clock" | "links" | null;
}

export const KINDS = {
  kill: row("kill -9 of a sidecar; its application lives on", [], 8, [0.05, 2], "process"),
  "kill-pod": row("kill -9 of a sidecar and of its application", [], 5, [0.05, 2], "process"),
  "kill-application": row("kill -9 of an application; its sidecar lives on", [], 4, [0.05, 1.5], "application"),
  "kill-all": row("kill -9 of every sidecar at once", [], 1, [0.05, 1.5], "process"),
  pause: row("SIGSTOP of a sidecar", [], 9, [0.1, 5], "process"),
  "pause-application": row("SIGSTOP of an application", [], 4, [0.1, 3], "application"),
  "pause-pod": row("SIGSTOP of a sidecar and its application together", [], 4, [0.1, 5], "process"),
  starve: row("a sidecar gets 1 to 2.5 % of a core", ["cpu-cgroup"], 4, [0.5, 3], "process"),
  terminate: row("SIGTERM: drain, hand over, exit 0, start again", [], 4, [0.05, 0.5], "process"),
  resign: row("the application hands over", [], 4, [0, 0.2], null),
  cut: row("a pod loses all others", ["namespaces"], 8, [0.3, 4], null),
  "one-way": row(
    "a pod hears all others, and none of them hears it, or the other way",
    ["namespaces"],
    6,
    [0.5, 4],
    null,
  ),
  partial: row("two pods lose each other; both see the rest", ["namespaces"], 5, [0.5, 4], null),
  "split-all": row("no pod sees another", ["namespaces"], 1, [0.5, 2], null),
  loss: row("30 % of the packets of a pod are lost", ["namespaces"], 5, [1, 4], null),
  flap: row("the link of a pod goes down and up, again and again", ["namespaces"], 5, [0.5, 2], null),
  reset: row("the connections of a pod are reset", ["namespaces"], 5, [0.1, 0.3], null),
  delay: row("what a pod sends and gets takes up to 2·D, each chunk another time", [], 4, [2, 5], "links"),
  "wall-step": row("the wall clock of a pod leaps by an hour, forth or back", ["faketime"], 3, [0.2, 1], "clock"),
  "clock-rate": row("a pod's clock runs 9 % fast or slow, for the whole run", ["faketime"], 0, [0, 0], null),
  "fsync-error": row("fsync fails with EIO", ["strace"], 3, [0.05, 0.5], "process"),
  "slow-sync": row("fsync takes 0.1 to 1 s", ["strace"], 3, [0.5, 2], "process"),
  "disk-full": row("no space is left on the data directory's file system", ["loop"], 3, [0.05, 0.5], "process"),
  "power-loss": row("a pod loses power: what was not synced is gone", ["loop"], 4, [0.05, 1], "process"),
  "power-loss-all": row("all pods lose power at once", ["loop"], 1, [0.05, 1], "process"),
  "certificate-rotated": row("a pod gets a new certificate", [], 1, [0.2, 0.5], "certificate"),
  "certificate-expired": row("the certificate of a pod is out of date", [], 1, [0.5, 1.5], "certificate"),
  "certificate-foreign": row("the certificate of a pod is from another CA", [], 1, [0.5, 1.5], "certificate"),
  dns: row(
    "DNS knows no name, answers rubbish, with strangers, with stale records, or not at all",
    [],
    5,
    [1, 3],
    "dns",
  ),
  "directory-emptied": row("a pod comes back without its data directory", [], 2, [0.05, 1], "process"),
} as const satisfies Record<string, KindRow>;

export type FaultKind = keyof typeof KINDS;
export type Facet = KindRow["facet"];

export function rowOf(kind: FaultKind): KindRow {
  return KINDS[kind];
}

export const FAULT_KINDS: readonly FaultKind[] = (Object.keys(KINDS) as FaultKind[]).filter((kind) => kind in KINDS);

/** It takes the sidecar up to TLS_RELOAD_INTERVAL_MS to see new files, so a round with one of them has more besides. */
export const SLOW_KINDS: readonly FaultKind[] = ["certificate-rotated", "certificate-expired", "certificate-foreign"];

export function isFaultKind(text: string): text is FaultKind {
  return Object.hasOwn(KINDS, text);
}

function row(
  about: string,
  needs: readonly Means[],
  weight: number,
  lasts: readonly [number, number],
  facet: KindRow["facet"],
): KindRow {
  return { about, needs, weight, lasts, facet };
}
