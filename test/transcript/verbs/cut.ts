/** `cut`: what is sent over a link from now on is lost. */
import { positionOf } from "../harness/args.ts";
import type { Verb } from "../harness/verb.ts";

export const cut: Verb = {
  usage: "cut m0 [m1] -- from the first to the second; or the first from all others, both ways",
  run(world, args) {
    const from = world.node(args.word("member")).name;
    const to = args.optionalWord();
    if (to === null) world.network.isolate(from, world.names);
    else world.network.cut(from, `m${positionOf(to)}`);
  },
};
