/**
 * The level and the words of each event. What varies is in the line's fields; the words stay the same, so that they
 * can be searched for.
 *
 * Invariant: at `info` there is a line for each transition of role and lease, with its term and token, for formation,
 * start and stop, and nothing that comes again and again while all stays as it is: neither in a healthy group
 * (renewals, round trips) nor in one without a majority (PreVotes, waiting for others).
 *
 * Deliberately absent: repeated faults (fault-repeats.ts) and the writing (log-observer.ts).
 */
import type { NodeEvent } from "../ports/observer.ts";

export type Level = "trace" | "debug" | "info" | "warn" | "fatal";

export interface LogLine {
  readonly level: Level;
  readonly text: string;
}

const LINES: Readonly<Record<NodeEvent["kind"], LogLine>> = {
  started: { level: "info", text: "started" },
  listening: { level: "info", text: "listening for the application, for scrapers and for peers" },
  formationWaiting: { level: "info", text: "waits for other pods before there can be a group" },
  formed: { level: "info", text: "the group is formed" },
  rejoined: { level: "info", text: "found its state of before and rejoins the group" },
  joined: { level: "info", text: "was taken into the group" },
  removed: { level: "warn", text: "was removed from the group; forgets everything and starts again as a new member" },
  stranded: {
    level: "warn",
    text: "stood by in a group that nobody leads, while its peers are in another: starts again as a new member",
  },
  formationGivenUp: {
    level: "warn",
    text: "so many founders of the group are gone that it cannot form; forgets it and starts again as a new member",
  },
  rescued: { level: "warn", text: "gave up the old group and begins a new one alone" },
  roleChanged: { level: "info", text: "changed its Raft role" },
  leaderChanged: { level: "info", text: "sees another Raft leader" },
  electionEnded: { level: "debug", text: "an election ended" },
  waiting: { level: "info", text: "won, and waits until the promises to earlier leaders have run out" },
  holding: { level: "info", text: "holds the lock" },
  renewed: { level: "trace", text: "renewed the lease" },
  lapsed: { level: "info", text: "the lease ran out; does not hold the lock any more" },
  released: { level: "info", text: "released the lock" },
  tenureSeen: { level: "info", text: "a tenure began" },
  transferStarted: { level: "info", text: "hands leadership over" },
  transferFailed: { level: "warn", text: "the handover failed; steps down" },
  draining: { level: "info", text: "keeps the lease until the application has stopped" },
  drained: { level: "info", text: "the application has stopped, or its time is over" },
  eligibilityChanged: { level: "info", text: "the application changed this pod's eligibility" },
  configurationChanged: { level: "info", text: "the members of the group changed" },
  snapshotTaken: { level: "debug", text: "replaced the log by a snapshot" },
  peerConnected: { level: "debug", text: "connected to a peer" },
  peerDisconnected: { level: "debug", text: "lost the connection to a peer" },
  peerRoundTrip: { level: "trace", text: "measured a round trip" },
  storageSynced: { level: "trace", text: "synced the data directory" },
  storageTailCut: { level: "warn", text: "cut off the unfinished end of the log, which nobody relied on" },
  fault: { level: "warn", text: "a fault" },
  fatal: { level: "fatal", text: "ends by a fault" },
  stopping: { level: "info", text: "stopping" },
  stopped: { level: "info", text: "stopped in order" },
};

/** `before` is the event of the same kind that came last. */
export function lineOf(event: NodeEvent, before: NodeEvent | undefined): LogLine {
  const { level, text } = LINES[event.kind];
  if (event.kind === "fault" || event.kind === "fatal") return { level, text: event.message };
  if (event.kind === "electionEnded" && event.outcome === "won") return { level: "info", text };
  return { level: isOldNews(event, before) ? "debug" : level, text };
}

function isOldNews(event: NodeEvent, before: NodeEvent | undefined): boolean {
  if (event.kind === "formationWaiting") return JSON.stringify(event) === JSON.stringify(before);
  if (event.kind !== "roleChanged") return false;
  // PreVotes come and go every second or two while there is no majority; real candidacies raise the term.
  if (event.role === "preCandidate") return true;
  const isBack = before?.kind === "roleChanged" && before.role === "preCandidate" && before.term === event.term;
  return isBack && event.role === "follower";
}
