/** `resume`: a member goes on after a pause: with what waits in its queue, or with its timer. */
import { ScriptError } from "../harness/args.ts";
import type { Verb } from "../harness/verb.ts";

export const resume: Verb = {
  usage: "resume m0 queue|timer -- which of the two is looked at first; then the other",
  run(world, args) {
    const node = world.node(args.word("member"));
    const first = args.word("queue or timer");
    if (first !== "queue" && first !== "timer") throw new ScriptError(`neither queue nor timer: ${first}`);
    node.paused = false;
    const { waiting } = node;
    node.waiting = [];
    if (first === "timer") world.tick(node);
    for (const input of waiting) world.step(node, input);
    if (first === "queue") world.tick(node);
  },
};
