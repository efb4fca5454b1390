/** `heal`: no link is cut any more. */
import type { Verb } from "../harness/verb.ts";

export const heal: Verb = {
  usage: "heal -- undoes every cut",
  run(world) {
    world.network.heal();
  },
};
