/**
 * Reads environment and command line into `Settings`, or into everything that is wrong with them.
 *
 * Invariant: never throws, whatever it is given; all faults come back together. Flags win over variables, variables
 * over defaults.
 *
 * Deliberately absent: files, and looking at the outside world: a directory that does not exist is found when it is
 * opened.
 */
import { assert } from "../base/assert.ts";
import { readArguments } from "./arguments.ts";
import { crossChecks } from "./cross-checks.ts";
import { readEnvironment, type Environment } from "./environment.ts";
import type { Fault, Given } from "./fault.ts";
import type { Draft, Facts, Settings } from "./settings.ts";
import { KEYS, VARIABLES, type Key, type Variable } from "./variables.ts";

export type Reading =
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "faults"; readonly faults: readonly [Fault, ...Fault[]] }
  | { readonly kind: "help" }
  | { readonly kind: "version" };

/** `argv` is without the program and the script. --help wins over --version, and both over any fault. */
export function readSettings(env: Environment, argv: readonly string[], facts: Facts): Reading {
  const fromArguments = readArguments(argv);
  if (fromArguments.help) return { kind: "help" };
  if (fromArguments.version) return { kind: "version" };
  const fromEnvironment = readEnvironment(env);

  const given = new Map([...defaults(facts), ...fromEnvironment.given, ...fromArguments.given]);
  const draft: Draft = {};
  const ownFaults = KEYS.flatMap((key) => read(key, VARIABLES[key], given.get(key), draft));
  for (const key of KEYS) if (!given.has(key)) derive(key, VARIABLES[key], draft);

  const [first, ...more] = withoutEchoes([
    ...fromEnvironment.faults,
    ...fromArguments.faults,
    ...ownFaults,
    ...crossChecks(draft, given),
  ]);
  if (first !== undefined) return { kind: "faults", faults: [first, ...more] };
  assert(isComplete(draft), "settings without a fault are complete");
  return { kind: "settings", settings: draft };
}

function defaults(facts: Facts): readonly (readonly [Key, Given])[] {
  return KEYS.flatMap((key) => {
    const fallback = VARIABLES[key].default;
    return fallback.kind === "text" ? [[key, { text: fallback.text(facts), from: fallback.from }] as const] : [];
  });
}

/** Puts the value of one setting into the draft, or returns why not. */
function read<K extends Key>(
  key: K,
  variable: Variable<Settings[K]>,
  source: Given | undefined,
  draft: Draft,
): readonly Fault[] {
  const { name, kind, default: fallback } = variable;
  if (source === undefined) {
    if (fallback.kind !== "required") return [];
    return [{ name, given: null, from: null, problem: "required, but not set", allowed: kind.allowed }];
  }
  const parsed = kind.parse(source.text);
  if (!parsed.ok) {
    return [{ name, given: source.text, from: source.from, problem: parsed.problem, allowed: kind.allowed }];
  }
  draft[key] = parsed.value;
  return [];
}

function derive<K extends Key>(key: K, variable: Variable<Settings[K]>, draft: Draft): void {
  const fallback = variable.default;
  if (fallback.kind !== "derived") return;
  const value = fallback.derive(draft);
  if (value !== undefined) draft[key] = value;
}

/** A flag without a value has had its fault; that its setting is therefore missing as well is the same mistake. */
function withoutEchoes(faults: readonly Fault[]): readonly Fault[] {
  return faults.filter(({ name, given }, position) => {
    return given !== null || faults.findIndex((other) => other.name === name) === position;
  });
}

/** The table has a row for every field (see its type), so a draft with all keys is the whole. */
function isComplete(draft: Draft): draft is Settings {
  return KEYS.every((key) => draft[key] !== undefined);
}
