/** `run-to`: lets time pass over a network that delivers at once. */
import type { Verb } from "../harness/verb.ts";
import { numberOf } from "../harness/args.ts";

export const runTo: Verb = {
  usage: "run-to 1200 -- moves to that instant, wakes each member whenever it is due, delivers everything at once",
  run(world, args) {
    world.runUntil(numberOf(args.word("instant")), true);
  },
};
