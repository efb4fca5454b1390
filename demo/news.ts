/**
 * The sidecars' own log lines that are worth telling, in the words of a bystander.
 *
 * Invariant: pure; null for what would only make noise.
 *
 * Deliberately absent: faults of connections. Killing and cutting is what the demo does all the time.
 */
import type { LogLine } from "../test/support/sidecar.ts";

/** What the sidecar of this member says with a line of its log, or null. */
export function newsOf(name: string, line: LogLine): string | null {
  const term = `term ${text(line["term"])}`;
  switch (line.event) {
    case "electionEnded":
      return line["outcome"] === "won" ? `${name} won the election of ${term}` : null;
    case "waiting":
      return `${name} waits ${Math.ceil(Number(line["waitMs"]))} ms: promises to the old leader run that long`;
    case "holding":
      return `${name} holds the lock, token ${text(line["token"])}, ${term}`;
    case "lapsed":
      return `${name}'s lease ran out, token ${text(line["token"])}`;
    case "released":
      return `${name} released the lock, token ${text(line["token"])}`;
    case "draining":
      return `${name} drains: it keeps the lease until its worker has finished`;
    case "drained":
      return line["confirmed"] === true ? `${name}'s worker confirmed its stop` : `${name}'s drain time is over`;
    case "transferStarted":
      return `${name} hands leadership over to ${text(line["target"])}`;
    case "transferFailed":
      return `${name}'s handover failed; it steps down`;
    case "rejoined":
      return `${name} found its data and rejoins`;
    case "stopped":
      return `${name}'s sidecar stopped in order`;
    case "fatal":
      return `${name}'s sidecar ended: ${text(line["message"])}`;
    default:
      return null;
  }
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "?";
}
