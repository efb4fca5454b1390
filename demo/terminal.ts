/**
 * The terminal as a canvas: its other screen, raw keys, and everything as it was when it is closed.
 *
 * Invariant: however the process ends, short of kill -9, the terminal is given back: cursor, screen and line editing.
 *
 * Deliberately absent: what is drawn, and what keys mean.
 */
import type { Paper } from "./paint.ts";

const ENTER = "\u001B[?1049h\u001B[?25l\u001B[2J";
const LEAVE = "\u001B[0m\u001B[?25h\u001B[?1049l";
const HOME = "\u001B[H";
const CLEAR_LINE = "\u001B[K";
const CLEAR_SCREEN = "\u001B[2J";

const ARROWS = new Map([
  ["\u001B[A", "up"],
  ["\u001BOA", "up"],
  ["\u001B[B", "down"],
  ["\u001BOB", "down"],
]);
const NAMES = new Map([
  ["\t", "tab"],
  ["\u0003", "quit"],
  ["\u0004", "quit"],
]);
/** An arrow or another function key, or one character. */
const KEY = /\u001B(?:\[[\d;]*[A-Za-z~]|O[A-Z])|[^]/gu;

/** The keys of one chunk of input: a character in lower case, or `up`, `down`, `tab`, `quit`. */
export function keysOf(input: string): readonly string[] {
  return [...input.matchAll(KEY)].map(([key]) => ARROWS.get(key) ?? NAMES.get(key) ?? key.toLowerCase());
}

export class Terminal {
  readonly #onExit = (): void => this.close();
  readonly #onResize = (): void => void process.stdout.write(CLEAR_SCREEN);
  readonly #onData = (input: string): void => {
    for (const key of keysOf(input)) this.#onKey(key);
  };
  readonly #onKey: (key: string) => void;
  #isOpen = false;

  constructor(onKey: (key: string) => void) {
    this.#onKey = onKey;
  }

  open(): void {
    this.#isOpen = true;
    process.on("exit", this.#onExit);
    process.stdout.on("resize", this.#onResize);
    process.stdin.setRawMode(true).setEncoding("utf8").on("data", this.#onData).resume();
    process.stdout.write(ENTER);
  }

  get paper(): Paper {
    const { columns, rows } = process.stdout;
    const { NO_COLOR = "", LC_ALL = "", LC_CTYPE = "", LANG = "" } = process.env;
    // The order of setlocale(3). https://no-color.org: any value but the empty one.
    const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== "") ?? "";
    return { columns, rows, colours: NO_COLOR === "", unicode: /utf-?8/iu.test(locale) };
  }

  /** One write, line over line, so that nothing flickers. */
  show(lines: readonly string[]): void {
    if (this.#isOpen) process.stdout.write(HOME + lines.map((line) => CLEAR_LINE + line).join("\r\n"));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off("exit", this.#onExit);
    process.stdout.off("resize", this.#onResize);
    process.stdin.off("data", this.#onData).pause();
    process.stdin.setRawMode(false);
    process.stdout.write(LEAVE);
  }
}
