/**
 * What can be fuzzed: a surface that takes bytes from outside.
 *
 * Invariant: a target may be run again with the same bytes and does the same; what an input leaves behind is gone
 * before the next one. Whatever it throws is a finding: the refusals that are right are part of its answer.
 *
 * Deliberately absent: how inputs are made and kept (loop.ts).
 */
import { isDeepStrictEqual } from "node:util";
import { type ErrorCode, TenureError } from "../../../src/base/errors.ts";
import type { Dice } from "./dice.ts";

/** A new input from an old one; `others` are inputs that were worth keeping. */
export type Mutator = (input: Buffer, dice: Dice, others: readonly Buffer[]) => Buffer;

export interface Target {
  /** Beginnings of paths in the project: the code whose blocks count as reached. */
  readonly covers: readonly string[];
  /** At least one input that is good as it is. */
  readonly seeds: readonly [Buffer, ...Buffer[]];
  readonly mutate: Mutator;
  /** How many inputs may be under way at once; 1 where nothing waits. */
  readonly parallel?: number;
  /** Inputs for one short test; fewer where each of them costs a connection. */
  readonly sample?: number;
  /**
   * What `input` led to, in a few words: a new answer is a reason to keep an input. Throws, or rejects, when a promise
   * of the surface is broken.
   */
  run(input: Buffer): string | Promise<string>;
  close?(): Promise<void>;
}

/** A promise of the surface under test is broken. */
export class Finding extends Error {
  override readonly name = "Finding";
}

export function require(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new Finding(promise);
}

/** The refusal in `error` as an answer, if it has one of these codes; anything else is thrown again. */
export function refusal(error: unknown, codes: readonly ErrorCode[]): string {
  if (error instanceof TenureError && codes.includes(error.code)) return `${error.code}: ${shapeOf(error.message)}`;
  throw error;
}

/** A message without what it repeats of the input, so that one rule gives one answer. */
export function shapeOf(message: string): string {
  return message
    .replaceAll(/"(?:[^"\\]|\\.)*"?/gu, '"…"')
    .replace(/(?: received |[{[(]).*/u, "")
    .replace(/\.[^.]*(?=: Invalid key)/u, "")
    .replaceAll(/\b[0-9a-f]{8,}\b|-?\d[\d.e+]*/gu, "#")
    .slice(0, 100);
}

/** Equal by value as far as JSON can tell: it knows no order of keys and only one zero. */
export function same(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(left, right) || isDeepStrictEqual(plain(left), plain(right));
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
