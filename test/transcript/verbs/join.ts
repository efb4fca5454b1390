/** `join`: a pod with an empty disk starts as the member that it was added as. */
import { memberNamed } from "../harness/args.ts";
import { describeDisk } from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";

export const join: Verb = {
  usage: "join m3 from=m0 -- it starts from the other's committed state, as the leader gives it to whom it takes in",
  run(world, args) {
    const self = memberNamed(args.word("member"));
    const giver = world.node(args.option("from") ?? args.word("from=member"));
    const seed = giver.options.seed + Number(self.id) - Number(giver.options.self.id);
    const node = world.join({ ...giver.options, self, seed }, giver.committedState());
    world.say(`${node.name} ${describeDisk(node.disk)}`);
  },
};
