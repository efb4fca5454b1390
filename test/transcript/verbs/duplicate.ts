/** `duplicate`: the network delivers messages twice. */
import { ScriptError } from "../harness/args.ts";
import { selectorOf } from "../harness/network.ts";
import type { Verb } from "../harness/verb.ts";

export const duplicate: Verb = {
  usage: "duplicate [from=m0] [to=m1] [kind=voteReply] -- messages in flight are in flight twice",
  run(world, args) {
    const twice = world.network.take(selectorOf(args));
    if (twice.length === 0) throw new ScriptError("no such message is in flight");
    world.network.flights.push(...twice, ...twice);
    world.sayFlights("twice", twice);
  },
};
