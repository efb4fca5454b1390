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
import { renderOverview } from "./command-help.ts";
import { PROGRAM } from "./commands.ts";
import { wrapped } from "./wrap.ts";

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
    `usage: ${PROGRAM} [run] [--flag value | --flag=value]...`,
    `       ${PROGRAM} <command> [--flag value | --flag=value]...`,
    "",
    "Commands, for people; in the image: kubectl exec <pod> -c tenure -- node dist/main.js status",
    ...renderOverview(),
    "",
    "The sidecar's settings:",
    "",
    ...wrapped(PRECEDENCE, "", WIDTH),
    "",
    sections.join("\n\n"),
    "",
    "Rules between settings:",
    ...RULES.flatMap((rule) => wrapped(rule, "  ", WIDTH)),
    "",
    "Other flags:",
    "  -h, --help       this text",
    "  -v, --version    the version",
    "",
    "Exit status:",
    ...EXIT_STATUSES.map(([status, meaning]) => `  ${status}  ${meaning}`),
    "",
    "Example: a group of one, on this machine, and the question it answers",
    `  ${PROGRAM} ${EXAMPLE_ARGUMENTS}`,
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
    ...wrapped(variable.description, "      ", WIDTH),
    ...wrapped(`allowed: ${variable.kind.allowed}`, "      ", WIDTH),
    ...wrapped(`default: ${defaultOf(variable)}`, "      ", WIDTH),
  ].join("\n");
}
