/** `crash`: a member is gone, with all that it had not written down. */
import type { Verb } from "../harness/verb.ts";

export const crash: Verb = {
  usage: "crash m0 -- what was in flight to it is lost; what it has sent is not",
  run(world, args) {
    const node = world.node(args.word("member"));
    node.crash();
    world.network.dropTo(node.name);
  },
};
