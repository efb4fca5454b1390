/**
 * Kinds of values: how a text is read, and what is allowed, in one object, so that message, help and check agree.
 *
 * Invariant: `parse` takes any text, never throws, and accepts exactly what `allowed` says.
 *
 * Deliberately absent: trimming and guessing. A value with a stray space is told to its user, in quotes.
 */
import { MAX_PATH_BYTES } from "../base/limits.ts";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export interface Kind<T> {
  /** What is allowed, to stand after "allowed:". */
  readonly allowed: string;
  parse(text: string): Parsed<T>;
}

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad<T>(problem: string): Parsed<T> {
  return { ok: false, problem };
}

/** One of a few words, written exactly so. */
export function choice<T extends string>(words: readonly T[]): Kind<T> {
  return {
    allowed: `${words.slice(0, -1).join(", ")} or ${words.slice(-1).join("")}`,
    parse: (text) => {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? bad("not one of the words known here") : good(word);
    },
  };
}

export const truth: Kind<boolean> = {
  allowed: "true or false",
  parse: (text) => {
    if (text === "true") return good(true);
    return text === "false" ? good(false) : bad("neither true nor false");
  },
};

/** A whole number in decimal digits, both bounds included. */
export function integer(min: number, max: number): Kind<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    parse: (text) => {
      if (!/^[+-]?\d{1,15}$/.test(text)) return bad("not a whole number");
      const value = Number(text);
      if (value < min) return bad(`less than ${min}`);
      return value > max ? bad(`more than ${max}`) : good(value);
    },
  };
}

/** A decimal fraction between two bounds, neither included. */
export function fractionBetween(min: number, max: number): Kind<number> {
  return {
    allowed: `a decimal number above ${min} and below ${max}, such as 0.10 for 10 %`,
    parse: (text) => {
      if (!/^[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/.test(text)) return bad("not a decimal number");
      const value = Number(text);
      if (value <= min) return bad(`not above ${min}`);
      return value >= max ? bad(`not below ${max}`) : good(value);
    },
  };
}

/** A path of the file system, absolute or from the working directory. */
export function path(what: string, maxBytes: number = MAX_PATH_BYTES): Kind<string> {
  return {
    allowed: `${what}, of at most ${maxBytes} bytes`,
    parse: (text) => {
      if (text.includes("\0")) return bad("a path cannot hold a zero byte");
      const bytes = Buffer.byteLength(text);
      return bytes > maxBytes ? bad(`${bytes} bytes long`) : good(text);
    },
  };
}
