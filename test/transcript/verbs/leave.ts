/** `leave`: a member is about to go for good, and asks its leader to be removed. */
import type { Verb } from "../harness/verb.ts";

export const leave: Verb = {
  usage: "leave m0 -- it says so at once, and with each reply from then on",
  run(world, args) {
    world.step(world.node(args.word("member")), { kind: "leave" });
  },
};
