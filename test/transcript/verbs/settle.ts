/** `settle`: delivers until nothing is in flight. */
import type { Verb } from "../harness/verb.ts";

export const settle: Verb = {
  usage: "settle -- delivers everything in flight, and all that it causes, at this instant",
  run(world) {
    world.settle();
  },
};
