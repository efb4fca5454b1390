/** `resign`: a member is told to release and hand over; its application has stopped, or has run out of time. */
import type { Verb } from "../harness/verb.ts";

export const resign: Verb = {
  usage: "resign m0 [to=m1] [stopped=true]",
  run(world, args) {
    const node = world.node(args.word("member"));
    world.step(node, { kind: "resign", to: args.option("to"), stopped: args.flag("stopped", true) });
  },
};
