/**
 * Reads the command line into texts by setting.
 *
 * Invariant: every argument is either taken or told as a fault; a fault does not hide those after it. Of a flag that
 * is given twice the last one counts, so that a wrapper can be overruled.
 *
 * Deliberately absent: the strict mode of `parseArgs`, which stops at its first fault; its tokens are checked here.
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Fault, Given } from "./fault.ts";
import { nearest } from "./nearest.ts";
import { flagOf, KEYS, VARIABLES, type Key } from "./variables.ts";

export interface Arguments {
  readonly help: boolean;
  readonly version: boolean;
  readonly given: ReadonlyMap<Key, Given>;
  readonly faults: readonly Fault[];
}

const HELP = "--help";
const VERSION = "--version";
const KEY_BY_FLAG = new Map(KEYS.map((key) => [flagOf(VARIABLES[key]), key]));
const FLAGS = [...KEY_BY_FLAG.keys(), HELP, VERSION];
const OPTIONS: NonNullable<ParseArgsConfig["options"]> = {
  ...Object.fromEntries(KEYS.map((key) => [longName(key), { type: isBare(key) ? "boolean" : "string" }])),
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
};

/** One flag as it was written. */
interface Option {
  readonly rawName: string;
  /** Its long form. */
  readonly flag: string;
  readonly value: string | undefined;
}

export function readArguments(argv: readonly string[]): Arguments {
  const asked = new Set<string>();
  const given = new Map<Key, Given>();
  const faults: Fault[] = [];

  function take(option: Option): void {
    const { rawName, flag, value } = option;
    if (flag === HELP || flag === VERSION) {
      asked.add(flag);
      return;
    }
    const key = KEY_BY_FLAG.get(flag);
    if (key === undefined) faults.push(unknownFlag(rawName, value));
    else if (isBare(key) && value === undefined) given.set(key, { text: "true", from: flag });
    else if (value === undefined) faults.push(missingValue(key));
    else if (value !== "") given.set(key, { text: value, from: flag });
  }

  let rest = argv;
  while (rest.length > 0) rest = readRun(rest, take, faults);
  return { help: asked.has(HELP), version: asked.has(VERSION), given, faults };
}

/** Reads up to a flag that has swallowed another flag as its value; returns the arguments from that other flag on. */
function readRun(argv: readonly string[], take: (option: Option) => void, faults: Fault[]): readonly string[] {
  const args = [...argv];
  const { tokens } = parseArgs({ args, options: OPTIONS, strict: false, allowPositionals: true, tokens: true });
  let unknownAt = -1;
  for (const token of tokens) {
    if (token.kind === "positional") {
      // What follows a flag that is not known is most likely its value, and told with it.
      if (token.index !== unknownAt + 1 || unknownAt < 0) faults.push(unexpected(token.value));
    }
    if (token.kind !== "option") continue;
    const flag = `--${token.name}`;
    const swallowed = token.inlineValue === false && token.value.startsWith("--");
    const known = FLAGS.includes(flag);
    const value = known || token.inlineValue ? token.value : valueAfter(argv, token.index);
    take({ rawName: token.rawName, flag, value: swallowed ? undefined : value });
    if (swallowed) return argv.slice(token.index + 1);
    unknownAt = known || token.inlineValue ? -1 : token.index;
  }
  return [];
}

function longName(key: Key): string {
  return flagOf(VARIABLES[key]).slice(2);
}

function isBare(key: Key): boolean {
  return VARIABLES[key].bare === true;
}

function valueAfter(argv: readonly string[], index: number): string | undefined {
  const next = argv[index + 1];
  return next === undefined || next.startsWith("-") ? undefined : next;
}

function unknownFlag(rawName: string, value: string | undefined): Fault {
  const suggestion = rawName.startsWith("--") ? nearest(rawName, FLAGS) : null;
  return {
    name: rawName,
    given: value ?? null,
    from: value === undefined ? null : "the command line",
    problem: "no such flag",
    allowed: suggestion === null ? "one of the flags of --help" : `did you mean ${suggestion}?`,
  };
}

function missingValue(key: Key): Fault {
  const variable = VARIABLES[key];
  const flag = flagOf(variable);
  return {
    name: variable.name,
    given: null,
    from: null,
    problem: `${flag} stands without a value`,
    allowed: `${flag} <value>: ${variable.kind.allowed}`,
  };
}

function unexpected(value: string): Fault {
  return {
    name: "argument",
    given: value,
    from: "the command line",
    problem: "an argument that belongs to no flag",
    allowed: "flags only, as in --lease-duration 2s; a command stands first",
  };
}
