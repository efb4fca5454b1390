/**
 * The help of each command, and the overview of all.
 *
 * Invariant: everything comes from the table of commands; a flag that a command takes is in its help.
 *
 * Deliberately absent: the sidecar's settings, which help.ts has.
 */
import { COMMAND_NAMES, COMMANDS, COMMON_STATUSES, PROGRAM } from "./commands.ts";
import type { CommandFlag, CommandName, CommandSpec } from "./commands.ts";
import { flagsOf } from "./read-command.ts";
import { TERMINAL_WIDTH, wrapped } from "./wrap.ts";

export const ADDRESS_RULE =
  "The settings of the address are read from the environment too, as the sidecar does; flags win. A socket is " +
  "preferred, unless a flag names the port.";

const FLAG_WIDTH = 26;

/** One line for each command, indented. */
export function renderOverview(): readonly string[] {
  const words: readonly (readonly [string, string])[] = [
    ["run", "the sidecar itself, as without a command; it takes the settings below"],
    ...COMMAND_NAMES.map((name) => [name, COMMANDS[name].summary] as const),
    ["help [command]", "this text, or that of a command"],
  ];
  const width = Math.max(...words.map(([word]) => word.length));
  return words.map(([word, summary]) => `  ${word.padEnd(width)}  ${summary}`);
}

/** `--to <pod>` */
export function usageOf({ name, value }: CommandFlag): string {
  return value === null ? name : `${name} <${value}>`;
}

/** For standard output; ends with a line break. */
export function renderCommandHelp(name: CommandName): string {
  const spec: CommandSpec = COMMANDS[name];
  const own = spec.flags.map((flag) => ` [${usageOf(flag)}]`).join("");
  return `${[
    ...wrapped(`${name}: ${spec.summary}`, "", TERMINAL_WIDTH),
    "",
    `usage: ${PROGRAM} ${name}${own} [--json]`,
    "",
    ...spec.description.flatMap((paragraph) => [...wrapped(paragraph, "", TERMINAL_WIDTH), ""]),
    "Flags:",
    ...flagsOf(name).flatMap(renderFlag),
    "",
    ...wrapped(ADDRESS_RULE, "", TERMINAL_WIDTH),
    "",
    "Exit status:",
    ...Object.entries(statusesOf(spec)).flatMap(([status, meaning]) => hanging(`  ${status}`, 5, meaning)),
  ].join("\n")}\n`;
}

/** By status: its own, and those that mean the same for all. */
export function statusesOf(spec: CommandSpec): Readonly<Record<number, string>> {
  return { ...COMMON_STATUSES, ...spec.statuses };
}

function renderFlag(flag: CommandFlag): readonly string[] {
  const short = flag.name === "--help" ? "-h, " : "";
  return hanging(`  ${short}${usageOf(flag)}`, FLAG_WIDTH, flag.description);
}

/** `head` and the text beside it, from column `at`. */
function hanging(head: string, at: number, text: string): readonly string[] {
  const [first = "", ...more] = wrapped(text, " ".repeat(at), TERMINAL_WIDTH);
  return [head.padEnd(at - 1) + first.slice(at - 1), ...more];
}
