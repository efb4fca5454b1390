/**
 * Changes of JSON texts: mostly of the value, so that the text stays JSON and gets past the parser; now and then of
 * the text, in ways that a writer of JSON would not think of.
 *
 * Invariant: an input that is no JSON is changed as bytes.
 *
 * Deliberately absent: schemas. What a surface takes is learnt from its seeds, and from what coverage keeps.
 */
import { bytesMutator, MAX_INPUT_BYTES } from "./bytes.ts";
import type { Dice } from "./dice.ts";
import type { Mutator } from "./target.ts";

type Path = readonly (string | number)[];

const NUMBERS = [0, 1, 2, -1, 0.5, 255, 4_294_967_296, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 3_600_000, 3_600_002, 1e308];
const STRINGS = [
  "",
  "a",
  "app-0",
  "x".repeat(254),
  "0".repeat(32),
  "f".repeat(32),
  `${"0".repeat(31)}\n`,
  "\u0000",
  "\u001b[2J\u009b31m",
  "\u202e\u2028",
  "\ud800",
  "é漢🦀",
  "__proto__",
  "constructor",
  "1",
] as const;
const KEYS = ["kind", "id", "name", "term", "index", "more", "__proto__", "constructor", "length", "toJSON"] as const;
/** Texts of values that JSON.stringify would not write. */
const TEXTS = [
  "1e999",
  "-0",
  "1E2",
  "01",
  "1.0",
  "NaN",
  "[[[[]]]]",
  "{}",
  '{"a":1,"a":2}',
  '"\\ud800"',
  "\ufeff",
  "// x\n1",
];

const changeBytes = bytesMutator(['"', "{", "}", "[", "]", ",", ":", "null", "true", "\\u0000", ...TEXTS]);

export const changeJson: Mutator = (input, dice, others) => {
  const value = parsed(input);
  if (value === undefined || dice.once(12)) return changeBytes(input, dice, others);
  let result = value.value;
  for (let left = dice.once(2) ? 1 : 1 + dice.below(3); left > 0; left -= 1)
    result = changedValue(result, dice, others);
  const text = JSON.stringify(result) ?? "null";
  const written = dice.once(20) ? odd(text, dice) : text;
  return Buffer.from(written).subarray(0, MAX_INPUT_BYTES);
};

/** The value in these bytes; undefined when they are no JSON. */
export function parsed(input: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(input.toString()) as unknown };
  } catch {
    return undefined;
  }
}

/** Every path to a value inside, the empty one for the whole first. */
export function pathsOf(value: unknown, at: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [at];
  const keys: readonly (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [at, ...keys.flatMap((key) => pathsOf(Reflect.get(value, key), [...at, key]))];
}

/** The same value with the one at `path` replaced by what `change` makes of it; undefined takes it out. */
function replaced(value: unknown, path: Path, change: (old: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, at) => {
      if (at !== key) return [item];
      const next = replaced(item, rest, change);
      return next === undefined ? [] : [next];
    });
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, item]: [string, unknown]): [string, unknown] => [
    name,
    name === key ? replaced(item, rest, change) : item,
  ]);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function changedValue(whole: unknown, dice: Dice, others: readonly Buffer[]): unknown {
  const path = dice.pickOr(pathsOf(whole), []);
  return replaced(whole, path, (old) => newValue(old, whole, dice, others));
}

function newValue(old: unknown, whole: unknown, dice: Dice, others: readonly Buffer[]): unknown {
  switch (dice.below(12)) {
    case 0:
      return undefined;
    case 1:
      return dice.pickOr(NUMBERS, 0);
    case 2:
      return dice.pick(STRINGS);
    case 3:
      return dice.pickOr<unknown>([null, true, false, [], {}], null);
    case 4:
      return partOf(parsed(dice.pickOr(others, Buffer.from("null")))?.value, dice);
    case 5:
      return partOf(whole, dice);
    default:
      return grown(old, whole, dice);
  }
}

/** A change that keeps the kind of value. */
function grown(old: unknown, whole: unknown, dice: Dice): unknown {
  if (typeof old === "number") return dice.once(3) ? dice.pickOr(NUMBERS, old) : old + dice.pickOr([1, -1, 2, 0.5], 1);
  if (typeof old === "boolean") return !old;
  if (typeof old === "string") {
    const at = dice.below(old.length + 1);
    return old.slice(0, at) + dice.pick(STRINGS).slice(0, 3) + old.slice(at + dice.below(3));
  }
  if (Array.isArray(old)) {
    const items: readonly unknown[] = old;
    const item = dice.pickOr(items, partOf(whole, dice));
    const copies = dice.once(40) ? 130 : 1 + dice.below(2);
    return dice.once(3) ? items.toReversed() : [...items, ...Array.from({ length: copies }, () => item)];
  }
  if (typeof old === "object" && old !== null) return { ...old, [dice.pick(KEYS)]: partOf(whole, dice) };
  return dice.pickOr<unknown>([0, 1, "", false], 0);
}

function partOf(value: unknown, dice: Dice): unknown {
  const path = dice.pickOr(pathsOf(value), []);
  return path.reduce<unknown>(
    (part, key) => (typeof part === "object" && part !== null ? Reflect.get(part, key) : part),
    value,
  );
}

/** A value in the text becomes one of TEXTS, or the whole is nested deeply, or a key comes twice. */
function odd(text: string, dice: Dice): string {
  if (dice.once(8)) {
    const depth = 1 + dice.below(1_000);
    return `${"[".repeat(depth)}${text}${"]".repeat(depth)}`;
  }
  const spots = [...text.matchAll(/:(?:"[^"]*"|[\w.+-]+)/gu)];
  const spot = dice.pickOr(spots, undefined);
  if (spot === undefined) return ` ${text}\n`;
  return `${text.slice(0, spot.index)}:${dice.pickOr(TEXTS, "0")}${text.slice(spot.index + spot[0].length)}`;
}
