/** `restart`: a member that crashed starts again, from its disk. */
import { describeDisk } from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";

export const restart: Verb = {
  usage: "restart m0 -- from what it had persisted",
  run(world, args) {
    const node = world.node(args.word("member"));
    node.start(world.nowMs);
    world.say(`${node.name} ${describeDisk(node.disk)}`);
  },
};
