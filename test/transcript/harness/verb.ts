/**
 * What a command of a script is.
 *
 * Invariant: a verb takes its words from `args` in the order of its usage; words that it leaves are an error.
 *
 * Deliberately absent: a return value. What is to be seen is said to the world, in order.
 */
import type { Args } from "./args.ts";
import type { World } from "./world.ts";

export interface Verb {
  /** As it is written, with what it does. */
  readonly usage: string;
  run(world: World, args: Args): void;
}
