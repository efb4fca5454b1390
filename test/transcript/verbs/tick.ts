/** `tick`: wakes a member now, due or not. */
import type { Verb } from "../harness/verb.ts";

export const tick: Verb = {
  usage: "tick m0 -- wakes a member at this instant",
  run(world, args) {
    world.tick(world.node(args.word("member")));
  },
};
