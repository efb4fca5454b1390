/**
 * Reads the command line of a command.
 *
 * Invariant: every argument is either taken or told as a problem, all of them together; what is told names the word
 * that was given, and the nearest one that exists. Of a flag that is given twice the last one counts.
 *
 * Deliberately absent: the sidecar's own flags, which src/config/arguments.ts reads.
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { MAX_GIVEN_LENGTH } from "../base/limits.ts";
import { type Environment } from "../config/environment.ts";
import { nearest } from "../config/nearest.ts";
import { flagOf, VARIABLES } from "../config/variables.ts";
import { type Address, type AddressKey, readAddress } from "./address.ts";
import { ADDRESS_KEYS, COMMAND_NAMES, type CommandFlag, type CommandName, COMMANDS, JSON_FLAG } from "./commands.ts";

export interface CommandLine {
  readonly name: CommandName;
  readonly address: Address;
  readonly json: boolean;
  /** The values of flags, by name, in the order in which they were given. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export type CommandReading =
  | { readonly kind: "command"; readonly line: CommandLine }
  /** `topic` null: the program as a whole. */
  | { readonly kind: "help"; readonly topic: CommandName | null }
  | { readonly kind: "problems"; readonly problems: readonly string[]; readonly topic: CommandName | null };

/** What can stand in the place of a command, apart from those of the table. */
const OTHER_WORDS = ["run", "help"] as const;
const HELP = "--help";
const VERSION = "--version";

const FLAG_BY_ADDRESS_KEY = new Map<string, AddressKey>(ADDRESS_KEYS.map((key) => [flagOf(VARIABLES[key]), key]));

/** `argv` begins with the command. */
export function readCommand(argv: readonly string[], env: Environment): CommandReading {
  const [word = "", ...rest] = argv;
  if (word === "help") return readHelp(rest);
  const name = COMMAND_NAMES.find((known) => known === word);
  return name === undefined ? noSuchCommand(word) : readFlags(name, rest, env);
}

function readHelp(rest: readonly string[]): CommandReading {
  const word = rest.find((argument) => !argument.startsWith("-")) ?? "run";
  if (word === "run" || word === "help") return { kind: "help", topic: null };
  const topic = COMMAND_NAMES.find((known) => known === word);
  return topic === undefined ? noSuchCommand(word) : { kind: "help", topic };
}

function noSuchCommand(word: string): CommandReading {
  const suggestion = nearest(word, [...COMMAND_NAMES, ...OTHER_WORDS, HELP, VERSION]);
  const tail =
    suggestion === null ? `; there are ${[...COMMAND_NAMES, ...OTHER_WORDS].join(", ")}` : didYouMean(suggestion);
  return { kind: "problems", problems: [`no such command: ${quoted(word)}${tail}`], topic: null };
}

function readFlags(name: CommandName, argv: readonly string[], env: Environment): CommandReading {
  const flags = flagsOf(name);
  const problems: string[] = [];
  const values = new Map<string, readonly string[]>();
  const bare = new Set<string>();
  for (const argument of split(argv, flags)) {
    switch (argument.kind) {
      case "stray":
        problems.push(stray(name, argument.text));
        break;
      case "unknown":
        problems.push(unknownFlag(argument.text, flags));
        break;
      case "bare":
        bare.add(argument.flag);
        break;
      case "value":
        values.set(argument.flag, [...(values.get(argument.flag) ?? []), argument.text]);
        break;
      case "broken":
        problems.push(`${argument.flag} ${argument.problem}`);
        break;
    }
  }
  if (bare.has(HELP)) return { kind: "help", topic: name };
  const given = [...FLAG_BY_ADDRESS_KEY].flatMap(([flag, key]) => {
    const text = values.get(flag)?.at(-1);
    return text === undefined ? [] : [[key, text] as const];
  });
  const reading = readAddress(env, new Map(given));
  if (problems.length > 0 || !reading.ok) {
    return { kind: "problems", problems: [...problems, ...(reading.ok ? [] : reading.problems)], topic: name };
  }
  return { kind: "command", line: { name, address: reading.address, json: bare.has(JSON_FLAG.name), values } };
}

/** All flags of a command, with the name of their value. */
export function flagsOf(name: CommandName): readonly CommandFlag[] {
  const own: readonly CommandFlag[] = COMMANDS[name].flags;
  const address = ADDRESS_KEYS.map((key): CommandFlag => {
    const { name: variable, description } = VARIABLES[key];
    return { name: longFlag(key), value: "value", description: `${description} As ${variable}.` };
  });
  return [...own, JSON_FLAG, ...address, { name: HELP, value: null, description: "This text." }];
}

function longFlag(key: AddressKey): `--${string}` {
  return `--${flagOf(VARIABLES[key]).slice(2)}`;
}

type Argument =
  | { readonly kind: "stray" | "unknown"; readonly text: string }
  | { readonly kind: "bare"; readonly flag: string }
  | { readonly kind: "value"; readonly flag: string; readonly text: string }
  | { readonly kind: "broken"; readonly flag: string; readonly problem: string };

function split(argv: readonly string[], flags: readonly CommandFlag[]): readonly Argument[] {
  const options: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
    flags.map(({ name, value }) => [
      name.slice(2),
      { type: value === null ? ("boolean" as const) : ("string" as const), ...(name === HELP ? { short: "h" } : {}) },
    ]),
  );
  const found: Argument[] = [];
  let rest = argv;
  while (rest.length > 0) {
    const run = rest;
    rest = [];
    const { tokens } = parseArgs({ args: [...run], options, strict: false, allowPositionals: true, tokens: true });
    let unknownAt = -1;
    for (const token of tokens) {
      // What follows a flag that is not known is most likely its value, and one mistake with it.
      const isEcho = unknownAt >= 0 && token.index === unknownAt + 1;
      if (token.kind === "positional" && !isEcho) found.push({ kind: "stray", text: token.value });
      if (token.kind !== "option") continue;
      const flag = flags.find(({ name }) => name === `--${token.name}`);
      const isSwallowed = token.inlineValue === false && token.value.startsWith("-");
      found.push(argumentOf(token.rawName, flag, isSwallowed ? undefined : token.value));
      if (flag === undefined && token.inlineValue !== true) unknownAt = token.index;
      if (!isSwallowed) continue;
      // A flag that has taken the next flag for its value: that one is read anew.
      rest = run.slice(token.index + 1);
      break;
    }
  }
  return found;
}

function argumentOf(rawName: string, flag: CommandFlag | undefined, text: string | undefined): Argument {
  if (flag === undefined) return { kind: "unknown", text: rawName };
  if (flag.value === null) {
    if (text === undefined) return { kind: "bare", flag: flag.name };
    return { kind: "broken", flag: flag.name, problem: `takes no value, but was given ${quoted(text)}` };
  }
  if (text === undefined) return { kind: "broken", flag: flag.name, problem: `stands without its <${flag.value}>` };
  // An empty variable in a script must not be taken for "any pod".
  if (text === "") return { kind: "broken", flag: flag.name, problem: "is empty" };
  return { kind: "value", flag: flag.name, text };
}

function stray(name: CommandName, text: string): string {
  const flags: readonly CommandFlag[] = COMMANDS[name].flags;
  const own = flags.find(({ value }) => value === "pod");
  const meant = own === undefined ? null : `${own.name} ${text.slice(0, MAX_GIVEN_LENGTH)}`;
  return `${quoted(text)} belongs to no flag${meant === null ? `; ${name} takes flags only` : didYouMean(meant)}`;
}

function unknownFlag(rawName: string, flags: readonly CommandFlag[]): string {
  const suggestion = nearest(
    rawName,
    flags.map(({ name }) => name),
  );
  return `no such flag: ${quoted(rawName)}${suggestion === null ? "" : didYouMean(suggestion)}`;
}

function didYouMean(word: string): string {
  return `; did you mean ${word}?`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_GIVEN_LENGTH ? `${text.slice(0, MAX_GIVEN_LENGTH)}…` : text);
}
