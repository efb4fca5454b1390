/**
 * Changes of bytes that know nothing of what the bytes mean, and the choice between several kinds of change.
 *
 * Invariant: the old input stays as it is, and the new one has at most MAX_INPUT_BYTES.
 *
 * Deliberately absent: formats. JSON, frames and records have changes of their own.
 */
import type { Dice } from "./dice.ts";
import type { Mutator } from "./target.ts";

/** Above the limits of every surface that does not need a megabyte to be at its limit. */
export const MAX_INPUT_BYTES = 16_384;

const BYTES = [0, 1, 9, 10, 13, 32, 34, 44, 45, 58, 91, 92, 93, 123, 125, 127, 128, 192, 254, 255] as const;
const WORDS = [0, 1, 4, 127, 128, 255, 256, 4_096, 32_767, 65_535, 65_536, 1_048_576, 0x7fffffff, 0xffffffff] as const;

/** Several small changes at once; `tokens` are texts that mean something to the surface. */
export function bytesMutator(tokens: readonly string[] = []): Mutator {
  return (input, dice, others) => {
    let bytes: Buffer = Buffer.from(input);
    for (let left = 1 + dice.below(4); left > 0; left -= 1) bytes = changed(bytes, dice, others, tokens);
    return bytes.subarray(0, MAX_INPUT_BYTES);
  };
}

/** One of several kinds of change, each as often as its weight says. */
export function either(...choices: readonly (readonly [weight: number, mutator: Mutator])[]): Mutator {
  const total = choices.reduce((sum, [weight]) => sum + weight, 0);
  return (input, dice, others) => {
    let left = dice.below(total);
    for (const [weight, mutator] of choices) {
      if (left < weight) return mutator(input, dice, others);
      left -= weight;
    }
    return input;
  };
}

function changed(bytes: Buffer, dice: Dice, others: readonly Buffer[], tokens: readonly string[]): Buffer {
  const at = dice.below(bytes.length + 1);
  const length = 1 + dice.below(dice.once(4) ? 64 : 6);
  const end = Math.min(bytes.length, at + length);
  const spliced = (from: number, to: number, middle: Uint8Array): Buffer =>
    Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);
  switch (dice.below(tokens.length > 0 ? 12 : 11)) {
    case 0:
    case 1:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
      return bytes;
    case 2:
      if (at < bytes.length) bytes[at] = dice.pick(BYTES);
      return bytes;
    case 3:
      return spliced(at, at, Buffer.from(Array.from({ length }, () => dice.below(256))));
    case 4:
      return spliced(at, end, Buffer.alloc(0));
    case 5:
      return spliced(at, at, bytes.subarray(at, end));
    case 6:
      return spliced(at, end, Buffer.alloc(end - at, dice.once(2) ? 0 : dice.below(256)));
    case 7: {
      const width = dice.once(2) ? 4 : 2;
      if (at + width <= bytes.length) bytes.writeUIntBE(dice.pick(WORDS) % 256 ** width, at, width);
      return bytes;
    }
    case 8:
      return bytes.subarray(0, at);
    case 9: {
      const from = dice.below(bytes.length + 1);
      return spliced(at, end, bytes.subarray(from, from + length));
    }
    case 10: {
      const other = dice.pickOr(others, bytes);
      return Buffer.concat([bytes.subarray(0, at), other.subarray(dice.below(other.length + 1))]);
    }
    default:
      return spliced(at, dice.once(2) ? end : at, Buffer.from(dice.pickOr(tokens, "")));
  }
}
