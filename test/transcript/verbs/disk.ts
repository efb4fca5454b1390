/** `disk`: gives a member the disk of a life before, and starts it from there. */
import { command, hardStateOf } from "../../support/entries.ts";
import { numbersOf, positionOf } from "../harness/args.ts";
import { describeEntries, describePersist } from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";

export const disk: Verb = {
  usage: "disk m0 [term=0] [vote=m1] [promised=0] [log=1,1,2] -- the log's terms, from index 1; then a start",
  run(world, args) {
    const node = world.node(args.word("member"));
    const vote = args.option("vote");
    node.crash();
    const votedFor = vote === null ? null : positionOf(vote);
    node.hardState = hardStateOf(args.number("term", 0), votedFor, args.number("promised", 0));
    const terms = numbersOf(args.option("log") ?? "");
    node.entries = terms.map((entryTerm, at) => command(at + 1, entryTerm));
    node.start(world.nowMs);
    const { hardState, entries } = node;
    world.say(`${node.name} ${describePersist({ hardState, entries: [] })}; ${describeEntries(entries)}`);
  },
};
