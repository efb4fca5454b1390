/** `message`: hands a member any message, as from another one: late, forged, or from somebody who is not there. */
import { unreachable } from "../../../src/base/assert.ts";
import type { Message } from "../../../src/raft/message.ts";
import { baseOf, command, noop } from "../../support/entries.ts";
import * as messages from "../../support/messages.ts";
import { type Args, configurationNamed, memberNamed, numberOf, ScriptError } from "../harness/args.ts";
import type { Verb } from "../harness/verb.ts";

export const message: Verb = {
  usage:
    "message m0 m1 KIND term=N [last=I/T] [priority=P] [granted=true] [remaining=MS] [promised-to=T] [round=R]" +
    " [prev=I/T] [entries=I/T,I/T:noop] [commit=I] [lease=MS] [holding=I] [accepted=true] [match=I] [certificate=T]" +
    " [at=I/T] [config=m0,m1+m2] -- from the first to the second, at once; what is left out is 0, none or yes",
  run(world, args) {
    const from = memberNamed(args.word("sender"));
    const node = world.node(args.word("receiver"));
    world.step(node, { kind: "message", from, message: messageOf(args) });
  },
};

function messageOf(args: Args): Message {
  const word = args.word("kind");
  const kind = messages.MESSAGE_KINDS.find((known) => known === word);
  if (kind === undefined) throw new ScriptError(`no such message: ${word}`);
  const term = args.number("term", 0);
  switch (kind) {
    case "preVoteRequest":
      return messages.preVoteRequest(term, ...position(args, "last"), args.number("priority", 0));
    case "preVoteReply":
      return messages.preVoteReply(term, args.flag("granted", true));
    case "voteRequest":
      return messages.voteRequest(term, ...position(args, "last"));
    case "voteReply": {
      const granted = args.flag("granted", true);
      return messages.voteReply(term, granted, args.number("remaining", 0), args.numberOrNull("promised-to"));
    }
    case "appendRequest":
      return appendRequestOf(term, args);
    case "appendReply":
      return messages.appendReply(term, {
        round: args.number("round", 0),
        accepted: args.flag("accepted", true),
        matchIndex: args.number("match", 0),
        eligible: args.flag("eligible", true),
        priority: args.number("priority", 0),
      });
    case "installSnapshot":
      return installSnapshotOf(term, args);
    case "timeoutNow":
      return messages.timeoutNow(term, args.numberOrNull("certificate"));
    default:
      return unreachable(kind);
  }
}

function appendRequestOf(term: number, args: Args): Message {
  const [prevIndex, prevTerm] = position(args, "prev");
  return messages.appendRequest(term, {
    round: args.number("round", 0),
    prevIndex,
    prevTerm,
    entries: entriesOf(args.option("entries") ?? ""),
    commitIndex: args.number("commit", 0),
    leaseDurationMs: args.number("lease", 1_100),
    holding: args.numberOrNull("holding"),
  });
}

/** With no tenures and nobody removed. */
function installSnapshotOf(term: number, args: Args): Message {
  const [index, lastTerm] = position(args, "at");
  const configuration = configurationNamed(args.option("config") ?? "m0,m1,m2");
  const snapshot = { ...baseOf(configuration, index, lastTerm), removed: [], lock: [] };
  return messages.installSnapshot(term, snapshot, args.number("round", 0));
}

/** `index/term`. */
function position(args: Args, key: string): readonly [number, number] {
  const [index = "", term = ""] = (args.option(key) ?? "0/0").split("/");
  return [numberOf(index), numberOf(term)];
}

function entriesOf(text: string) {
  return text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [at = "", kind = "command"] = part.split(":");
      const [index = "", term = ""] = at.split("/");
      if (kind !== "noop" && kind !== "command") throw new ScriptError(`no such entry: ${kind}`);
      return kind === "noop" ? noop(numberOf(index), numberOf(term)) : command(numberOf(index), numberOf(term));
    });
}
