/** `tick-to`: lets time pass without a single message arriving. */
import type { Verb } from "../harness/verb.ts";
import { numberOf } from "../harness/args.ts";

export const tickTo: Verb = {
  usage: "tick-to 1200 -- moves to that instant and wakes each member whenever it is due; nothing is delivered",
  run(world, args) {
    world.runUntil(numberOf(args.word("instant")), false);
  },
};
