/**
 * Inputs, effects and messages in words, for transcripts.
 *
 * Invariant: one line each.
 *
 * Deliberately absent: what would fill a screen: the whole of a log, of a configuration, of an id.
 */
import { unreachable } from "../../src/base/assert.ts";
import type { Effects, Input } from "../../src/raft/effect.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";

export function wordsOfInput(input: Input): string {
  switch (input.kind) {
    case "tick":
      return "tick";
    case "message":
      return `<- ${shortName(input.from.name)} ${wordsOfMessage(input.message)}`;
    case "persisted":
      return `persisted ${input.index}/${input.term}`;
    case "resign":
      return `resign to ${input.to ?? "anyone"}${input.stopped ? "" : ", not stopped"}`;
    case "setEligible":
      return input.eligible ? "eligible" : "ineligible";
    case "leave":
      return "leave";
    case "change":
      return `change ${JSON.stringify(input.change)}`;
    default:
      return unreachable(input);
  }
}

export function wordsOfEffects(effects: Effects): string {
  const { persist, snapshot, apply, send, events } = effects;
  const parts = events.map((event) => {
    const { kind, ...rest } = event;
    return `${kind}${JSON.stringify(rest)}`;
  });
  if (persist?.hardState !== undefined) {
    const { term, votedFor, largestPromiseMs } = persist.hardState;
    parts.push(`saves t${term} vote ${votedFor?.slice(-1) ?? "-"} D ${largestPromiseMs}`);
  }
  if (persist?.truncateAfter !== undefined) parts.push(`cuts after ${persist.truncateAfter}`);
  const appended = persist?.entries ?? [];
  if (appended.length > 0) parts.push(`appends ${appended.map(wordsOfEntry).join(" ")}`);
  if (snapshot !== null) parts.push(`snapshot ${snapshot.index}/${snapshot.term}`);
  if (apply.length > 0) parts.push(`applies ${apply.map(wordsOfEntry).join(" ")}`);
  if (send.length > 0) parts.push(`sends ${send[0]?.message.kind ?? ""} x${send.length}`);
  return parts.length === 0 ? "" : ` => ${parts.join("; ")}`;
}

function wordsOfEntry({ kind, index, term }: Entry): string {
  return `${kind}@${index}/${term}`;
}

export function wordsOfMessage(message: Message): string {
  const { kind, term } = message;
  switch (message.kind) {
    case "appendRequest": {
      const { round, prevIndex, prevTerm, entries, commitIndex, holding } = message;
      const more = entries.map(wordsOfEntry).join(" ");
      return `append t${term} r${round} prev ${prevIndex}/${prevTerm} commit ${commitIndex} holding ${holding} ${more}`;
    }
    case "appendReply":
      return `appendReply t${term} r${message.round} ${message.accepted ? "ok" : "no"} match ${message.matchIndex}`;
    case "voteReply": {
      const { granted, remainingMs, promiseTerm } = message;
      return `voteReply t${term} ${granted ? "yes" : "no"} left ${remainingMs.toFixed(3)} of t${promiseTerm}`;
    }
    case "preVoteReply":
      return `preVoteReply t${term} ${message.granted ? "yes" : "no"}`;
    case "preVoteRequest":
    case "voteRequest":
      return `${kind} t${term} last ${message.lastIndex}/${message.lastTerm}`;
    case "installSnapshot":
      return `snapshot t${term} r${message.round} ${message.snapshot.index}/${message.snapshot.term}`;
    case "timeoutNow":
      return `timeoutNow t${term} certificate ${message.certificate}`;
    default:
      return unreachable(message);
  }
}

function shortName(name: string): string {
  return name.replace(/^app-/u, "n");
}
