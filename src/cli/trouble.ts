/**
 * What is wrong, in plain words, and what to type next.
 *
 * Invariant: nothing is said of a healthy group. Every hint can be typed as it stands, with the right namespace.
 *
 * Deliberately absent: opinions on what only the cluster knows, such as whether a pod that is silent has a disk left.
 */
import type { Picture } from "./answers.ts";
import { CONTAINER, PROGRAM } from "./commands.ts";

export interface Trouble {
  /** A note: somebody wished it so, or it passes. */
  readonly kind: "trouble" | "note";
  readonly text: string;
  readonly hints: readonly string[];
}

/** Hints for so many pods; more would hide the rest. */
const MAX_HINTED_PODS = 3;

export function troublesOf(picture: Picture): readonly Trouble[] {
  return [ofGroup(picture), ofThisPod(picture), ofVersions(picture)].filter((trouble) => trouble !== null);
}

/** `kubectl exec` of a command in the sidecar of a pod. */
export function inPod(pod: string, command: string): string {
  return `kubectl exec ${pod} -c ${CONTAINER} -- ${PROGRAM} ${command}`;
}

/** Its last log lines. */
export function logsOf(pod: string): string {
  return `kubectl logs ${pod} -c ${CONTAINER} --tail=20`;
}

function ofGroup({ cluster, leader }: Picture): Trouble | null {
  const { trouble, members, self } = cluster;
  const silent = members.filter(({ connected }) => !connected).map(({ name }) => name);
  if (trouble !== null) {
    const pods = silent.slice(0, MAX_HINTED_PODS).flatMap((name) => [`kubectl get pod ${name} -o wide`, logsOf(name)]);
    const hints = pods.length > 0 ? pods : ["kubectl get pods -o wide", logsOf(self)];
    const voters = members.filter(({ voter }) => voter);
    const isMajorityAway =
      leader.reason === "no-quorum" && 2 * voters.filter((m) => m.connected).length <= voters.length;
    // Alone, `rescue` changes nothing: it says what would be lost.
    return { kind: "trouble", text: trouble, hints: isMajorityAway ? [...hints, inPod(self, "rescue")] : hints };
  }
  if (silent.length === 0 || leader.reason === "starting") return null;
  const text = `not connected from here: ${silent.join(", ")}`;
  return {
    kind: "trouble",
    text,
    hints: silent.slice(0, MAX_HINTED_PODS).map((name) => `kubectl get pod ${name} -o wide`),
  };
}

function ofThisPod({ leader, cluster }: Picture): Trouble | null {
  switch (leader.reason) {
    case "draining":
      return {
        kind: "note",
        text:
          "this pod's application has been told to stop, and has not confirmed it. The lease is kept for it until it " +
          "does, or the drain time is over. Once it has stopped:",
        hints: [inPod(cluster.self, "resign")],
      };
    case "ineligible":
      return {
        kind: "note",
        text: 'this pod cannot become the holder until its application sends {"eligible":true} with PUT /eligibility',
        hints: [],
      };
    default:
      return null;
  }
}

function ofVersions({ cluster }: Picture): Trouble | null {
  const byVersion = Map.groupBy(
    cluster.members.filter(({ version }) => version !== null),
    ({ version }) => version ?? "",
  );
  if (byVersion.size < 2) return null;
  const listed = [...byVersion].map(
    ([version, members]) => `${version} on ${members.map(({ name }) => name).join(", ")}`,
  );
  return {
    kind: "note",
    text: `more than one version, which is right only during a rollout: ${listed.join("; ")}`,
    hints: [],
  };
}
