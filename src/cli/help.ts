/**
 * The texts of --help and --version.
 *
 * Invariant: flags, defaults and allowed values come from the table of src/config/variables.ts; the example is a
 * command that works as it stands (a test reads its arguments).
 *
 * Deliberately absent: colours, and looking at the width of the terminal: the text is the same everywhere.
 */
import { RULES } from "../config/cross-checks.ts";
import { defaultOf, flagOf, KEYS, SECTIONS, VARIABLES, type Key } from "../config/variables.ts";

const WIDTH = 100;

/** One node that forms a group of its own, for a first look; it leaves a directory `data` behind. */
export const EXAMPLE_ARGUMENTS = "--name app-0 --service app.test --replicas 1 --data-dir ./data --insecure-peers";

/** What the status of the ended process says. Also for the reference. */
export const EXIT_STATUSES = [
  ["0", "after an orderly stop, and after --help and --version"],
  ["1", "a fault, named in the log"],
  ["2", "a configuration that cannot be used; standard error lists every fault"],
] as const;

export const PRECEDENCE =
  "Each setting is a flag or a variable of the environment; flags win, the last of equal flags wins, and an empty " +
  "value counts as not set. Durations carry their unit: 250ms, 2s, 1.5s, 1m, 1h.";

/** For standard output; ends with a line break. */
export function renderHelp(): string {
  const sections = SECTIONS.map((section) => {
    const settings = KEYS.filter((key) => VARIABLES[key].section === section).map(renderSetting);
    return [`${section}:`, ...settings].join("\n");
  });
  return `${[
    "tenure elects one fenced lease holder among the replicas of an application, and tells the",
    "application on localhost whether it may act.",
    "",
    "usage: node dist/main.js [--flag value | --flag=value]...",
    "",
    ...wrapped(PRECEDENCE, ""),
    "",
    sections.join("\n\n"),
    "",
    "Rules between settings:",
    ...RULES.flatMap((rule) => wrapped(rule, "  ")),
    "",
    "Other flags:",
    "  -h, --help       this text",
    "  -v, --version    the version",
    "",
    "Exit status:",
    ...EXIT_STATUSES.map(([status, meaning]) => `  ${status}  ${meaning}`),
    "",
    "Example: a group of one, on this machine, and the question it answers",
    `  node dist/main.js ${EXAMPLE_ARGUMENTS}`,
    "  curl -i http://127.0.0.1:4040/leader",
  ].join("\n")}\n`;
}

/** For standard output; ends with a line break. */
export function renderVersion(version: string): string {
  return `tenure ${version}\n`;
}

function renderSetting(key: Key): string {
  const variable = VARIABLES[key];
  const flag = variable.bare === true ? flagOf(variable) : `${flagOf(variable)} <value>`;
  return [
    `  ${flag.padEnd(32)} ${variable.name}`,
    ...wrapped(variable.description, "      "),
    ...wrapped(`allowed: ${variable.kind.allowed}`, "      "),
    ...wrapped(`default: ${defaultOf(variable)}`, "      "),
  ].join("\n");
}

function wrapped(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    const isFirst = line === indent;
    if (!isFirst && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
}
