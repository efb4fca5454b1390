/** `hold`: messages wait aside until `unhold`: a slow network, or the reordering of it. */
import { selectorOf } from "../harness/network.ts";
import type { Verb } from "../harness/verb.ts";

export const hold: Verb = {
  usage: "hold [from=m0] [to=m1] [kind=appendReply] -- such messages, in flight or to come, wait aside",
  run(world, args) {
    world.sayFlights("held", world.network.hold(selectorOf(args)));
  },
};
