/** `deliver`: hands over messages that are in flight. */
import { ScriptError } from "../harness/args.ts";
import { selectorOf } from "../harness/network.ts";
import type { Verb } from "../harness/verb.ts";

export const deliver: Verb = {
  usage: "deliver all|first [from=m0] [to=m1] [kind=voteRequest] -- those in flight now, not what they cause",
  run(world, args) {
    const which = args.word("all or first");
    if (which !== "all" && which !== "first") throw new ScriptError(`neither all nor first: ${which}`);
    const flights = world.network.take(selectorOf(args), which === "first" ? 1 : Number.POSITIVE_INFINITY);
    if (flights.length === 0) throw new ScriptError("no such message is in flight");
    for (const flight of flights) world.deliver(flight);
  },
};
