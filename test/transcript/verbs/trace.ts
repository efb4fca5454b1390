/** `trace`: how much of each step is written. */
import { ScriptError } from "../harness/args.ts";
import type { Verb } from "../harness/verb.ts";
import { TRACE_LEVELS } from "../harness/world.ts";

export const trace: Verb = {
  usage: "trace full|events|quiet -- of the steps to come everything, the events but renewals, or nothing",
  run(world, args) {
    const word = args.word("level");
    const level = TRACE_LEVELS.find((known) => known === word);
    if (level === undefined) throw new ScriptError(`no such level: ${word}`);
    world.traceLevel = level;
  },
};
