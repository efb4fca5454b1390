/** `pause`: a member stands still, as by SIGSTOP. Its clocks go on. */
import type { Verb } from "../harness/verb.ts";

export const pause: Verb = {
  usage: "pause m0 -- it is not woken, and what is delivered to it waits in its queue",
  run(world, args) {
    world.node(args.word("member")).paused = true;
  },
};
