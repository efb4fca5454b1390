/** `unhold`: what waited aside is in flight again. */
import type { Verb } from "../harness/verb.ts";

export const unhold: Verb = {
  usage: "unhold -- all that waited aside is in flight again, and nothing is held any more",
  run(world) {
    world.sayFlights("in flight", world.network.unhold());
  },
};
