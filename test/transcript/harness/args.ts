/**
 * The words of a command: positional ones and `key=value` options.
 *
 * Invariant: what a verb does not understand is an error, never ignored; a script cannot say something that is not
 * done.
 *
 * Deliberately absent: quoting. No word of these scripts has a space.
 */
import { type Member, memberId } from "../../../src/base/types.ts";
import type { Configuration } from "../../../src/raft/entry.ts";

/** A script that cannot be run, or an expectation that does not hold. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

export class Args {
  readonly #words: string[] = [];
  readonly #options = new Map<string, string>();

  constructor(text: string) {
    for (const part of text.split(/\s+/).filter((word) => word !== "")) {
      const at = part.indexOf("=");
      if (at > 0) this.#options.set(part.slice(0, at), part.slice(at + 1));
      else this.#words.push(part);
    }
  }

  /** The next positional word. */
  word(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw new ScriptError(`missing: ${what}`);
    return word;
  }

  optionalWord(): string | null {
    return this.#words.shift() ?? null;
  }

  option(key: string): string | null {
    const value = this.#options.get(key);
    this.#options.delete(key);
    return value ?? null;
  }

  number(key: string, otherwise: number): number {
    const value = this.option(key);
    return value === null ? otherwise : numberOf(value);
  }

  /** `-` is null. */
  numberOrNull(key: string): number | null {
    const value = this.option(key);
    return value === null || value === "-" ? null : numberOf(value);
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.option(key);
    return value === null ? otherwise : booleanOf(value);
  }

  /** A comma-separated list; empty when it is absent. */
  numbers(key: string): readonly number[] {
    return numbersOf(this.option(key) ?? "");
  }

  /** To be called last: everything was understood. */
  done(): void {
    const left = [...this.#words, ...this.#options.keys()];
    if (left.length > 0) throw new ScriptError(`not understood: ${left.join(" ")}`);
  }
}

export function numberOf(text: string): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) throw new ScriptError(`not a number: ${text}`);
  return value;
}

export function booleanOf(text: string): boolean {
  if (text !== "true" && text !== "false") throw new ScriptError(`neither true nor false: ${text}`);
  return text === "true";
}

/** `1,1,2`; `1*250` is 250 times a 1. */
export function numbersOf(text: string): readonly number[] {
  if (text === "" || text === "-") return [];
  return text.split(",").flatMap((part) => {
    const [number = "", times = "1"] = part.split("*");
    return Array<number>(numberOf(times)).fill(numberOf(number));
  });
}

/** `m3` is 3. */
export function positionOf(name: string): number {
  if (!/^m\d+$/.test(name)) throw new ScriptError(`not a member: ${name}`);
  return Number(name.slice(1));
}

/** `m0,m1+m3`: voters, then learners behind a plus. */
export function configurationNamed(text: string): Configuration {
  const [voters = "", learners = ""] = text.split("+");
  const membersOf = (names: string): readonly Member[] => names.split(",").filter(Boolean).map(memberNamed);
  return { voters: membersOf(voters), learners: membersOf(learners) };
}

/** The member of that name, also one that the group does not know. */
export function memberNamed(name: string): Member {
  return { id: memberId(String(positionOf(name)).padStart(32, "0")), name };
}
