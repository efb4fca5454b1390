/** `disk`: gives a member the disk of a life before, and starts it from there. */
import { command, hardStateOf } from "../../support/entries.ts";
import { numbersOf, positionOf } from "../harness/args.ts";
import { describeDisk } from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";

export const disk: Verb = {
  usage:
    "disk m0 [term=0] [vote=m1] [promised=0] [log=1,1,2] -- the log's terms, from index 1 (3*250: so many of" +
    " one); then a start",
  run(world, args) {
    const node = world.node(args.word("member"));
    const vote = args.option("vote");
    node.crash();
    const votedFor = vote === null ? null : positionOf(vote);
    const hardState = hardStateOf(args.number("term", 0), votedFor, args.number("promised", 0));
    const entries = numbersOf(args.option("log") ?? "").map((entryTerm, at) => command(at + 1, entryTerm));
    node.disk = { hardState, entries, snapshot: null };
    node.start(world.nowMs);
    world.say(`${node.name} ${describeDisk(node.disk)}`);
  },
};
