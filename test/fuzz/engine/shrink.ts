/**
 * Makes an input that breaks a promise as short as it gets.
 *
 * Invariant: what is returned breaks the same promise, with the same words.
 *
 * Deliberately absent: smaller values. A shorter text is nearly always the plainer one.
 */
import { messageOf } from "../../../src/base/errors.ts";
import type { Target } from "./target.ts";

const MAX_TRIES = 2_000;

/** What `input` breaks, in words; null when nothing. */
export async function faultOf(target: Target, input: Buffer): Promise<string | null> {
  try {
    await target.run(input);
    return null;
  } catch (error) {
    return `${error instanceof Error ? error.name : "thrown"}: ${messageOf(error)}`;
  }
}

/** Takes out ever smaller pieces for as long as the fault stays the same. */
export async function shrink(target: Target, input: Buffer, fault: string): Promise<Buffer> {
  let best = input;
  let tries = 0;
  for (let size = Math.ceil(input.length / 2); size >= 1 && tries < MAX_TRIES; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && tries < MAX_TRIES; tries += 1) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if ((await faultOf(target, shorter)) === fault) best = shorter;
      else at += size;
    }
  }
  return best;
}
