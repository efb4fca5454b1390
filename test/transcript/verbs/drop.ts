/** `drop`: loses messages that are in flight. */
import { ScriptError } from "../harness/args.ts";
import { selectorOf } from "../harness/network.ts";
import type { Verb } from "../harness/verb.ts";

export const drop: Verb = {
  usage: "drop [from=m0] [to=m1] [kind=voteReply] -- messages in flight are lost",
  run(world, args) {
    const lost = world.network.take(selectorOf(args));
    if (lost.length === 0) throw new ScriptError("no such message is in flight");
    world.sayFlights("lost", lost);
  },
};
