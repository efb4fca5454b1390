/**
 * The command line of a program that people start by hand: one table, which is both what is read and the help.
 *
 * Invariant: what is not understood is said, with all that is allowed, and the exit status is 2.
 *
 * Deliberately absent: anything but options. A program that takes names or commands as well reads them itself.
 */
import { parseArgs } from "node:util";
import { messageOf } from "../../src/base/errors.ts";
import { wrapped } from "../../src/cli/wrap.ts";

const EXIT_USAGE = 2;
const WIDTH = 120;

interface Option {
  readonly type: "string" | "boolean";
  /** What stands for the value in the help, such as N. */
  readonly takes?: string;
  readonly about: string;
  /** Said in the help. An option without one says in `about` what is so when it is not given. */
  readonly default?: string | boolean;
}

type Table = Readonly<Record<string, Option>>;

interface Manual<T extends Table> {
  /** As in `npm run NAME`. */
  readonly name: string;
  /** What it does, in paragraphs with an empty line between. */
  readonly about: string;
  readonly options: T;
  /** What the exit status says. */
  readonly exit: string;
}

interface Config<T extends Table> {
  readonly args: readonly string[];
  readonly options: T;
  readonly strict: true;
  readonly allowPositionals: false;
}

type Values<T extends Table> = ReturnType<typeof parseArgs<Config<T>>>["values"];

interface Options<T extends Table> {
  readonly values: Values<T>;
  /** A whole number, or any; Infinity if it was not given and has no default. */
  number(name: keyof T & string, least: number, kind?: "whole" | "any"): number;
  /** Ends the process, because of a value that makes no sense. */
  refuse(message: string): never;
}

/** What this process was given. It ends when that is a question for help, or is not understood. */
export function readOptions<const T extends Table>(manual: Manual<T>): Options<T> {
  const args = process.argv.slice(2);
  const refuse = (message: string): never => {
    process.stderr.write(`${manual.name}: ${message}\n\n${helpOf(manual)}`);
    process.exit(EXIT_USAGE);
  };
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpOf(manual));
    process.exit(0);
  }
  const values = valuesOf(args, manual.options, refuse);
  return {
    values,
    refuse,
    number(name, least, kind = "whole") {
      const text: unknown = Reflect.get(values, name);
      if (typeof text !== "string") return Infinity;
      const value = Number(text);
      const isRight = text.trim() !== "" && value >= least && (kind === "any" || Number.isInteger(value));
      const article = kind === "whole" ? "a whole number" : "a number";
      return isRight ? value : refuse(`--${name} takes ${article} from ${least}, not "${text}"`);
    },
  };
}

function valuesOf<T extends Table>(args: readonly string[], options: T, refuse: (why: string) => never): Values<T> {
  try {
    return parseArgs<Config<T>>({ args, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    return refuse(messageOf(error));
  }
}

function helpOf({ name, about, options, exit }: Manual<Table>): string {
  const rows = Object.entries(options).map(([option, each]) => {
    const usual = typeof each.default === "string" && each.default !== "" ? `; ${each.default} unless said` : "";
    return [`--${option}${each.takes === undefined ? "" : ` ${each.takes}`}`, `${each.about}${usual}`] as const;
  });
  rows.push(["--help", "print this"]);
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const table = rows.map(([usage, meaning]) => `  ${usage.padEnd(width)}  ${meaning}`).join("\n");
  const prose = about.trim().split("\n\n").map(paragraph);
  const status = paragraph(`Exit status: ${exit}, 2 for a bad command line.`);
  return `${[`npm run ${name} [-- options]`, ...prose, table, status].join("\n\n")}\n`;
}

function paragraph(text: string): string {
  return wrapped(text.replaceAll("\n", " "), "", WIDTH).join("\n");
}
