/** `wake`: lets time pass until a member is due, and wakes that one alone. */
import type { Verb } from "../harness/verb.ts";

export const wake: Verb = {
  usage: "wake m0 -- moves to the instant at which it asked to be woken, if that is to come, and wakes it alone",
  run(world, args) {
    const node = world.node(args.word("member"));
    world.nowMs = Math.max(world.nowMs, node.wakeAt(world.nowMs));
    world.tick(node);
  },
};
