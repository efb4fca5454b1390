/** `suspend`: a member's machine sleeps: CLOCK_MONOTONIC does not notice, the boot-time clock does. */
import { numberOf } from "../harness/args.ts";
import { ms } from "../harness/trace.ts";
import type { Verb } from "../harness/verb.ts";

export const suspend: Verb = {
  usage: "suspend m0 5000 -- its holder clock leaps by that many ms; its other clock does not",
  run(world, args) {
    const node = world.node(args.word("member"));
    node.suspendedMs += numberOf(args.word("ms"));
    world.say(`${node.name} holder clock ${ms(world.nowMs + node.suspendedMs)}, other clock ${ms(world.nowMs)}`);
  },
};
