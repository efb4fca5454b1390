/** `eligible`: a member's application takes itself out of the running, or back in. */
import { booleanOf } from "../harness/args.ts";
import type { Verb } from "../harness/verb.ts";

export const eligible: Verb = {
  usage: "eligible m0 true|false",
  run(world, args) {
    const node = world.node(args.word("member"));
    world.step(node, { kind: "setEligible", eligible: booleanOf(args.word("true or false")) });
  },
};
