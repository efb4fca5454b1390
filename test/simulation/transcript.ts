/**
 * The last things that happened, for whoever reads a failure, and a fingerprint of all of them.
 *
 * Invariant: a line is put into words only when somebody reads it; the fingerprint covers every line ever added.
 *
 * Deliberately absent: the whole history. A seed replays it.
 */
import { unreachable } from "../../src/base/assert.ts";
import type { Effects, Input } from "../../src/raft/effect.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { Message } from "../../src/raft/message.ts";

const KEPT = 160;

interface Line {
  readonly atMs: number;
  readonly node: number;
  readonly words: () => string;
}

export class Transcript {
  readonly #lines: (Line | undefined)[] = Array.from({ length: KEPT });
  #count = 0;
  #fingerprint = 0;

  /** @param node its position; -1 for the world @param mark any number that tells this line from others */
  add(atMs: number, node: number, mark: number, words: () => string): void {
    this.#lines[this.#count % KEPT] = { atMs, node, words };
    this.#count += 1;
    this.#mix(Math.floor(atMs * 1_024));
    this.#mix(node * 65_537 + mark);
  }

  get fingerprint(): string {
    return this.#fingerprint.toString(16).padStart(8, "0");
  }

  get text(): string {
    const lines = [];
    for (let back = Math.min(KEPT, this.#count); back > 0; back -= 1) {
      const line = this.#lines[(this.#count - back) % KEPT];
      if (line === undefined) continue;
      const who = line.node < 0 ? "--" : `n${line.node}`;
      lines.push(`${line.atMs.toFixed(3).padStart(12)} ${who} ${line.words()}`);
    }
    return lines.join("\n");
  }

  #mix(value: number): void {
    this.#fingerprint = Math.imul(this.#fingerprint ^ (value >>> 0), 0x01000193) >>> 0;
    this.#fingerprint = (this.#fingerprint ^ (this.#fingerprint >>> 15)) >>> 0;
  }
}

export function wordsOfInput(input: Input): string {
  switch (input.kind) {
    case "tick":
      return "tick";
    case "message":
      return `<- ${shortName(input.from.name)} ${wordsOfMessage(input.message)}`;
    case "persisted":
      return `persisted ${input.index}/${input.term}`;
    case "resign":
      return `resign to ${input.to ?? "anyone"}`;
    case "setEligible":
      return input.eligible ? "eligible" : "ineligible";
    default:
      return unreachable(input);
  }
}

export function wordsOfEffects(effects: Effects): string {
  const { persist, apply, send, events } = effects;
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
    case "timeoutNow":
      return `timeoutNow t${term} certificate ${message.certificate}`;
    default:
      return unreachable(message);
  }
}

function shortName(name: string): string {
  return name.replace(/^m/u, "n");
}
