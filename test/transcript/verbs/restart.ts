/** `restart`: a member that crashed starts again, from its disk. */
import { describeEntries, describePersist } from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";

export const restart: Verb = {
  usage: "restart m0 -- from what it had persisted",
  run(world, args) {
    const node = world.node(args.word("member"));
    node.start(world.nowMs);
    const { hardState, entries } = node;
    world.say(`${node.name} ${describePersist({ hardState, entries: [] })}; ${describeEntries(entries)}`);
  },
};
